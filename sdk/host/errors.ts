/** What went wrong between the tool and a host. `busy`: another run holds the host's lock; `owned`: another stack's. */
export type HostErrorKind =
  | "unreachable"
  | "refused"
  | "resolve"
  | "banner"
  | "hostKeyUnknown"
  | "hostKeyChanged"
  | "auth"
  | "identity"
  | "sudo"
  | "noShell"
  | "notLinux"
  | "ssh"
  | "lost"
  | "timeout"
  | "cancelled"
  | "busy"
  | "owned";

/** One sentence that says what is wrong and how to cure it; never a secret. */
export class HostError extends Error {
  constructor(
    readonly kind: HostErrorKind,
    message: string,
  ) {
    super(message);
    this.name = "HostError";
  }

  /** True when nothing was told to the host: it was not reached, or it did not let us in. */
  get offline(): boolean {
    return ["unreachable", "refused", "resolve", "banner"].includes(this.kind);
  }
}
