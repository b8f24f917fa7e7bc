export { wrongClock } from "./clock";
export { type Changed, type Changes, changes, live, queries, undo } from "./compare";
export { exposedBeyond, exposure, isOfNetwork } from "./exposure";
export { type Command, type Fact, factId, type HostFacts, type Kind } from "./fact";
export { put } from "./file";
export {
  closedFaults,
  closedToBehind,
  closedToRelays,
  missingFirewall,
  opening,
  passing,
  rulesQueries,
} from "./firewall";
export { fact, type KindName, kindOf, kinds, type ValueOf } from "./kinds";
export { isPlaceholder, later, placeholder } from "./later";
export { userspaceUnit } from "./link";
export * from "./marks";
export { destination } from "./route";
export { called, type Silent, silence, silent } from "./silent";
export type { Decided, Exchange, Snapshot } from "./snapshot";
export type { Blob, Call, End, Keying, Path, Technology } from "./technology";
export { bootText, text } from "./text";
export { parseWgDump } from "./wg";
export { SESSION_SECONDS } from "./wgPeer";
