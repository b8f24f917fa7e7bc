/** What a person may say about the post-quantum keys of a link. */
import { z } from "zod";
import { portField } from "../sdk/network/fields";
import { binaryField, modeField } from "../sdk/rosenpass/spec";
import { component, input } from "./input";
import type { WgLink } from "./WgLink";

const MODE =
  "permissive: where there is no key, or no new one, traffic goes on without. strict: nothing passes without a key, nor where " +
  "no new one comes for 180 s. ";

const BINARY =
  "Rosenpass 0.2 for the hosts, with its SHA-256: a path on the machine where Pulumi runs, or an address. One for all links of " +
  "a node. Default: the hosts have it, as `rosenpass`. Example: {path: ./rosenpass, sha256: …}";

/** Of every two nodes of a mesh. */
export const postQuantumField = z
  .strictObject({
    mode: modeField.default("permissive").describe(`${MODE}Default: permissive.`),
    binary: binaryField.optional().describe(BINARY),
  })
  .meta({ id: "PostQuantum", description: "Post-quantum keys of every two nodes of a mesh, by Rosenpass." });

export const rosenpassArgs = z.strictObject({
  link: component<WgLink>("overlay:index:WgLink").describe("The link whose packets are to have the keys."),
  mode: modeField
    .default("permissive")
    .describe(`${MODE}A link that is up loses nothing where it is permissive first. Default: permissive.`),
  port: input(portField)
    .optional()
    .describe(
      "UDP port that Rosenpass listens on, on both nodes. Default: the node's portBase + 10000 + the other node's id. " +
        "Example: 51830",
    ),
  binary: binaryField.optional().describe(BINARY),
  peerKey: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Where the other end is a `peer`, the file with its Rosenpass public key, on the machine where Pulumi runs. " +
        "Default: none. Example: ./phone.public",
    ),
});

/** Each is described in the document Arguments of the reference. */
export type RosenpassPeerArgs = z.input<typeof rosenpassArgs>;

/** As declared, defaults filled in. */
export type RosenpassData = z.output<typeof rosenpassArgs> & { name: string };

export const rosenpassOutputs = z.object({
  health: z
    .string()
    .describe(
      "healthy, or what is wrong, as both ends were last seen: by the last change, or by a refresh. Healthy is a new key " +
        "within the last 140 s, the same on both, that the session was made with.",
    ),
  peerConfig: z.string().optional().describe("For peer, a configuration of Rosenpass; absent where b is given."),
});
