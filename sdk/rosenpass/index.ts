import type { z } from "zod";
import type { Technology } from "../kernel/technology";
import { daemonFaults, daemonQueries, keyFaults, pskFaults, pskForetells } from "./faults";
import { type Agents, daemonBlobs, daemonPlan, keyBlobs, keying, keyPlan, named, pskPlan } from "./plan";
import { type DaemonSpec, daemonSpec, type KeySpec, keySpec, type PskSpec, pskSpec } from "./spec";

export { unkeyed } from "./faults";
export { agreed, HEALTHY, health } from "./health";
export { type Agents as RosenpassAgents, nodeTraces, traces } from "./plan";
export { binaryField, modeField, sha256Field } from "./spec";

export type RosenpassKeySpec = z.input<typeof keySpec>;
export type RosenpassPskSpec = z.input<typeof pskSpec>;
export type RosenpassDaemonSpec = z.input<typeof daemonSpec>;

/** What a node has of Rosenpass for all its links. `agents`: the files that stay on a host. */
export const rosenpassKey = (agents: Agents): Technology<RosenpassKeySpec, KeySpec> => ({
  token: "overlay:rosenpass:Key",
  spec: keySpec,
  plan: keyPlan(agents),
  faults: keyFaults,
  blobs: keyBlobs,
});

/** The preshared key of one side of a link: whose it is to set, and what is without one. */
export const rosenpassPsk: Technology<RosenpassPskSpec, PskSpec> = {
  token: "overlay:rosenpass:Psk",
  spec: pskSpec,
  plan: pskPlan,
  faults: pskFaults,
  foretells: pskForetells,
};

/** The daemon of one side of a link. */
export const rosenpassDaemon: Technology<RosenpassDaemonSpec, DaemonSpec> = {
  token: "overlay:rosenpass:Daemon",
  spec: daemonSpec,
  plan: daemonPlan,
  queries: daemonQueries,
  faults: daemonFaults,
  blobs: daemonBlobs,
  keying,
  end: ({ name, node, called }) => ({ name: named(name, node), from: node, called, calls: [] }),
};
