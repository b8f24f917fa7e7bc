/**
 * Where a node calls its peers, and by which relay it reaches whom it cannot call, chosen on the host by what stacks say in
 * signed documents: sdk/host/agents/choose. A resource of its own, because it has to know the keys of all these, and a Host
 * is there before they are.
 */
import { z } from "zod";
import { checkedString, type Fault, type Objection, objectTo, unlessFaulty } from "../faults";
import type { Fact } from "../kernel/fact";
import { fact } from "../kernel/kinds";
import { isPlaceholder, later } from "../kernel/later";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import type { Technology } from "../kernel/technology";
import { TUNNEL_KINDS } from "../kernel/tunnel";
import { address, family, host, NO_ENDPOINTS } from "../network/address";
import { addressField, deviceField, nameField, ownerField, prefixField } from "../network/fields";
import { isOlder } from "./faults";
import { type Agents, files } from "./plan";
import { packagesField } from "./spec";

const TRUTH = "/etc/overlay/truth";
/** Credentials of a bucket, in the words of curl(1). */
const CREDENTIALS = "/etc/overlay/keys/truth";

const signer = checkedString((value) =>
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) AAAA[A-Za-z0-9+/]+={0,2}$/.test(
    value,
  )
    ? undefined
    : {
        legal: "type and key of an SSH public key, such as ssh-ed25519 AAAA…",
        cure: "give the first two words of its .pub file",
      },
);

/** Of a peer inside, link-local too. */
const peerAddress = checkedString((value) =>
  address(value) === undefined ? { legal: "an address such as fe80::2 or fd00:6f::2", cure: "correct it" } : undefined,
).transform((value) => address(value) ?? value);

const peerKey = checkedString((value) =>
  /^[A-Za-z0-9+/]{43}=$/.test(value)
    ? undefined
    : { legal: "a WireGuard public key, 44 characters", cure: "give what `wg pubkey` prints" },
);

const path = checkedString((value) =>
  /^\/[!-~]*$/.test(value) ? undefined : { legal: "an absolute path without white space", cure: "correct it" },
);

