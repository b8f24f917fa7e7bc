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
  const [, object = "", , , name = ""] = line.split(" ", 5);
  return { object, name };
}

const linesOf = (value: NftTable, object: string, name: string): string[] =>
  value.lines.filter((line) => {
    const added = parse(line);
    return added.object === object && added.name === name;
  });

const chainsOf = (value: NftTable): string[] =>
  value.lines.flatMap((line) => (parse(line).object === "chain" ? [parse(line).name] : []));

/** Maps and whatever else there is: by the line, because they cannot change in place. */
const objectsOf = (value: NftTable): string[] =>
  value.lines.filter((line) => !["table", "chain", "rule"].includes(parse(line).object));

const without = (lines: string[], others: string[]): string[] => lines.filter((line) => !others.includes(line));
const same = (a: string[], b: string[]): boolean => a.join("\n") === b.join("\n");

/** Chains are written anew one by one: maps with their elements, and counters with their counts, stay. */
function change(live: NftTable, wanted: NftTable): string[] {
  if (same(live.lines, wanted.lines)) return [];
  const differs = (name: string, ...objects: string[]) =>
    objects.some((object) => !same(linesOf(live, object, name), linesOf(wanted, object, name)));
  const before = chainsOf(live);
  const after = chainsOf(wanted);
  const [gone, added] = [without(objectsOf(live), objectsOf(wanted)), without(objectsOf(wanted), objectsOf(live))];
  return [
    ...before.filter((name) => differs(name, "chain", "rule")).map((name) => `flush chain ${id(live)} ${name}`),
    ...before.filter((name) => differs(name, "chain")).map((name) => `delete chain ${id(live)} ${name}`),
    ...gone.map(parse).map(({ object, name }) => `delete ${object} ${id(live)} ${name}`),
    ...added,
    ...after
      .filter((name) => differs(name, "chain"))
      // What is undone may never have been done: then the chain is there, and has its rules.
      .flatMap((name) => [...linesOf(wanted, "chain", name), `flush chain ${id(live)} ${name}`]),
    ...after.filter((name) => differs(name, "chain", "rule")).flatMap((name) => linesOf(wanted, "rule", name)),
  ];
}

/** A map that is another stands in the way of the one that is wanted, and rules and elements stand on it. */
const replaces = (live: NftTable, wanted: NftTable): boolean => {
  const names = objectsOf(live).map((line) => parse(line).name);
  return without(objectsOf(wanted), objectsOf(live)).some((line) => names.includes(parse(line).name));
};

export const nftTable: Kind<NftTable> = {
  volatile: true,
  key: id,
  lines: (value) => value.lines.map((line) => `nft ${line}`),
  queries: (value) => [`table ${id(value)}`],
  read(snapshot, key) {
    const [, name = ""] = key.split(" ");
    const json = snapshot.nft[key];
    return json && { family: "inet", name, lines: renderTable(json) };
  },
  set(live, wanted) {
    if (!wanted) return live ? [`nft delete table ${id(live)}`] : [];
    if (!live) return nftTable.lines(wanted);
    return replaces(live, wanted) ? "again" : change(live, wanted).map((line) => `nft ${line}`);
  },
};
