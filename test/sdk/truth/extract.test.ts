import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Document } from "../../../sdk/truth/document";
import { extracts, MAX_EXTRACT, sameExtract } from "../../../sdk/truth/extract";
import { peerOf } from "../../../sdk/truth/peer";
import type { LinkInput, NodeInput } from "../../../sdk/truth/schema";
import { expectGolden, golden } from "../golden";
import { documentOf, keyOf, node, part, sound, twoStacks } from "./arbitrary";

const masked = (text: string): string =>
  text.replaceAll(/[A-Za-z0-9+/]{43}=/g, (key) => `<key-${[1, 2, 3, 4, 5, 7, 9].find((id) => keyOf(id) === key)}>`);

test("what each stack says to each host: the whole texts", () => {
  const document = sound(twoStacks());
  const all = ["edge/prod", "net/prod"].flatMap((stack) => [...extracts(document, stack).values()]);
  expectGolden(join(golden, "truth/extracts.txt"), masked(all.join("\n")));
});

test("a host is told of its own links alone", () => {
  const document = sound(twoStacks());
  const text = extracts(document, "net/prod").get("hkg") ?? "";
  expect(text).toContain("peer ");
  expect(text).not.toMatch(/fra|nas|van|192\.0\.2\.2|home\.example\.net/);
  for (const id of [2, 3, 4, 5]) expect(text).not.toContain(keyOf(id));
  expect(extracts(document, "edge/prod").has("hkg")).toBe(false);
});

test("awk reads it word by word, and sees where it ends", () => {
  for (const text of extracts(sound(twoStacks()), "edge/prod").values()) {
    const out = execFileSync("awk", ['NF == 0 { exit 1 } $1 == "end" { print ($2 == NR - 1) } END { print NR }'], {
      input: text,
    });
    expect(String(out)).toBe(`1\n${text.split("\n").length - 1}\n`);
  }
});

const pair = (a: Partial<NodeInput>, b: Partial<NodeInput>, link: Partial<LinkInput> = {}) => {
  const ends = [
    { node: "a", device: "to-b", port: 11002 },
    { node: "b", device: "to-a", port: 11001 },
  ];
  const nodes = { a: node(1, a), b: node(2, b) };
  return extracts(sound(documentOf({ "net/prod": part({ nodes, links: { l: { ends, ...link } } }) })), "net/prod");
};
const roles = (texts: Map<string, string>) =>
  ["a", "b"].map((name) => /^peer .* (\w+)$/m.exec(texts.get(name) ?? "")?.[1]);
const none = { endpoints: [] };
const v6 = { endpoints: [{ address: "2001:db8::5" }] };

test.each<[string, Map<string, string>, string[]]>([
  ["both can be called: the lower id", pair({}, {}), ["chooser", "follower"]],
  ["only b can be called", pair(none, {}), ["chooser", "follower"]],
  ["only a can be called", pair({}, none), ["follower", "chooser"]],
  ["only a can be called in the link's family", pair({}, v6, { family: "inet" }), ["follower", "chooser"]],
  ["nobody can", pair(none, none, { relay: "c", allowPlaintext: true }), ["follower", "follower"]],
  ["named", pair({}, {}, { chooser: "b" }), ["follower", "chooser"]],
])("one end chooses: %s", (_, texts, expected) => expect(roles(texts)).toEqual(expected));

test("the two sides of a link that two stacks tell of agree on who chooses", () => {
  const document = sound(twoStacks());
  const role = (stack: string, host: string) =>
    / (\w+)$/m.exec(/^peer .*$/m.exec(extracts(document, stack).get(host) ?? "")?.[0] ?? "")?.[1];
  expect([role("edge/prod", "lux"), role("net/prod", "fra")]).toEqual(["chooser", "follower"]);
});

