/** The one place that touches a host: ssh, snapshot, apply. */
export { agentFiles } from "./agents";
export { apply, type Change, type Failure } from "./apply";
export { Connection, describeConnection } from "./connection";
export { HostError, type HostErrorKind } from "./errors";
export { Hosts, type HostsOptions } from "./hosts";
export type { RunOptions, Session } from "./session";
export type { Result } from "./shell";
export { parseSnapshot, snapshot } from "./snapshot";
