/** One of our nft tables, nft(8): its maps, chains and rules. Elements and counters belong to nftElement. */
import type { Kind } from "./fact";
import { renderTable } from "./nftJson";

export interface NftTable {
  family: "inet";
  name: string;
  /** Whole commands without the word nft: the table, then maps, then chains, then the rules chain by chain. */
  lines: string[];
}

const id = (value: NftTable): string => `${value.family} ${value.name}`;

/** What a line adds: `add rule inet overlay guard …` is a rule of chain guard, `add map inet overlay guard …` a map. */
function parse(line: string): { object: string; name: string } {
  const [, object = "", , , name = ""] = line.split(" ");
  return { object, name };
}

const chainsOf = (value: NftTable): string[] =>
  value.lines
    .map(parse)
    .filter(({ object }) => object === "chain")
    .map(({ name }) => name);

const linesOf = (value: NftTable, object: string, name: string): string[] =>
  value.lines.filter((line) => {
    const added = parse(line);
    return added.object === object && added.name === name;
  });

const same = (a: string[], b: string[]): boolean => a.join("\n") === b.join("\n");

/** Chains are written anew one by one: maps with their elements, and counters with their counts, stay. */
function change(live: NftTable, wanted: NftTable): string[] {
  const before = chainsOf(live);
  const after = chainsOf(wanted);
  const differs = (name: string, ...objects: string[]) =>
    objects.some((object) => !same(linesOf(live, object, name), linesOf(wanted, object, name)));

  const emptied = before.filter((name) => differs(name, "chain", "rule"));
  const deleted = before.filter((name) => differs(name, "chain"));
  const added = after.filter((name) => differs(name, "chain"));
  const filled = after.filter((name) => differs(name, "chain", "rule"));
  return [
    ...emptied.map((name) => `flush chain ${id(live)} ${name}`),
    ...deleted.map((name) => `delete chain ${id(live)} ${name}`),
    ...added.flatMap((name) => linesOf(wanted, "chain", name)),
    ...filled.flatMap((name) => linesOf(wanted, "rule", name)),
  ];
}

const others = (value: NftTable): string[] =>
  value.lines.filter((line) => !["table", "chain", "rule"].includes(parse(line).object));

export const nftTable: Kind<NftTable> = {
  volatile: true,
  key: id,
  lines: (value) => value.lines.map((line) => `nft ${line}`),
  read(snapshot, key) {
    const [, name = ""] = key.split(" ");
    const json = snapshot.nft[key];
    return json && { family: "inet", name, lines: renderTable(json) };
  },
  set(live, wanted) {
    if (!wanted) return live ? [`nft delete table ${id(live)}`] : [];
    if (!live) return nftTable.lines(wanted);
    // A map or set that is another cannot change its type in place.
    if (!same(others(live), others(wanted))) return "again";
    return change(live, wanted).map((line) => `nft ${line}`);
  },
};
