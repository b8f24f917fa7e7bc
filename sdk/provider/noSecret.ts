/** What is said of a secret where none may be; a program says it, too, and loads no provider for that. */
export const NO_SECRET = {
  code: "input/secret",
  legal: "a value that is no secret, because previews, messages or files on the host show it",
  cure: "wrap it in pulumi.unsecret() if it is none",
} as const;
