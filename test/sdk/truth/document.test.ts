import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { formatWithCodes } from "../../../sdk/faults";
import { MAX_BYTES, parseDocument, payload, print } from "../../../sdk/truth/document";
import { joiningFaults } from "../../../sdk/truth/faults";
import { expectGolden, golden } from "../golden";
import { documentOf, documents, keyOf, node, part, reordered, sound, twoStacks } from "./arbitrary";

const faultsOf = (value: unknown): string => {
  const result = parseDocument(typeof value === "string" ? value : JSON.stringify(value));
  return "faults" in result ? formatWithCodes(result.faults) : "no faults";
};

test("the whole text: one node or link a line", () => {
  const text = print(sound(twoStacks()));
  const shown = text.replaceAll(
    /[A-Za-z0-9+/]{43}=/g,
    (key) => `<key ${[1, 2, 3, 4, 5].find((id) => keyOf(id) === key)}>`,
  );
  expectGolden(join(golden, "truth/document.txt"), shown);
});

test("what is printed is parsed as the same, and printed as the same again", () => {
  fc.assert(
    fc.property(documents, (value) => {
      const document = sound(value);
      const again = parseDocument(print(document));
      expect(again).toEqual({ value: document });
      expect(print(sound(JSON.parse(print(document))))).toBe(print(document));
    }),
  );
});

test("the text does not depend on the order in which anything was written", () => {
  fc.assert(
    fc.property(
      documents.chain((value) => fc.tuple(fc.constant(value), reordered(value))),
      ([value, other]) => expect(print(sound(other as object))).toBe(print(sound(value))),
    ),
  );
});

