/**
 * The nftables part of the model: tables as `nft -j list table` shows them. How nft(8) turns a rule's words into JSON is
 * not modelled but looked up in what the real one printed (golden/captured/nft-variants.json); a rule that is not there
 * is an error of the test.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderTable } from "../../sdk/kernel/nftJson";

type Json = Record<string, unknown>;
interface Table {
  maps: Map<string, { type: string; data: string; elements: Map<number, string> }>;
  counters: Set<string>;
  chains: Map<string, { words: string; json: Json; rules: Json[][] }>;
}

const captured = JSON.parse(
  readFileSync(join(__dirname.replace("/dist/test/", "/test/"), "../golden/captured/nft-variants.json"), "utf8"),
) as {
  [object: string]: Json;
}[];

/** The words of a captured object, without its table's name, and its JSON. */
const known = new Map<string, Json>(
  captured.flatMap((object) => {
    const inner = object.chain ?? object.rule;
    if (!inner) return [];
    const chain = { chain: { family: "inet", table: "t", name: inner.chain } };
    const line = renderTable(object.chain ? [object] : [chain, object]).at(-1) ?? "";
    return [[line.split(" ").slice(5).join(" "), inner]];
  }),
);

/** Rules that hands may add anywhere; the kernel takes a redirect, a look for the way back and an MTU only where a hook fits. */
export const knownRules: string[] = [...known].flatMap(([words, json]) =>
  json.expr && !/redirect|fib saddr|rt mtu/.test(words) ? [words] : [],
);

/** Three members of a segment, as they were captured. */
const MEMBERS = { ".": ["10.255.0.1", "10.255.0.2", "10.255.0.3"], ":": ["fd00:6f::1", "fd00:6f::2", "fd00:6f::3"] };

/** A set of more addresses than were captured: it is printed as one of three is. */
function ofMore(words: string): Json | undefined {
  const [set = "", all = ""] = /\{ ([\da-f.:]+(?:, [\da-f.:]+)+) \}/.exec(words) ?? [];
  const three = MEMBERS[all.includes(":") ? ":" : "."];
  const json = set && known.get(words.replace(set, `{ ${three.join(", ")} }`));
  return json
    ? JSON.parse(JSON.stringify(json).replace(JSON.stringify(three), JSON.stringify(all.split(", "))))
    : undefined;
}

function lookUp(words: string): Json {
  const json = known.get(words) ?? ofMore(words);
  if (!json) throw new Error(`nft-variants.json has no "${words}"`);
  return json;
}

/** Of all that changes in place. */
const copy = ({ maps, counters, chains }: Table): Table => ({
  maps: new Map([...maps].map(([name, map]) => [name, { ...map, elements: new Map(map.elements) }])),
  counters: new Set(counters),
  chains: new Map([...chains].map(([name, chain]) => [name, { ...chain, rules: [...chain.rules] }])),
});

export class NftModel {
  private tables = new Map<string, Table>();

  /** One transaction: all of it or nothing. */
  run(lines: string[]): void {
    const before = new Map([...this.tables].map(([id, table]) => [id, copy(table)]));
    try {
      for (const line of lines) this.one(line);
    } catch (error) {
      this.tables = before;
      throw error;
    }
  }

  private table(id: string): Table {
    const table = this.tables.get(id);
    if (!table) throw new Error(`nft: no table ${id}`);
    return table;
  }

  private one(line: string): void {
    const [verb, object, family, name, ...rest] = line.split(" ");
    const id = `${family} ${name}`;
    const [inner = "", ...words] = rest;
    const said = `${verb} ${object}`;
    if (said === "add table") {
      if (!this.tables.has(id)) this.tables.set(id, { maps: new Map(), counters: new Set(), chains: new Map() });
    } else if (said === "delete table") {
      this.table(id);
      this.tables.delete(id);
    } else if (said === "add map") {
      const [, , type = "", , data = ""] = words;
      this.table(id).maps.set(inner, { type, data, elements: new Map() });
    } else if (said === "delete map") {
      this.remove(this.table(id).maps.delete(inner), line);
    } else if (said === "add counter") {
      this.table(id).counters.add(inner);
    } else if (said === "delete counter") {
      const used = [...this.table(id).maps.values()].some(({ elements }) => [...elements.values()].includes(inner));
      this.remove(!used && this.table(id).counters.delete(inner), line);
    } else if (said === "add element" || said === "delete element") {
      this.element(this.table(id), said, inner, words, line);
    } else if (object === "chain") {
      this.chain(this.table(id), `${verb}`, inner, words.join(" "), line);
    } else if (said === "add rule" || said === "insert rule") {
      this.rule(this.table(id), inner, lookUp(words.join(" ")).expr as Json[], verb === "insert", line);
    } else {
      throw new Error(`the model has no nft ${line}`);
    }
  }

  private remove(done: boolean, line: string): void {
    if (!done) throw new Error(`nft: no such thing, or in use: ${line}`);
  }

  private element(table: Table, said: string, name: string, words: string[], line: string): void {
    const map = table.maps.get(name);
    const key = Number(words[1]);
    if (said === "delete element") {
      this.remove(map?.elements.delete(key) ?? false, line);
      return;
    }
    const counter = JSON.parse(words[3] ?? "") as string;
    const taken = map?.elements.get(key) ?? counter;
    if (!map || !table.counters.has(counter) || taken !== counter) throw new Error(`nft: cannot ${line}`);
    map.elements.set(key, counter);
  }

  private chain(table: Table, verb: string, name: string, words: string, line: string): void {
    const chain = table.chains.get(name);
    if (verb === "add") {
      if (!chain) table.chains.set(name, { words, json: words === "" ? {} : lookUp(words), rules: [] });
    } else if (verb === "flush" && chain) {
      chain.rules = [];
    } else if (verb === "delete") {
      const jumps = [...table.chains.values()].flatMap(({ rules }) => rules.flat());
      const used = jumps.some(({ jump }) => (jump as { target?: string } | undefined)?.target === name);
      this.remove(chain?.rules.length === 0 && !used && table.chains.delete(name), line);
    } else {
      throw new Error(`nft: cannot ${line}`);
    }
  }

  private rule(table: Table, name: string, rule: Json[], first: boolean, line: string): void {
    const chain = table.chains.get(name);
    if (!chain) throw new Error(`nft: cannot ${line}`);
    if (first) chain.rules.unshift(rule);
    else chain.rules.push(rule);
  }

  /** What the snapshot holds: the array under "nftables" of each table. */
  list(): Record<string, unknown[]> {
    return Object.fromEntries(
      [...this.tables].map(([id, { maps, counters, chains }]) => {
        const [family, table] = id.split(" ");
        const at = { family, table };
        return [
          id,
          [
            { table: { family, name: table } },
            ...[...counters].map((name) => ({ counter: { ...at, name, packets: 0, bytes: 0 } })),
            ...[...maps].map(([name, { type, data, elements }]) => ({
              map: { ...at, name, type, map: data, ...(elements.size > 0 && { elem: [...elements] }) },
            })),
            ...[...chains].map(([name, { json }]) => ({ chain: { ...json, ...at, name } })),
            ...[...chains].flatMap(([chain, { rules }]) => rules.map((expr) => ({ rule: { ...at, chain, expr } }))),
          ],
        ];
      }),
    );
  }
}
