/**
 * The node's WireGuard key by itself, made where some nodes go before others: their devices name the keys of all, also of
 * machines whose turn has not come. The machine's own resource says the same key, and has it for as long as it is there.
 */
import { z } from "zod";
import type { Fact } from "../kernel/fact";
import { fact } from "../kernel/kinds";
import { NODE_BOOT, WIREGUARD_KEY } from "../kernel/marks";
import { foreignOwner } from "../kernel/owner";
import type { Technology } from "../kernel/technology";
import { missingCommands } from "./faults";
import { wireguardTools } from "./plan";
import { spec as node } from "./spec";

const { node: name, owner, formerly, packages } = node.shape;
const spec = z.strictObject({ node: name, owner, formerly, packages });

type Spec = z.output<typeof spec>;

// Where a machine has wg(8) to be there, there is nothing to say that would not be a fault.
const plan = ({ packages }: Spec): Fact[] => [
  ...(packages === "install" ? [wireguardTools(packages)] : []),
  fact("wgKey", { path: WIREGUARD_KEY, sharedWith: NODE_BOOT }),
];

export type KeySpec = z.input<typeof spec>;

export const nodeKey: Technology<KeySpec, Spec> = {
  token: "overlay:node:Key",
  spec,
  plan,
  queries: () => ["command wg"],
  faults: ({ owner, formerly, packages }, snapshot) => [
    ...foreignOwner(snapshot, owner, formerly),
    ...missingCommands({ packages }, snapshot, { wg: "wireguard-tools" }),
  ],
  foretells: (_, before) => (before ? [] : ["A key that the node has already stays."]),
};