test("a node that changes is one line of the text", () => {
  const other = twoStacks();
  other.stacks = {
    ...other.stacks,
    "net/prod": part({
      ...(other.stacks["net/prod"] as object),
      nodes: { ...Object(other.stacks["net/prod"]).nodes, hkg: node(7) },
    }),
  };
  const [before, after] = [twoStacks(), other].map((it) => print(sound(it)).split("\n"));
  expect(after?.filter((line) => !before?.includes(line))).toEqual([expect.stringMatching(/^"hkg":\{.*"id":7,/)]);
});

test.each([
  [
    "cut off",
    (text: string) => text.slice(0, 300),
    /a whole document, as .* and it is cut off \(300 bytes\); `overlay truth log` shows/,
  ],
  ["no JSON", (text: string) => text.replace('"lux"', "lux"), /and it is not JSON/],
  ["empty", () => "", /and it is cut off \(0 bytes\)/],
  ["huge", (text: string) => text + " ".repeat(MAX_BYTES), /a document of at most 16777216 bytes, and this has 1677/],
  [
    "from the future",
    (text: string) => text.replaceAll('"version":1', '"version":2'),
    /^version: found 2, legal is at most 1, .*; update pulumi-overlay here/,
  ],
  ["of another kind", () => "[1]", /legal is an object/],
])("a document that is %s is refused with a cure", (_, change, said) => {
  expect(faultsOf(change(print(sound(twoStacks()))))).toMatch(said);
});

test("a part from the future is named, whoever else's are of today", () => {
  const future = documentOf({ "net/prod": part(), "edge/prod": { version: 7, shape: "unknown" } });
  expect(faultsOf(future)).toBe(
    'stacks["edge/prod"].version: found 7, legal is at most 1, which is what this version of pulumi-overlay knows; update pulumi-overlay here, or write that part with this version. [truth/version]',
  );
});

test("a part of an older version is read as one of today, and stays as it was signed", () => {
  const old = { ...part({ nodes: { lux: node(1) } }), hosts: undefined as unknown };
  const { nodes, hosts: _, ...rest } = old;
  const text = JSON.stringify(documentOf({ "net/prod": { ...rest, hosts: nodes } }));
  const migrations = [({ hosts, ...part }: Record<string, unknown>) => ({ ...part, nodes: hosts })];
  const result = parseDocument(text, migrations);
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  const migrated = result.value.stacks["net/prod"];
  expect(Object.keys(migrated?.nodes ?? {})).toEqual(["lux"]);
  expect(print(result.value)).toContain('"hosts":{"lux":{');
  expect(migrated && payload(result.value, "net/prod", migrated)).toContain('"hosts":{"lux":{');
});

test("all faults at once, each with its place, what was found and a cure", () => {
  const wrong = documentOf({
    "net/prod": part({
      nodes: {
        lux: node(1, {
          endpoints: [{ address: "10.255.0.9" }, { address: "100.64.1.1" }, { address: "127.0.0.1" }, { name: "home" }],
        }),
        fra: node(2, {
          endpoints: [
            { address: "203.0.113.5", name: "home.example.net" },
            { address: "203.0.113.5", family: "inet6" },
          ],
        }),
        tub: node(9, { endpoints: [{ address: "fd00:6f::77" }] }),
      },
      links: {
        alone: { ends: [{ node: "tub", device: "wg0", port: 1 }] },
        strange: { ends: [{ node: "x" }, { node: "y" }] },
        bare: { ends: [{ node: "tub" }, { node: "hkg", device: "wg1", port: 11009 }] },
        led: { ends: [{ node: "tub", device: "wg2", port: 11001 }, { node: "hkg" }], chooser: "lux" },
        relayed: { ends: [{ node: "tub" }, { node: "hkg" }], relay: "tub" },
      },
    }),
    "edge/prod": part({ nodes: { tub: node(10), hkg: node(9, { addresses: ["10.255.3.3"] }) } }),
    "edge.prod/x": part(),
    "edge/prod/x": part(),
  });
  expectGolden(join(golden, "truth/faults.txt"), `${faultsOf(wrong)}\n`);
});

test("no key is in what is said of it", () => {
  const privateKey = createHash("sha256").update("a").digest("base64");
  const said = faultsOf(
    documentOf({
      "net/prod": part({
        nodes: {
          lux: node(1, { publicKey: `${privateKey}=` }),
          fra: node(2, { publicKey: keyOf(1) }),
          hkg: node(3, { publicKey: keyOf(1) }),
        },
      }),
    }),
  );
  expect(said).toMatch(/publicKey: legal is a WireGuard public key/);
  expect(said).not.toMatch(/[A-Za-z0-9+/]{43}=/);
});

describe("what a stack is about to say", () => {
  const { stacks } = sound(twoStacks());
  const { "net/prod": prod, "edge/prod": edge } = stacks;
  if (!prod || !edge) throw new Error("two stacks");
  const others = new Map([["edge/prod", edge]]);
  const link = prod.links["lux-fra"];
  const said = (declared: object) => formatWithCodes(joiningFaults("net/prod", { ...prod, ...declared }, others));

  test("is right as it is", () => expect(said({})).toBe(""));
  test("names no node of another stack", () => {
    expect(said({ nodes: { ...prod.nodes, fra: edge.nodes.fra } })).toBe(
      "nodes.fra: legal is a node of net/prod, and fra belongs to edge/prod; leave fra to edge/prod, or name yours otherwise. [input/duplicate]",
    );
  });
  test("links to nodes that there are", () => {
    expect(said({ links: { x: { ...link, ends: [{ node: "lux" }, { node: "fre" }] } } })).toMatch(
      /^links.x: found "fre", legal is nodes of the network, such as fra, hkg, lux, nas, van; correct the name, or run/,
    );
  });
  test("has somebody to call", () => {
    const silent = { ...prod.nodes.lux, endpoints: [] };
    expect(said({ nodes: { lux: silent, hkg: silent } })).toMatch(
      /^links.lux-hkg: legal is an endpoint on one of its nodes/,
    );
  });
  test("agrees on who chooses", () => {
    const theirs = new Map([
      ["edge/prod", { ...edge, links: { other: { ...edge.links["lux-fra"], chooser: "fra" } as never } }],
    ]);
    const declared = { ...prod, links: { "lux-fra": { ...link, chooser: "lux" } as never } };
    expect(formatWithCodes(joiningFaults("net/prod", declared, theirs))).toBe(
      'links.lux-fra.chooser: found "lux", legal is fra, whom edge/prod names: one end chooses, or both pull at each other; agree on one, or leave it out. [input/conflict]',
    );
  });
});
