import type {
  AddrJson,
  ClosedChain,
  Exchange,
  FdbJson,
  LinkJson,
  NeighbourJson,
  RouteJson,
  RuleJson,
  Snapshot,
  UnitState,
} from "../kernel/snapshot";
import { parseWgDump } from "../kernel/wg";
import { describeConnection } from "./connection";
import { HostError } from "./errors";
import type { Operation, RunOptions, Session } from "./session";
import type { Result } from "./shell";

/**
 * Looks at a host. Queries ask for what a snapshot does not always show, one each:
 * `sysctl net/ipv4/ip_forward`, `file /etc/overlay/owner`, `unit overlay-late.service`, `enabled overlay-late.service`,
 * `key PATH`, `command wg`, `way 203.0.113.5`, `fdb vx-lan`, `neigh vx-lan`, `firewall ufw`,
 * `firewall inet filter input`, `hook input`, `table inet overlay`, `tables`, `quick wg0`, `advertised`, `rosenpass lux-fra`, `rosenpass-node COMMAND`, `udp 21001`,
 * `decisions`.
 * Throws HostError.
 */
export async function snapshot(session: Session, queries: string[], options?: RunOptions): Promise<Snapshot> {
  const { agent, input } = looking(queries);
  return seen(session, await session.run(agent, input, options), queries);
}

export const looking = (queries: string[]): Operation => ({ agent: "snapshot", input: queries.join("\n") });

/** What was seen of a host, as it printed it, and what it had been asked. */
export interface Seen {
  text: string;
  queries: readonly string[];
}

/** Asks only for what was not asked before; what it prints is the rest of that text. */
export const glancing = (queries: string[]): Operation => ({ agent: "glance", input: queries.join("\n") });

/** What `looking` came to. Throws HostError. */
export function seen(session: Session, { code, stdout, stderr }: Result, queries: string[]): Snapshot {
  if (code === 0) return parseSnapshot(stdout, queries);
  throw agentError(session, "look at it", code, stderr);
}

/** For what cannot happen unless the host lacks the basic tools; they are named in `stderr`. */
export const agentError = (session: Session, aim: string, code: number, stderr: string): HostError =>
  new HostError(
    "agent",
    `${describeConnection(session.connection)}: the attempt to ${aim} ended with code ${code} (${stderr.trim().slice(-300)}): the host needs sh, iproute2, coreutils, grep, awk and util-linux.`,
  );

/** What `ip -j route get` prints. */
type Way = RouteJson & { from?: string };