test("a mesh is one line of the document, and each of its nodes is told of the others", () => {
  const nodes = { a: node(1), b: node(2), c: node(3, none) };
  const ends = Object.keys(nodes).map((name, index) => ({ node: name, device: "mesh", port: 11001 + index }));
  const texts = extracts(sound(documentOf({ "net/prod": part({ nodes, links: { mesh: { ends } } }) })), "net/prod");
  const peers = (name: string) => texts.get(name)?.match(/(?<=^peer .* mesh ).*$/gm);
  expect(peers("a")).toEqual(["b chooser", "c follower"]);
  expect(peers("c")).toEqual(["a chooser", "b chooser"]);
  // Another stack's node has told of no end yet.
  const across = [...ends.slice(0, 2), { node: "x" }];
  const theirs = { "edge/prod": part({ nodes: { x: node(9) } }) };
  const both = {
    "net/prod": part({ nodes: { a: nodes.a, b: nodes.b }, links: { mesh: { ends: across } } }),
    ...theirs,
  };
  expect(
    extracts(sound(documentOf(both)), "net/prod")
      .get("x")
      ?.match(/^peer .*$/gm),
  ).toEqual([expect.stringMatching(/ mesh a follower$/), expect.stringMatching(/ mesh b follower$/)]);
});

test("a pair by way of a relay: each end is told of the relay's key towards it, and of the least MTU of the way beyond", () => {
  const own = { publicKey: keyOf(9) };
  const nodes = { a: node(1, none), b: node(2, none), r: node(7) };
  const leg = (name: string, mtu?: number, key = {}) => ({
    ends: [
      { node: name, device: "to-r", port: 11007 },
      { node: "r", device: `to-${name}`, port: 11001, ...key },
    ],
    ...(mtu !== undefined && { mtu }),
  });
  const relayed = { ends: [{ node: "a" }, { node: "b" }], relay: "r", allowPlaintext: true as const };
  const said = (links: Record<string, LinkInput>) => {
    const texts = extracts(sound(documentOf({ "net/prod": part({ nodes, links }) })), "net/prod");
    return ["a", "b"].map((name) => masked(/^relay .*$/m.exec(texts.get(name) ?? "")?.[0] ?? ""));
  };
  expect(said({ relayed, ra: leg("a", 1400), rb: leg("b", 1380), wide: leg("b", 1420) })).toEqual([
    "relay <key-2> <key-7> b r 7 1380",
    "relay <key-1> <key-7> a r 7 1400",
  ]);
  expect(said({ relayed, ra: leg("a", undefined, own), rb: leg("b") })).toEqual([
    "relay <key-2> <key-9> b r 7",
    "relay <key-1> <key-7> a r 7",
  ]);
});

test("of a pair that has a link as well as a relay nothing else is said of the link", () => {
  const ends = ["fra", "lux"].map((node) => ({ node, alsoPorts: [] }));
  const relayed = { "fra-lux-by-hkg": { ends, relay: "hkg", allowPlaintext: true as const, chooser: "fra" } };
  const documented = () => {
    const document = sound(twoStacks());
    Object.assign(document.stacks["edge/prod"]?.links["lux-fra"]?.ends[0] ?? {}, { port: 7001 });
    return document;
  };
  const link = (document: Document) => ({
    texts: Object.keys(document.stacks).map((stack) =>
      [...extracts(document, stack).values()].join("").replaceAll(/^(relay|end) .*\n/gm, ""),
    ),
    peer: peerOf(document, "fra", { name: "lux", id: 1 }),
  });
  const alone = link(documented());
  expect(alone.peer).toMatchObject({ endpoint: "192.0.2.2:7001" });
  for (const order of [(it: object) => ({ ...it, ...relayed }), (it: object) => ({ ...relayed, ...it })]) {
    const document = documented();
    for (const part of Object.values(document.stacks)) Object.assign(part, { links: order(part.links) });
    expect(extracts(document, "edge/prod").get("lux")).toMatch(/^relay \S+ \S+ fra hkg 3$/m);
    expect(link(document)).toEqual(alone);
  }
});

