/** What the source of truth says of one network. What a person may say: `overlay truth put` takes it by hand, too. */
import { z } from "zod";
import { checkedString, type Mismatch, objectAcross } from "../faults";
import { address, family, notAnEndpoint } from "../network/address";
import {
  addressField,
  deviceField,
  familyField,
  idField,
  NAME_UNDERLAY,
  nameField,
  portField,
  prefixField,
} from "../network/fields";
import { IPV4_MIN_MTU } from "../network/mtu";
import { PORT_BASE } from "../network/ports";

/** Text in one order, whatever the locale. */
export const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A list whose order says nothing. */
const set = (field: z.ZodType<string, string>) =>
  z.array(field).transform((values) => [...new Set(values)].sort(ascending));

const anUnderlayAddress = (value: string): Mismatch | undefined => {
  const legal = "an address on the underlay, such as 203.0.113.5 or 2001:db8::5";
  const canonical = address(value);
  if (canonical === undefined) return { legal, cure: "correct the address, or give a host's name as `name`" };
  const why = notAnEndpoint(canonical, []);
  return why === undefined ? undefined : { legal: `${legal}, and this is ${why}`, cure: NAME_UNDERLAY };
};

/** RFC 1123, section 2.1; what looks like an address is to be checked as one. */
const aHostname = (value: string): Mismatch | undefined =>
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value)
    ? undefined
    : { legal: "a host's full name, such as home.example.net", cure: "correct it, or give an address as `address`" };

/** Whether it is a public one is for those to see who link to it. */
const keyField = checkedString((value) =>
  /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)
    ? undefined
    : { legal: "a WireGuard public key: 32 bytes in base64, 44 characters", cure: "give what `wg pubkey` prints" },
);

const endpoint = z
  .strictObject({
    address: checkedString(anUnderlayAddress)
      .transform((value) => address(value) ?? value)
      .optional()
      .describe("Address on the underlay. Default: none, and name says it. Example: 203.0.113.5"),
    name: checkedString(aHostname)
      .transform((value) => value.toLowerCase())
      .optional()
      .describe(
        "In place of an address, a name that the host that calls resolves. Default: none. Example: home.example.net",
      ),
    ports: z
      .array(portField)
      .min(1)
      .optional()
      .describe(
        "UDP ports that reach the node here, where only a few do. Default: the port that it listens on. Example: [443]",
      ),
    family: familyField.optional().describe("Family that a name is resolved in. Default: any. Example: inet6"),
    cost: z
      .int()
      .min(0)
      .max(65535)
      .default(0)
      .describe("Those of the least cost are called first. Default: 0. Example: 10"),
  })
  .superRefine((value, context) => {
    const at = value.address;
    if ((at === undefined) === (value.name === undefined)) {
      objectAcross(context, ["address"], {
        code: "input/conflict",
        legal: "an address where there is no `name`, and none where there is",
        cure: "give one of the two",
      });
    }
    if (at !== undefined && value.family !== undefined && family(at) !== value.family) {
      const legal = `${family(at)}, as its address has`;
      objectAcross(context, ["family"], { code: "input/family", legal, cure: "leave it out" });
    }
  });

/** What `connection` of a node may say; whoever connects checks it. */
const connection = z.strictObject({
  host: z.string().min(1),
  port: portField.optional(),
  user: z.string().min(1).optional(),
  hostKey: z.string().min(1).optional(),
  proxyJump: z.string().min(1).optional(),
});

const node = z.strictObject({
  id: idField,
  /** Nothing yet of a machine that is still to be made. */
  publicKey: keyField.optional(),
  addresses: set(addressField).default([]),
  /** The best first. */
  endpoints: z
    .array(endpoint)
    .default([])
    .transform((all) => [...all].sort((a, b) => a.cost - b.cost)),
  portBase: z.int().min(1).max(65534).default(PORT_BASE),
  ports: z.array(portField).min(1).optional(),
  /** How an operator's machine reaches it, where a stack builds its network from the document alone. */
  connection: connection.optional(),
});

const end = z.strictObject({
  node: nameField,
  /** Of an own node; what another stack's node has is for that stack to say. */
  device: deviceField.optional(),
  port: portField.optional(),
  alsoPorts: z.array(portField).default([]),
  /** Where it has another than its node's. */
  publicKey: keyField.optional(),
});

const link = z.strictObject({
  /** Two of a link; all of a mesh. */
  ends: z
    .array(end)
    .min(2)
    .transform((ends) => [...ends].sort((a, b) => ascending(a.node, b.node))),
  family: familyField.optional(),
  /** Bytes inside: a pair that goes by a relay has no more than each half. */
  mtu: z.int().min(IPV4_MIN_MTU).max(65535).optional(),
  /** The end that chooses where to call the other: one of two, so that they cannot pull at each other. */
  chooser: nameField.optional(),
  /** A node that forwards between the two, where neither can be called. */
  relay: nameField.optional(),
  /** A relay reads what it forwards. */
  allowPlaintext: z.literal(true).optional(),
});

/** What one stack says, under its own signature. */
export const partSchema = z.strictObject({
  version: z.literal(1),
  /** Rises with each write of this part. */
  serial: z.int().min(1),
  /** When it was written, for people to read. */
  at: z.iso.datetime(),
  /** The overlay's own: no endpoint is in one. */
  prefixes: set(prefixField).default([]),
  nodes: z.record(nameField, node),
  links: z.record(nameField, link),
  /** Armoured, of ssh-keygen(1). */
  signature: z.string().default(""),
});

/** What a program says; the rest comes with the writing. */
export const declaredSchema = partSchema.pick({ prefixes: true, nodes: true, links: true });

export { endpoint as endpointField, link as linkSchema, node as nodeSchema };
export type Endpoint = z.output<typeof endpoint>;
export type Node = z.output<typeof node>;
export type NodeInput = z.input<typeof node>;
export type End = z.output<typeof end>;
export type Link = z.output<typeof link>;
export type LinkInput = z.input<typeof link>;
export type Part = z.output<typeof partSchema>;
export type Declared = z.output<typeof declaredSchema>;
export type DeclaredInput = z.input<typeof declaredSchema>;