/** What agents/snapshot.sh printed. Throws an Error that names the section where a tool wrote something else. */
export function parseSnapshot(text: string, queries: readonly string[]): Snapshot {
  const sections = parseSections(text);
  if (!sections.has("end")) throw new Error("the snapshot of the host breaks off before its end");
  const lines = (name: string): string[] => (sections.get(name) ?? "").split("\n").filter((line) => line !== "");
  const asked = (what: string): string[] =>
    queries.filter((query) => query.startsWith(`${what} `)).map((query) => query.slice(what.length + 1));
  const ip = lines("ip");
  const [links = [], addrs = []] = ip.slice(0, 2).map((line) => json<unknown[]>("ip", line));
  const more = ip.slice(2 + protocols.length);
  const got = more.filter((line) => !areRules(line)).flatMap((line) => json<Way[]>("ip", line));
  const [owner] = lines("owner");
  const [uptime] = lines("uptime");
  const ssh = sshWay(lines("ssh")[0], got);
  return {
    machine: lines("machine")[0] ?? "",
    now: clock(lines("file")),
    ...(uptime !== undefined && { uptime: Number.parseFloat(uptime) }),
    ...(ssh && { ssh }),
    ...(owner !== undefined && { owner }),
    host: { wireguard: lines("wireguard")[0] as Snapshot["host"]["wireguard"] },
    versions: versions(
      lines("versions"),
      [...sections].flatMap(([name, text]) => (/^nft\b/.test(name) ? text : [])).join("\n"),
    ),
    links: links as LinkJson[],
    addrs: (addrs as AddrJson[]).map(withScopes),
    routes4: routesOf("ip", ip.slice(2)),
    routes6: routesOf("ip6", lines("ip6")),
    rules4: rules(more),
    rules6: rules(lines("ip6")),
    wg: parseWgDump(sections.get("wg") ?? ""),
    nft: nftTables(sections),
    sysctls: answers(asked("sysctl"), sysctls(lines("sysctl"))),
    files: answers(asked("file"), files(lines("file"))),
    units: {
      ...answers(asked("unit"), units(sections.get("unit") ?? "")),
      ...answers(asked("enabled"), enabled(lines("enabled"))),
    },
    keys: answers(asked("key"), pairs(lines("key").map((line) => line.split(" ").reverse().join(" ")))),
    managers: answers(asked("manager"), pairs(lines("manager"))),
    commands: Object.fromEntries(asked("command").map((name) => [name, lines("command").includes(name)])),
    ways: answers(asked("way"), ways(got)),
    fdb: Object.fromEntries(asked("fdb").map((name) => [name, listed<FdbJson>(`fdb ${name}`, sections)])),
    neighbours: Object.fromEntries(
      asked("neigh").map((name) => [name, listed<NeighbourJson>(`neigh ${name}`, sections)]),
    ),
    firewalls: Object.fromEntries(asked("firewall").map((name) => [name, rulesOf(sections.get(`firewall ${name}`))])),
    hooks: Object.fromEntries(asked("hook").map((name) => [name, lines(`hook ${name}`).map(closedChain)])),
    quick: Object.fromEntries(asked("quick").map((name) => [name, lines(`quick ${name}`)])),
    ...(sections.has("advertised") && { advertised: Object.fromEntries(pairs(lines("advertised"))) }),
    ...(sections.has("rosenpass-node") && { rosenpass: rosenpass(pairs(lines("rosenpass-node"))) }),
    exchanges: Object.fromEntries(asked("rosenpass").map((name) => [name, exchange(lines(`rosenpass ${name}`))])),
    ...(sections.has("decisions") && { decisions: decisions(lines("decisions")) }),
    udp: lines("udp").map(Number),
    boot: Object.fromEntries(pairs(lines("boot").map((line) => line.replace(/^(\S+) # /, "$1 ")))),
  };
}

/** A section begins with a line of the record separator and its name; one that goes on further down is one section. */
export function parseSections(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const part of text.split("\x1e").slice(1)) {
    const end = part.indexOf("\n");
    const [name, said] = [part.slice(0, end), part.slice(end + 1)];
    const before = sections.get(name);
    sections.set(name, before === undefined ? said : `${before}\n${said}`);
  }
  return sections;
}

/** The kernel's release, then `curl 7.88.1 (x86_64-…`; and nft's list of tables, which says what wrote it, or `nftables v0.9.0 (…`. */
function versions([linux, said = ""]: string[], tables: string): Snapshot["versions"] {
  const [, curl] = /^curl (\d[\d.]*)/.exec(said) ?? [];
  const [, nft] = /(?:^nftables v|"version": ")(\d[\d.]*)/m.exec(tables) ?? [];
  return {
    ...(linux !== undefined && { linux }),
    ...(nft !== undefined && { nft }),
    ...(curl !== undefined && { curl }),
  };
}

function rosenpass(said: Map<string, string>): NonNullable<Snapshot["rosenpass"]> {
  const [version, sha256, [publicKey, size] = [], secretSize] = [
    said.get("version"),
    said.get("binary"),
    said.get("public")?.split(" "),
    said.get("secret"),
  ];
  return {
    ...(version !== undefined && { version }),
    ...(sha256 !== undefined && { sha256 }),
    ...(publicKey !== undefined && { publicKey: { sha256: publicKey, size: Number(size) } }),
    ...(secretSize !== undefined && { secretSize: Number(secretSize) }),
  };
}

/** A word and its value a line, sdk/host/agents/rosenpass. */
function exchange(lines: string[]): Exchange {
  const said = pairs(lines);
  const [exchanged, psk, trouble] = ["exchanged", "psk", "trouble"].map((word) => said.get(word));
  return {
    ...(exchanged !== undefined && { exchanged: Number(exchanged) }),
    ...(psk !== undefined && { psk }),
    protected: said.get("protected") === "yes",
    ...(said.has("fresh") && { fresh: true }),
    ...(trouble !== undefined && { trouble }),
  };
}

/** `UNIXTIME NAME (DEVICE): TEXT`; of a relay, TEXT is `DESTINATION by way of RELAY…` or `DESTINATION no longer by way of…` */
const decisions = (lines: string[]): NonNullable<Snapshot["decisions"]> =>
  lines.flatMap((line) => {
    const [, at, peer, device, text] = /^(\d+)\S* (\S+) \((\S+)\): (.*)$/.exec(line) ?? [];
    if (peer === undefined || device === undefined || text === undefined) return [];
    const [, to, by] = /^(\S+\/\d+) (?:no longer )?by way of ([^\s:,]+)/.exec(text) ?? [];
    return [{ at: Number(at), peer, device, text, ...(to !== undefined && by !== undefined && { relay: { to, by } }) }];
  });

const rulesOf = (section: string | undefined): string[] | undefined =>
  section?.split("\n").flatMap((line) => line.trim() || []);

/** `WHO FAMILY TABLE CHAIN VERDICT…` */
function closedChain(line: string): ClosedChain {
  const [by, family, table, chain, ...verdict] = line.split(" ");
  return { by: by as ClosedChain["by"], chain: `${family} ${table} ${chain}`, verdict: verdict.join(" ") };
}

function json<T>(section: string, line: string): T {
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new Error(`section ${section} of the host's snapshot is no JSON: ${line.slice(0, 200)}`);
  }
}

const answers = <T>(asked: string[], found: Map<string, T>): Record<string, T | undefined> =>
  Object.fromEntries(asked.map((name) => [name, found.get(name)]));

/** `KEY VALUE…` */
function pairs(lines: string[]): Map<string, string> {
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(" ");
      return space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
    }),
  );
}

