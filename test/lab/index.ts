/** The lab, as tests use it: `const lab = await Lab.up("lab", { name: "mine" })`. */
export type { Break, BreakKind } from "./breaks";
export type { HostJson, LabJson } from "./files";
export { type HostStatus, Lab } from "./lab";
export { type Result, type RunOptions, run } from "./run";
