/**
 * `nft -j list table` back into the words that we write, libnftables-json(5). Only the expressions of our own rules
 * are known here; anything else is printed as its JSON, so that it shows as a line that nobody declared.
 */

type Json = Record<string, unknown>;
type Expression = string | number | Json;

interface Listed {
  table?: { family: string; name: string };
  map?: { family: string; table: string; name: string; type: string; map: string };
  chain?: {
    family: string;
    table: string;
    name: string;
    type?: string;
    hook?: string;
    prio?: number;
    policy?: string;
  };
  rule?: { family: string; table: string; chain: string; expr: Json[] };
}

/** Keywords of `meta` that nft(8) prints without the word meta. */
const BARE_META = ["oifgroup", "oifname", "iifgroup", "iifname"];
/** Of what text is a name and stands in quotes. */
const NAMES = ["oifname", "iifname", "oifkind", "iifkind"];

const unknown = (json: unknown): string => JSON.stringify(json);

function left(json: Expression): { words: string; key?: string } {
  if (typeof json !== "object") return { words: String(json) };
  const {
    meta,
    ct,
    payload,
    exthdr,
    fib,
    concat,
    rt,
    "tcp option": option,
  } = json as {
    meta?: { key: string };
    ct?: { key: string };
    payload?: { protocol: string; field: string } | { base: string; offset: number; len: number };
    exthdr?: { name: string };
    fib?: { result: string; flags: string[] };
    concat?: Expression[];
    rt?: { key: string };
    "tcp option"?: { name: string; field: string };
  };
  if (meta) return { words: BARE_META.includes(meta.key) ? meta.key : `meta ${meta.key}`, key: meta.key };
  if (ct) return { words: `ct ${ct.key}` };
  if (payload && "protocol" in payload) return { words: `${payload.protocol} ${payload.field}` };
  if (payload && "base" in payload) return { words: `@${payload.base},${payload.offset},${payload.len}` };
  if (exthdr) return { words: `exthdr ${exthdr.name}` };
  if (fib) return { words: `fib ${fib.flags.join(" . ")} ${fib.result}` };
  if (rt) return { words: `rt ${rt.key}` };
  if (option) return { words: `tcp option ${option.name} ${option.field}` };
  if (concat) return { words: concat.map((part) => left(part).words).join(" . ") };
  if (Array.isArray(json["&"])) {
    const [operand, mask] = json["&"] as [Expression, number];
    return { words: `${left(operand).words} & 0x${Number(mask).toString(16)}`, key: "mask" };
  }
  return { words: unknown(json) };
}

const words = (json: Expression): string => (typeof json === "object" ? right(json) : String(json));

const byNumberOrName = (a: Expression, b: Expression): number =>
  typeof a === "number" && typeof b === "number" ? a - b : words(a) < words(b) ? -1 : 1;

function right(json: Expression | boolean, key?: string): string {
  if (typeof json === "boolean") return json ? "exists" : "missing";
  if (typeof json === "number") return key === "mask" ? `0x${json.toString(16)}` : String(json);
  if (typeof json === "string") return NAMES.includes(key ?? "") ? `"${json}"` : json;
  // The kernel keeps a set in an order of its own.
  if (Array.isArray(json.set)) return set(json.set.map((element: Expression) => ({ element, key })));
  if (Array.isArray(json.concat)) return json.concat.map((part: Expression) => right(part)).join(" . ");
  const prefix = json.prefix as { addr: string; len: number } | undefined;
  return prefix ? `${prefix.addr}/${prefix.len}` : unknown(json);
}

const set = (elements: { element: Expression; key?: string }[]): string =>
  `{ ${elements
    .sort((a, b) => byNumberOrName(a.element, b.element))
    .map(({ element, key }) => right(element, key))
    .join(", ")} }`;

function statement(json: Json): string {
  const [verb = "", value] = Object.entries(json)[0] ?? [];
  const known = value as { [name: string]: Expression } | null;
  switch (verb) {
    case "match": {
      const { words, key } = left(known?.left ?? "");
      // "in" is of flags: those that are named are set.
      const operator = known?.op === "in" || (known?.op === "==" && key !== "mask") ? "" : `${known?.op} `;
      return `${words} ${operator}${right(known?.right ?? "", key)}`;
    }
    case "counter": {
      const map = known?.map as { key: Expression; data: string } | undefined;
      return map ? `counter name ${left(map.key).words} map ${map.data}` : "counter";
    }
    case "mangle":
      return `${left(known?.key ?? "").words} set ${left(known?.value ?? "").words}`;
    case "jump":
      return `jump ${known?.target}`;
    case "redirect":
      return known?.port === undefined ? "redirect" : `redirect to :${known.port}`;
    case "drop":
    case "masquerade":
    case "accept":
      return verb;
    default:
      return unknown(json);
  }
}

function hook(chain: NonNullable<Listed["chain"]>): string {
  if (chain.hook === undefined) return "";
  return ` { type ${chain.type} hook ${chain.hook} priority ${chain.prio} ; policy ${chain.policy} ; }`;
}

/** Objects that nobody declared: enough of them to see and to delete them. Counters belong to nftElement. */
function undeclared(json: unknown): string[] {
  const [type = "", object] = Object.entries(json as Record<string, Json>)[0] ?? [];
  if (["metainfo", "table", "map", "chain", "rule", "counter"].includes(type) || !object) return [];
  const { family, table, name, handle: _, ...rest } = object;
  return [`add ${type} ${family} ${table} ${name} ${unknown(rest)}`];
}

/** The table, maps by name, chains by name, then each chain's rules in their order. */
export function renderTable(json: unknown[]): string[] {
  const listed = json as Listed[];
  const tables = listed.flatMap(({ table }) => (table ? [`add table ${table.family} ${table.name}`] : []));
  const maps = listed.flatMap(({ map }) =>
    map ? [`add map ${map.family} ${map.table} ${map.name} { type ${map.type} : ${map.map} ; }`] : [],
  );
  const chains = listed.flatMap(({ chain }) => chain ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
  const rules = listed.flatMap(({ rule }) => rule ?? []);
  const rulesOf = ({ name }: { name: string }) =>
    rules
      .filter(({ chain }) => chain === name)
      .map(({ family, table, expr }) => `add rule ${family} ${table} ${name} ${expr.map(statement).join(" ")}`);
  return [
    ...tables,
    ...[...maps, ...json.flatMap(undeclared)].sort(),
    ...chains.map((chain) => `add chain ${chain.family} ${chain.table} ${chain.name}${hook(chain)}`),
    ...chains.flatMap(rulesOf),
  ];
}
