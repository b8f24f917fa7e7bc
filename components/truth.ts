/** What a source of truth is made of. */
export { extractsHash } from "../sdk/truth/extract";
export { truthArgs, truthOutputs } from "./truthArgs";
export { choosingFaults, makeChoosers } from "./truthChoosers";
export { documentNow, peerIn } from "./truthPeers";
export { comingRoutes, crossStacks, farsOf, pairFaults } from "./truthRelays";
export { said } from "./truthSaid";