const url = checkedString((value) =>
  /^https?:\/\/[^\s/?#@]+\/[^\s?#]*[^\s?#/]$/.test(value)
    ? undefined
    : {
        legal: "the address of a bucket, such as https://ACCOUNT.r2.cloudflarestorage.com/BUCKET",
        cure: "correct it; credentials are in no address",
      },
);

const region = checkedString((value) =>
  /^[a-z0-9-]+$/.test(value) ? undefined : { legal: "a region such as auto or eu-central-1", cure: "correct it" },
);

const source = z.strictObject({
  file: path.optional().describe("A folder on the host, in which the store is. Example: /srv/truth"),
  s3: url.optional().describe("In its place, a bucket, which the host reads with the credentials."),
  region: region.default("auto").describe("Region of the bucket. Default: auto, which is R2's. Example: eu-central-1"),
});

/** As the AWS tools have them: a name between brackets. */
export const profileField = checkedString((value) =>
  /^[!-Z^-~]+$/.test(value)
    ? undefined
    : { legal: "the name of a profile in ~/.aws/credentials, without white space", cure: "correct it" },
);

const sha256 = checkedString((value) =>
  /^[0-9a-f]{64}$/.test(value) ? undefined : { legal: "64 hexadecimal digits", cure: "correct it" },
);

const handed = z.strictObject({
  profile: profileField.describe("Profile of the AWS tools that has them, where Pulumi runs. Example: overlay-hosts"),
  sha256: sha256.describe("SHA-256 of the file that the host gets, so that others show as a change."),
});

const peer = z.strictObject({
  publicKey: later(peerKey).describe("The peer's WireGuard public key, as `wg pubkey` prints it."),
  address: peerAddress
    .optional()
    .describe(
      "Where it answers inside: fe80::ID on a link, its own in a mesh. Default: it is asked nothing. Example: fe80::2",
    ),
});

const far = z.strictObject({
  publicKey: later(peerKey).describe("Its WireGuard public key, as its stack says it and `of` names it."),
  addresses: z.array(addressField).min(1).describe("Its addresses in the overlay. Example: [10.255.0.3, fd00:6f::3]"),
});

const speaker = z.strictObject({
  stack: ownerField.describe("Project and stack. Example: net/prod"),
  signers: z.array(signer).min(1).describe("The SSH public keys that sign for it. Example: [ssh-ed25519 AAAA…]"),
  of: z.array(peer).default([]).describe("The nodes of which it may say endpoints and relays. Default: none."),
});

/** How the agent works. */
export const agentFields = {
  packages: packagesField,
  probe: z.number().min(0.2).max(60).default(2).describe("Seconds between looks at a link. Default: 2. Example: 0.5"),
  count: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe("Probes in vain after which another endpoint is tried. Default: 3."),
  hold: z
    .int()
    .min(10)
    .max(3600)
    .default(120)
    .describe(
      "Seconds before the preferred endpoint is tried again, twice as many after each trial in vain. Default: 120.",
    ),
  fetch: z.int().min(1).max(86400).default(60).describe("Seconds between looks at the store. Default: 60."),
};

const fields = z.strictObject({
  node: nameField.describe("The node's own name. Example: fra"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
  network: nameField.describe("Name of the network. Example: overlay"),
  stacks: z.array(speaker).describe("Whose documents count, and of whom each may speak."),
  sources: z.array(source).min(1).describe("Where the documents are, the first that answers. Example: [{file: /srv}]"),
  relayed: z
    .array(far)
    .default([])
    .describe("Nodes to which there may be routes by way of a peer that documents name as a relay. Default: none."),
  addresses: z
    .array(addressField)
    .default([])
    .describe(
      "The node's own addresses in the overlay, which its packets by a relay come from. Default: none. " +
        "Example: [10.255.0.1, fd00:6f::1]",
    ),
  credentials: handed
    .optional()
    .describe("What the host reads buckets with. They go there from a file and are in no state. Default: nothing."),
  prefixes: z
    .array(prefixField)
    .default([])
    .describe("The overlay's prefixes, in which no endpoint is. Default: none. Example: [10.255.0.0/24]"),
  underlay: z
    .array(deviceField)
    .default([])
    .describe("Tunnel devices of others that encrypted packets may leave by, as on the node. Default: none."),
  ...agentFields,
});

type Fields = z.output<typeof fields>;

function oneSource({ sources }: Fields, context: z.core.$RefinementCtx): void {
  for (const [index, { file, s3 }] of sources.entries()) {
    if ((file === undefined) !== (s3 === undefined)) continue;
    const cure = "give one of the two, and another source for the other";
    objectTo(context, ["sources", index], { code: "input/conflict", legal: "either `file` or `s3`", cure });
  }
}

/** Each peer is one stack's to speak of. */
function oneSpeaker({ stacks }: Fields, context: z.core.$RefinementCtx): void {
  const whose = new Map<string, string>();
  for (const [index, { stack, of }] of stacks.entries()) {
    for (const [at, { publicKey }] of of.entries()) {
      const other = whose.get(publicKey);
      if (other !== undefined && other !== stack) {
        const legal = `a peer that no other stack speaks of, and ${other} does of this one`;
        const cure = `leave it to ${other} or to ${stack}`;
        objectTo(context, ["stacks", index, "of", at, "publicKey"], { code: "input/duplicate", legal, cure });
      }
      whose.set(publicKey, stack);
    }
  }
}

/** All that would keep a node from ever being reached by a relay, or lead to another node. */
function farFaults({ stacks, relayed, addresses: own }: Fields, context: z.core.$RefinementCtx): void {
  const object = (path: PropertyKey[], code: Objection["code"], legal: string, cure: string) =>
    objectTo(context, ["relayed", ...path], { code, legal, cure });
  const spoken = new Set(stacks.flatMap(({ of }) => of.map(({ publicKey }) => publicKey)));
  const had = new Set(own);
  for (const [index, { publicKey, addresses }] of relayed.entries()) {
    if (!isPlaceholder(publicKey) && !spoken.has(publicKey)) {
      object(
        [index, "publicKey"],
        "input/reference",
        "the key of a node that one of the stacks may speak of",
        "add it to `of` of its stack",
      );
    }
    if (!addresses.some((it) => own.some((mine) => family(mine) === family(it)))) {
      const legal = "one of a family that `addresses` has one of";
      object([index, "addresses"], "input/family", legal, "give both nodes one of one family");
    }
    for (const [at, address] of addresses.entries()) {
      if (had.has(address)) {
        object([index, "addresses", at], "input/duplicate", "an address that no other node has", "correct it");
      }
      had.add(address);
    }
  }
}

const spec = fields
  .superRefine(oneSource, unlessFaulty("sources"))
  .superRefine(oneSpeaker, unlessFaulty("stacks"))
  .superRefine(farFaults, unlessFaulty("stacks", "relayed", "addresses"));

type Spec = z.output<typeof spec>;
export type ChooserSpec = z.input<typeof spec>;

const lines = (all: readonly string[]): string => [...all, ""].join("\n");
const words = (...all: (string | undefined)[]): string => all.filter((it) => it !== undefined).join(" ");
const each = <T>(word: string, values: readonly T[]): string[] => values.map((value) => `${word} ${value}`);

/** What the agent goes by, a line each. */
const conf = (spec: Spec): string =>
  lines([
    `network ${spec.network}`,
    `node ${spec.node}`,
    ...each("stack", [...new Set(spec.stacks.map(({ stack }) => stack))].sort()),
    ...each(
      "of",
      spec.stacks
        .flatMap(({ stack, of }) => of.map(({ publicKey, address }) => words(publicKey, stack, address)))
        .sort(),
    ),
    ...each("far", spec.relayed.map(({ publicKey, addresses }) => words(publicKey, ...addresses.map(host))).sort()),
    ...each("own", spec.relayed.length > 0 ? spec.addresses : []),
    ...spec.sources.map(
      ({ file, s3, region }) => `source ${file === undefined ? `s3 ${s3} ${region}` : `file ${file}`}`,
    ),
    ...each("never", [...new Set([...spec.prefixes, ...NO_ENDPOINTS])].sort()),
    ...each("tunnel", TUNNEL_KINDS),
    ...each("underlay", [...new Set(spec.underlay)].sort()),
    ...(["probe", "count", "hold", "fetch"] as const).map((name) => `${name} ${spec[name]}`),
  ]);

/** allowed_signers, ssh-keygen(1). */
const signers = ({ stacks }: Spec): string =>
  lines(
    stacks.flatMap(({ stack, signers }) => signers.map((key) => `${stack} namespaces="overlay-truth" ${key}`)).sort(),
  );

const readsBucket = ({ sources }: Spec): boolean => sources.some(({ s3 }) => s3 !== undefined);

/** Commands and the packages that they come in. */
const needs = (spec: Spec): [command: string, name: string][] => [
  ...(readsBucket(spec) ? [["curl", "curl"] as [string, string]] : []),
  ["fping", "fping"],
  ["ssh-keygen", "openssh-client"],
];

const UNIT = fact("unit", { name: "overlay-choose.service", enabled: true, active: true });

/** All that it may have on a host, whatever its spec: it goes with the node. */
export const chooserTraces = (agents: Agents): Fact[] => [
  ...files({ ...agents, [`${TRUTH}/conf`]: { mode: "0644", content: "" } }),
  ...files({ [`${TRUTH}/signers`]: { mode: "0644", content: "" }, [CREDENTIALS]: { mode: "0600", content: "" } }),
  UNIT,
];

const plan =
  (agents: Agents) =>
  (spec: Spec): Fact[] => [
    ...needs(spec).map(([command, name]) => fact("package", { name, command, mode: spec.packages })),
    ...files({
      [`${TRUTH}/conf`]: { mode: "0644", content: conf(spec) },
      [`${TRUTH}/signers`]: { mode: "0644", content: signers(spec) },
    }),
    ...(spec.credentials ? [fact("file", { path: CREDENTIALS, mode: "0600", ...spec.credentials })] : []),
    ...files(agents),
    UNIT,
  ];

function missing(spec: Spec, { commands }: Snapshot): Fault[] {
  if (spec.packages === "install") return [];
  return needs(spec)
    .filter(([command]) => !commands[command])
    .map(([command, name]) => ({
      code: "host/package" as const,
      path: "packages",
      found: `a host without ${command}`,
      legal: `a host that has ${command}`,
      cure: `\`apt-get install --no-install-recommends ${name}\` there, or say packages: "install"`,
    }));
}

/** The first curl that has --aws-sigv4. */
const CURL = "7.75.0";

function unableToSign(spec: Spec, { versions: { curl } = {} }: Snapshot): Fault[] {
  if (!readsBucket(spec) || curl === undefined || !isOlder(curl, CURL)) return [];
  return [
    {
      code: "host/package",
      path: "sources",
      found: `a host with curl ${curl}`,
      legal: `curl ${CURL} or later, which signs requests (--aws-sigv4)`,
      cure: "upgrade its system: Ubuntu 22.04, Debian 12 and all later ones have it",
    },
  ];
}

/** `agents`: the files of it that stay on a host. */
export const chooser = (agents: Agents): Technology<ChooserSpec, Spec> => ({
  token: "overlay:node:Chooser",
  spec,
  plan: plan(agents),
  faults: (spec, snapshot) => [
    ...foreignOwner(snapshot, spec.owner),
    ...missing(spec, snapshot),
    ...unableToSign(spec, snapshot),
  ],
});