/** The protocols that agents/snapshot.sh asks for, in its order, in the words of rtnetlink(7) and `ip route`. */
const protocols = ["111", "kernel", "boot", "static", "ra", "dhcp"];

/** `ip -N` prints numbers, because the names may be edited on the host; these are the kernel's own (linux/rtnetlink.h). */
const types: Record<string, string> = {
  1: "unicast",
  2: "local",
  3: "broadcast",
  4: "anycast",
  5: "multicast",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
  9: "throw",
};
const tables: Record<string, string> = { 253: "default", 254: "main", 255: "local" };
const scopes: Record<string, string> = { 0: "global", 200: "site", 253: "link", 254: "host" };

const word = (words: Record<string, string>, value: string | undefined): string | undefined =>
  value === undefined ? undefined : (words[value] ?? value);

const withScopes = (entry: AddrJson): AddrJson => ({
  ...entry,
  addr_info: entry.addr_info.map((address) => ({ ...address, scope: word(scopes, address.scope) ?? "" })),
});

/** A list that a tool prints as one array; nothing, where there is no such device. */
function listed<T>(name: string, sections: Map<string, string>): T[] | undefined {
  const text = sections.get(name)?.trim() ?? "";
  return text === "" ? undefined : json<T[]>(name, text);
}

/**
 * iproute2 before 6.7 prints what packets are put into among the route's own fields, so that there are two of `dst` and
 * of `src`, and JSON.parse keeps the last.
 */
const withEncap = (line: string): string =>
  line.replace(
    /"encap":"(ip6?)",("id":\d+,"src":"[^"]*","dst":"[^"]*"(?:,"(?:ttl|hoplimit)":\d+)?)/g,
    (_, type, fields) => `"encap":{"encap_type":"${type}",${fields}}`,
  );

/** One array a protocol. */
function routesOf(section: string, lines: string[]): RouteJson[] {
  return protocols.flatMap((protocol, index) => {
    const line = lines[index];
    if (line === undefined) return [];
    return json<RouteJson[]>(section, withEncap(line)).map((route) => ({
      ...route,
      protocol,
      ...(route.type !== undefined && { type: word(types, route.type) }),
      ...(route.table !== undefined && { table: word(tables, route.table) }),
      ...(route.scope !== undefined && { scope: word(scopes, route.scope) }),
    }));
  });
}

