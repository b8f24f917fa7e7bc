/** Documents at random, and one to look at. */
import fc from "fast-check";
import { type Document, parseDocument } from "../../../sdk/truth/document";
import type { LinkInput, NodeInput } from "../../../sdk/truth/schema";
import { publicKeys } from "../publicKeys";

const KEYS = publicKeys(1200);
export const keyOf = (id: number): string => KEYS[id % KEYS.length] as string;

type PartInput = { nodes?: Record<string, NodeInput>; links?: Record<string, LinkInput>; [field: string]: unknown };

export const node = (id: number, more: Partial<NodeInput> = {}): NodeInput => ({
  id,
  publicKey: keyOf(id),
  addresses: [`10.255.${Math.floor(id / 250)}.${(id % 250) + 1}`, `fd00:6f::${id.toString(16)}`],
  endpoints: [{ address: `203.0.${Math.floor(id / 250)}.${(id % 250) + 1}` }],
  ...more,
});

export const part = ({ nodes = {}, links = {}, ...more }: PartInput = {}) => ({
  version: 1,
  serial: 1,
  at: "2026-11-03T10:00:00Z",
  prefixes: ["10.255.0.0/16", "fd00:6f::/48"],
  nodes,
  links,
  signature: "",
  ...more,
});

export const documentOf = (stacks: Record<string, unknown>, more: object = {}) => ({
  version: 1,
  network: "prod",
  identity: "00112233445566778899aabbccddeeff",
  serial: 1,
  stacks,
  ...more,
});

/** The document of a value that has no faults. */
export function sound(value: object): Document {
  const result = parseDocument(JSON.stringify(value));
  if ("faults" in result) throw new Error(JSON.stringify(result.faults, null, 1));
  return result.value;
}

/** Two stacks, a link between them that each has told its side of, and a pair that goes by a relay. */
export const twoStacks = () =>
  documentOf({
    "net/prod": part({
      nodes: {
        lux: node(1, { endpoints: ["198.51.100.7", "2001:db8::7"].map((address) => ({ address })) }),
        hkg: node(3),
      },
      links: {
        "lux-fra": { ends: [{ node: "lux", device: "inter-fra", port: 11002, alsoPorts: [443] }, { node: "fra" }] },
        "lux-hkg": {
          ends: [
            { node: "lux", device: "inter-hkg", port: 11003 },
            { node: "hkg", device: "inter-lux", port: 11001 },
          ],
        },
      },
    }),
    "edge/prod": part({
      prefixes: ["10.255.0.0/16"],
      nodes: {
        fra: node(2, {
          endpoints: [
            { name: "home.example.net", ports: [443, 4500], family: "inet", cost: 20 },
            { address: "192.0.2.2", cost: 10 },
          ],
        }),
        nas: node(4, { endpoints: [] }),
        van: node(5, { endpoints: [] }),
      },
      links: {
        "lux-fra": { ends: [{ node: "fra", device: "wg-lux", port: 11001 }, { node: "lux" }] },
        "nas-van": { ends: [{ node: "nas" }, { node: "van" }], relay: "lux", allowPlaintext: true },
      },
    }),
  });

const shuffled = <T>(values: T[]): fc.Arbitrary<T[]> => fc.shuffledSubarray(values, { minLength: values.length });

/** The same value with the fields of its objects in another order. */
export const reordered = (value: unknown): fc.Arbitrary<unknown> => {
  if (Array.isArray(value)) return fc.tuple(...value.map(reordered));
  if (typeof value !== "object" || value === null) return fc.constant(value);
  return shuffled(Object.entries(value)).chain((entries) =>
    fc
      .tuple(...entries.map(([, inner]) => reordered(inner)))
      .map((inners) => Object.fromEntries(entries.map(([name], index) => [name, inners[index]]))),
  );
};

const endpoints = fc.array(
  fc.oneof(
    fc.record({ address: fc.constantFrom("203.0.113.5", "2001:db8::5", "198.51.100.9"), cost: fc.nat(3) }),
    fc.record({
      name: fc.constantFrom("home.example.net", "Van.Example.NET"),
      ports: fc.constantFrom<number[]>([443], [1, 2]),
    }),
  ),
  { maxLength: 3 },
);

/** Documents of up to three stacks, with nodes of their own and links between them. */
export const documents: fc.Arbitrary<ReturnType<typeof documentOf>> = fc
  .array(fc.array(endpoints, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .chain((stacks) => {
    const names = stacks.map((nodes, stack) => nodes.map((_, index) => `n${stack}-${index}`));
    const parts = stacks.map((nodes, stack) => {
      const own = names[stack] ?? [];
      const made = Object.fromEntries(
        nodes.map((at, index) => [own[index], node(1 + stack * 10 + index, { endpoints: at })]),
      );
      const links = Object.fromEntries(
        own.slice(1).map((name, index) => [
          `${own[0]}-${name}`,
          {
            ends: [own[0] ?? "", name].map((it) => ({ node: it, device: `to-${index}`, port: 11000 + index })),
            ...(index % 2 === 0 && { chooser: name }),
          },
        ]),
      );
      return [`net/s${stack}`, part({ nodes: made, links, serial: stack + 1 })] as const;
    });
    return fc.nat(100).map((serial) => documentOf(Object.fromEntries(parts), { serial: serial + 1 }));
  });
