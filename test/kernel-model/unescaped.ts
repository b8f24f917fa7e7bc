/** What the shell's `printf %b` makes of the text of a `put`: sdk/host/agents/files.sh. */
export const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, it) => (it === "n" ? "\n" : it));
