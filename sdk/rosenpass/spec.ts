/** Rosenpass: the program and the key pair of a node, and on each side of a link a preshared key and a daemon. */
import { z } from "zod";
import { checkedString, objectAcross, unlessFaulty } from "../faults";
import { isPlaceholder, later } from "../kernel/later";
import {
  chainsField,
  choice,
  deviceField,
  endpointField,
  firewallField,
  nameField,
  ownerField,
  portField,
} from "../network/fields";

export const sha256Field = checkedString((value) =>
  /^[0-9a-f]{64}$/.test(value)
    ? undefined
    : { legal: "64 hexadecimal digits, as sha256sum(1) prints them", cure: "correct it" },
);

export const modeField = choice("RosenpassMode", "What becomes of packets while there is no key.", {
  permissive: "They go on without.",
  strict: "None passes.",
});

/** What systemd-escape(1) would leave alone, and a file's name may be. */
const exchangeField = checkedString((value) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(value)
    ? undefined
    : { legal: "letters, digits, `.`, `_` and `-`, 128 at most", cure: "choose shorter names" },
);

const wireguardKey = checkedString((value) =>
  /^[A-Za-z0-9+/]{43}=$/.test(value)
    ? undefined
    : { legal: "a WireGuard public key, 44 characters", cure: "give what `wg pubkey` prints" },
);

const path = checkedString((value) =>
  value.startsWith("-") || value === "" ? { legal: "the path of a file", cure: "correct it" } : undefined,
);

const url = checkedString((value) =>
  /^https?:\/\/[^\s/?#@]+\/\S+$/.test(value)
    ? undefined
    : {
        legal: "the address of a file, such as https://example.com/rosenpass",
        cure: "correct it; credentials are in none",
      },
);

const binaryShape = z.strictObject({
  sha256: sha256Field.describe("SHA-256 of the program: it is refused where it is another."),
  path: path
    .optional()
    .describe("Where it is on the machine where Pulumi runs. Default: none, and url says it. Example: ./rosenpass"),
  url: url
    .optional()
    .describe(
      "In place of path, an address that it is read from there. Default: none. Example: https://example.com/rosenpass",
    ),
});

function oneSource({ path, url }: z.output<typeof binaryShape>, context: z.core.$RefinementCtx): void {
  if ((path === undefined) !== (url === undefined)) return;
  objectAcross(context, [], { code: "input/conflict", legal: "either `path` or `url`", cure: "give one of the two" });
}

/** Rosenpass for the hosts. */
export const binaryField = binaryShape
  .superRefine(oneSource, unlessFaulty("path", "url"))
  .meta({ id: "RosenpassBinary", description: "Which Rosenpass the hosts are given." });

const place = {
  node: nameField.describe("The node's own name. Example: fra"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
};

export const keySpec = z.strictObject({
  ...place,
  binary: binaryField
    .optional()
    .describe("The program, where the host is given it. Default: the host has it already, as `rosenpass`."),
});

export type KeySpec = z.output<typeof keySpec>;

/** Releases whose keys have one format, and whose handshakes understand each other. */
const RELEASE = /^rosenpass 0\.2\.\d+$/;

export const versionField = later(
  checkedString((value) =>
    RELEASE.test(value)
      ? undefined
      : {
          legal: "rosenpass 0.2, whose keys have one format",
          cure: "install that, on all nodes, or give it as `binary`",
        },
  ),
);

const exchange = {
  ...place,
  name: exchangeField.describe("Name of the exchange, that of the link. Example: lux-fra"),
  device: deviceField.describe("Name of the WireGuard device. Example: inter-lux"),
  mode: modeField.describe(
    "permissive: as long as there is no key, traffic goes on without. strict: nothing passes then.",
  ),
};

export const pskSpec = z.strictObject({
  ...exchange,
  version: versionField.describe("What the node's own Rosenpass says that it is. Example: rosenpass 0.2.2"),
  peer: z.strictObject({
    name: nameField.describe("The other node's name. Example: lux"),
    publicKey: later(wireguardKey).describe("Its WireGuard public key."),
    version: versionField.optional().describe("As of the node itself. Default: somebody else's, which is not known."),
  }),
});

export type PskSpec = z.output<typeof pskSpec>;

const daemonFields = z.strictObject({
  ...exchange,
  binary: z.boolean().default(false).describe("Whether the host was given the program. Default: it has it already."),
  port: portField.describe("UDP port that the daemon listens on. Example: 21001"),
  delay: z
    .int()
    .min(0)
    .max(60)
    .default(0)
    .describe("Seconds before it calls by itself, so that two who call each other do not cross. Default: 0."),
  called: z
    .boolean()
    .default(true)
    .describe("Whether the other side calls: a firewall has to let it in. Default: true."),
  firewall: firewallField.optional().describe("Who lets packets in on the machine, as on the node. Default: nobody."),
  firewallChain: chainsField
    .optional()
    .describe("Of nftables, the chains that drop what no rule lets in, as on the node. Default: none."),
  peer: z.strictObject({
    name: nameField.describe("The other node's name. Example: lux"),
    publicKey: later(wireguardKey).describe("Its WireGuard public key."),
    key: later(sha256Field).describe("SHA-256 of its Rosenpass public key."),
    file: path
      .optional()
      .describe("Where that key is on the machine where Pulumi runs. Default: it is asked of the other host."),
    endpoints: later(z.array(later(endpointField)))
      .default([])
      .describe("Where its daemon is called, first the one to prefer. Default: none; it calls."),
  }),
});

function calls({ called, peer: { endpoints } }: z.output<typeof daemonFields>, context: z.core.$RefinementCtx): void {
  if (called || endpoints.length > 0) return;
  const cure = "give `endpoints` to the node that can be reached";
  const legal = "at least one, where nobody calls";
  objectAcross(context, ["peer", "endpoints"], { code: "input/endpoint", legal, cure });
}

export const daemonSpec = daemonFields.superRefine(calls, unlessFaulty("called", "peer.endpoints"));

export type DaemonSpec = z.output<typeof daemonSpec>;

/** The other node's daemon, as far as it is known. */
export const endpointsOf = ({ peer: { endpoints } }: DaemonSpec): string[] =>
  typeof endpoints === "string" ? [endpoints] : endpoints;

/** The first endpoint that is known, for messages. */
export const calledAt = (spec: DaemonSpec): string | undefined => endpointsOf(spec).find((it) => !isPlaceholder(it));
