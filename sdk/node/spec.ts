/** A machine of the network: what a person may say about it. */
import { z } from "zod";
import { checkedString, objectTo, unlessFaulty } from "../faults";
import { CHAIN_FIELDS, chainObjection } from "../kernel/chains";
import { contains } from "../network/address";
import {
  addressField,
  chainsField,
  choice,
  deviceField,
  firewallField,
  idField,
  nameField,
  ownerField,
  prefixField,
} from "../network/fields";

const sysctlName = checkedString((value) =>
  /^(net|kernel|vm)[./][A-Za-z0-9_.:/-]+$/.test(value) && !value.includes("..")
    ? undefined
    : {
        legal: "a setting of net, kernel or vm, such as net/ipv4/ip_forward",
        cure: "correct the name; with slashes where a device's name has a dot",
      },
);

const sysctlValue = checkedString((value) =>
  /^[A-Za-z0-9_.:-]+( [A-Za-z0-9_.:-]+)*$/.test(value)
    ? undefined
    : { legal: "words with one space between them, such as 1", cure: "correct the value" },
);

// Slashes are sysctl(8)'s form for names that have dots in them.
const slashes = (name: string): string => (name.includes("/") ? name : name.replaceAll(".", "/"));
const withSlashes = (sysctls: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(sysctls).map(([name, value]) => [slashes(name), value]));

export const packagesField = choice("Packages", "What becomes of packages that the machine lacks.", {
  expect: "They are a fault.",
  install: "They are installed.",
})
  .default("expect")
  .describe("Whether missing packages are installed or are a fault. Default: expect.");

const relayed = z.strictObject({
  name: nameField.describe("Name of the node. Example: lux"),
  addresses: z.array(addressField).describe("Its overlay addresses. Example: [10.255.0.1, fd00:6f::1]"),
});

const fields = z.strictObject({
  node: nameField.describe("Name of the node. Example: lux"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
  formerly: z
    .array(ownerField)
    .default([])
    .describe("Names that this stack had before. Default: none. Example: [net/production]"),
  id: idField.describe("Id of the node, unique in the network. Example: 1"),
  addresses: z
    .array(addressField)
    .default([])
    .describe("The node's overlay addresses. Default: none. Example: [10.255.0.1, fd00:6f::1]"),
  prefixes: z
    .array(prefixField)
    .default([])
    .describe(
      "The overlay's prefixes; packets to what no link carries are refused here. Default: none. Example: [10.255.0.0/24]",
    ),
  relay: z
    .array(z.strictObject({ a: relayed, b: relayed }))
    .default([])
    .describe("Nodes that this one forwards between, from link to link. Default: none."),
  underlay: z
    .array(deviceField)
    .default([])
    .describe("Tunnel devices of others that encrypted packets may leave by. Default: none. Example: [hetzner0]"),
  clampMss: z
    .boolean()
    .default(true)
    .describe("Whether TCP forwarded from or to a link or a segment is held to what the way carries. Default: true."),
  adopts: z
    .array(deviceField)
    .default([])
    .describe("WireGuard devices of others that links of this node take over. Default: none. Example: [wg0]"),
  packages: packagesField,
  firewall: firewallField
    .optional()
    .describe("Who lets packets in on the machine. Default: nobody that drops any. Example: ufw"),
  firewallChain: chainsField
    .optional()
    .describe("Of nftables, the chains that drop what no rule lets in. Default: none. Example: [inet filter input]"),
  forwardChain: chainsField
    .optional()
    .describe(
      "Of nftables, the chains that drop what is forwarded and no rule lets through. Default: none. Example: [inet filter forward]",
    ),
  sysctls: z
    .record(sysctlName, sysctlValue)
    .default({})
    .transform(withSlashes)
    .describe('Kernel settings. Default: none. Example: {net/ipv4/ip_forward: "1"}'),
});

function addressesInPrefixes({ addresses, prefixes }: z.output<typeof fields>, context: z.core.$RefinementCtx): void {
  if (prefixes.length === 0) return;
  for (const [index, address] of addresses.entries()) {
    if (prefixes.some((prefix) => contains(prefix, address))) continue;
    objectTo(context, ["addresses", index], {
      code: "input/prefix",
      legal: `an address in one of ${prefixes.join(", ")}`,
      cure: "add the prefix that it is in, or correct the address",
    });
  }
}

function chainNamed(firewall: z.output<typeof fields>, context: z.core.$RefinementCtx): void {
  for (const field of CHAIN_FIELDS) {
    const objection = chainObjection(firewall, field);
    if (objection) objectTo(context, [field], objection);
  }
}

const FORWARDING = ["net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net/ipv6/conf/all/forwarding"];

function relayForwards({ relay, sysctls }: z.output<typeof fields>, context: z.core.$RefinementCtx): void {
  if (relay.length === 0) return;
  for (const name of FORWARDING.filter((name) => sysctls[name] === "0")) {
    objectTo(context, ["sysctls", name], {
      code: "input/relay",
      legal: "1 or absent on a relay, which forwards",
      cure: "leave it out, or leave `relay` out",
    });
  }
}

export const spec = fields
  .superRefine(addressesInPrefixes, unlessFaulty("addresses", "prefixes"))
  .superRefine(chainNamed, unlessFaulty("firewall", ...CHAIN_FIELDS))
  .superRefine(relayForwards, unlessFaulty("relay", "sysctls"));

export type Spec = z.output<typeof spec>;
/** Two nodes that this one forwards between. */
export type RelayPair = Spec["relay"][number];
export type Input = z.input<typeof spec>;
