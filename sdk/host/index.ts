/** The one place that touches a host: ssh, snapshot, apply. */
export { agentFiles, chooseFiles, rosenpassFiles } from "./agents";
export { type Applied, type Change, type Failure, PATIENCE, UNDO_AFTER } from "./apply";
export { type Called, callAgain, unanswered } from "./calls";
export { Connection, describeConnection } from "./connection";
export { HostError, type HostErrorKind } from "./errors";
export { Hosts, type HostsOptions } from "./hosts";
export { publicKey } from "./keying";
export { type Carried, isUp, measure, narrow, note, notesOf, type Prober, whole } from "./pathMtu";
export type { Probe, Probed } from "./probe";
export { apply, type LookOptions } from "./rounds";
export type { RunOptions, Session } from "./session";
export type { Result } from "./shell";
export { parseSnapshot, snapshot } from "./snapshot";
export { type Counted, type Followed, trace } from "./trace";