test("a peer of a mesh is called at the mesh's port, which its stack may not have told of yet; of a link at the link's", () => {
  const lux = { name: "lux", id: 1 };
  const nyc = { name: "nyc", id: 3 };
  const mesh = (...others: string[]) => ({
    ends: [{ node: "fra", device: "mesh", port: 51820 }, ...others.map((node) => ({ node }))],
  });
  const link = (other: string) => ({ ends: [{ node: "fra", device: `to-${other}`, port: 7001 }, { node: other }] });
  const at = (links: Record<string, LinkInput>, towards: typeof lux | (typeof lux)[]) => {
    const nodes = { fra: node(2, { portBase: 20_000, endpoints: [{ address: "192.0.2.2" }] }) };
    return peerOf(sound(documentOf({ "edge/prod": part({ nodes, links }) })), "fra", towards)?.endpoint;
  };
  expect([at({}, lux), at({}, [lux]), at({}, [lux, nyc])]).toEqual([
    "192.0.2.2:20001",
    "192.0.2.2:20002",
    "192.0.2.2:20002",
  ]);
  const both = { a: link("lux"), b: mesh("lux", "nyc") };
  for (const links of [both, { a: both.b, b: both.a }]) {
    expect([at(links, lux), at(links, [lux, nyc])]).toEqual(["192.0.2.2:7001", "192.0.2.2:51820"]);
  }
  // One node more than fra's stack knows of; and a mesh in place of a link.
  expect(at({ a: mesh("lux", "hkg") }, [nyc, lux])).toBe("192.0.2.2:51820");
  expect(at({ a: link("lux") }, [nyc, lux])).toBe("192.0.2.2:20002");
  expect(at({ a: mesh("lux") }, [nyc])).toBe("192.0.2.2:20002");
});

test("ports: the link's, then those that are redirected to it; or those few that lead there", () => {
  const few = { endpoints: [{ address: "192.0.2.9" }, { address: "192.0.2.8", ports: [443, 4500], cost: 5 }] };
  const ends = [
    { node: "a", device: "to-b", port: 11002 },
    { node: "b", device: "to-a", port: 500, alsoPorts: [53, 123] },
  ];
  const lines = pair({}, few, { ends })
    .get("a")
    ?.match(/^endpoint .*$/gm)
    ?.map((line) => line.split(" ").slice(2).join(" "));
  expect(lines).toEqual(["192.0.2.9 500 0", "192.0.2.9 53 0", "192.0.2.9 123 0", "192.0.2.8 4500 5"]);
});

test("a write that says nothing else to a host says the same but for its serial", () => {
  const at = (serial: number): string => {
    const ends = [
      { node: "a", device: "to-b", port: 11002 },
      { node: "b", device: "to-a", port: 11001 },
    ];
    const said = part({ nodes: { a: node(1), b: node(2) }, links: { l: { ends } }, serial });
    return extracts(sound(documentOf({ "net/prod": said })), "net/prod").get("a") ?? "";
  };
  expect(at(1)).not.toBe(at(2));
  expect(sameExtract(at(1), at(2))).toBe(true);
  expect(sameExtract(at(1), at(2).replace("chooser", "follower"))).toBe(false);
});

/** A star around one hub, and a ring. */
function large(count: number) {
  const names = Array.from({ length: count }, (_, index) => `n${index}`);
  const nodes = Object.fromEntries(names.map((name, index) => [name, node(index + 1, { publicKey: keyOf(index) })]));
  const link = (a: number, b: number) => ({
    ends: [
      { node: names[a] ?? "", device: `d${b}`, port: 11000 + b },
      { node: names[b] ?? "", device: `d${a}`, port: 11000 + a },
    ],
  });
  const links = Object.fromEntries(
    names.slice(1).flatMap((name, index) => [
      [`hub-${name}`, link(0, index + 1)],
      [`${name}-next`, link(index + 1, ((index + 1) % (count - 1)) + 1)],
    ]),
  );
  return sound(documentOf({ "net/prod": part({ nodes, links }) }));
}

test("the extracts of 1,000 nodes are made in a time that grows with their number", () => {
  const cost = (count: number): number => {
    const document = large(count);
    extracts(document, "net/prod");
    const times = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      const texts = extracts(document, "net/prod");
      expect(texts.size).toBe(count);
      for (const text of texts.values()) expect(text.length).toBeLessThan(MAX_EXTRACT);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    return Math.min(...times);
  };
  const [few, many] = [cost(250), cost(1000)];
  // Four times as many: 16 times the work if it were quadratic.
  expect(many).toBeLessThan(Math.max(few, 5) * 10);
  expect(many).toBeLessThan(1000);
});