/** Where the kernel has none, as without IPv6, the last line is broken off. */
const areRules = (line: string): boolean => line === "[" || line.startsWith('[{"priority":');

function rules(lines: string[]): RuleJson[] {
  const line = lines.find(areRules);
  if (!line?.endsWith("]")) return [];
  return json<RuleJson[]>("rules", line).map((rule) => ({
    ...rule,
    ...(rule.table !== undefined && { table: word(tables, rule.table) }),
  }));
}

/** `CLIENT SERVER`, and among what `ip -j route get CLIENT from SERVER` found the device, where no address says it. */
function sshWay(ends: string | undefined, found: readonly Way[]): Snapshot["ssh"] {
  const [client, server] = ends?.split(" ") ?? [];
  if (client === undefined || server === undefined) return undefined;
  const device = client.split("%")[1] ?? found.find(({ from }) => from === server)?.dev;
  return { client, server, ...(device !== undefined && { device }) };
}

/** The devices by which `ip -j route get ADDRESS mark 0x6f` found a way. Without `from`, IPv6 says that it is `::`. */
const ways = (found: readonly Way[]): Map<string, string> =>
  new Map(found.flatMap(({ dst, from = "::", dev }) => (dev !== undefined && from === "::" ? [[dst, dev]] : [])));

function nftTables(sections: Map<string, string>): Snapshot["nft"] {
  return Object.fromEntries(
    [...sections]
      // One that another run takes away while they are listed, as that of a proof, has nothing to show; of one that was looked
      // at twice the later look counts.
      .filter(([name, text]) => name.startsWith("nft ") && text.trim() !== "")
      .map(([name, text]) => [
        name.slice(4),
        json<{ nftables: unknown[] }>(name, text.trimEnd().split("\n").at(-1) ?? "").nftables,
      ]),
  );
}

/** `/proc/sys/NAME:VALUE` */
const sysctls = (lines: string[]): Map<string, string> =>
  new Map(
    lines.map((line) => {
      const [, name = "", value = ""] = /^\/proc\/sys\/([^:]+):(.*)$/.exec(line) ?? [];
      return [name, value];
    }),
  );

/** Of `MODE PATH UNIXTIME` of stat(1), the time of a folder that was made for it. */
const clock = (lines: string[]): number => Number(lines.find((line) => line.includes(" /proc/self/ "))?.split(" ")[2]);

/** Lines of sha256sum(1), then `MODE PATH UNIXTIME` of stat(1). */
function files(lines: string[]): Map<string, { mode: string; sha256: string }> {
  const hashes = new Map<string, string>();
  const found = new Map<string, { mode: string; sha256: string }>();
  for (const line of lines) {
    const [first = "", path = ""] = line.split(/ +/);
    const sha256 = hashes.get(path);
    if (/^[0-9a-f]{64}$/.test(first)) hashes.set(path, first);
    else if (sha256) found.set(path, { mode: first, sha256 });
  }
  return found;
}

/** `NAME enabled`, `NAME disabled` */
const enabled = (lines: string[]): Map<string, UnitState> =>
  new Map([...pairs(lines)].map(([name, state]) => [name, { enabled: state === "enabled" }]));

/** Blocks of systemctl-show(1); a unit that does not exist has LoadState not-found. */
function units(text: string): Map<string, UnitState> {
  const blocks = text
    .split("\n\n")
    .map((block) => new Map(block.split("\n").map((line) => line.split("=", 2) as [string, string])));
  return new Map(
    blocks
      .filter((block) => block.get("LoadState") === "loaded")
      .map((block) => [
        block.get("Id") ?? "",
        {
          enabled: block.get("UnitFileState")?.startsWith("enabled") ?? false,
          active: block.get("ActiveState") === "active",
          failed: block.get("ActiveState") === "failed",
        },
      ]),
  );
}
