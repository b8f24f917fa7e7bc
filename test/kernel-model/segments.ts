/** VXLAN devices of the model, with their forwarding databases, and neighbours, as bridge(8) and ip-neighbour(8) leave them. */
import type { FdbJson, LinkJson, NeighbourJson } from "../../sdk/kernel/snapshot";
import { type Family, family } from "../../sdk/network/address";
import { isV6, options, type Refuse } from "./words";

type Data = Record<string, unknown>;

/** Words that are a setting by themselves, and what `ip -j -d link` calls them. */
const FLAGS: Record<string, Data> = {
  external: { external: true },
  learning: { learning: true },
  nolearning: { learning: false },
  proxy: { proxy: true },
  rsc: { rsc: true },
  l2miss: { l2miss: true },
  l3miss: { l3miss: true },
  udp6zerocsumtx: { udp_zero_csum6_tx: true },
  udp6zerocsumrx: { udp_zero_csum6_rx: true },
};
/** What cannot change (drivers/net/vxlan/vxlan_core.c, vxlan_nl2conf). */
const FIXED = ["id", "dstport", "external", "proxy", "rsc", "l2miss", "l3miss", "udp6zerocsumtx", "udp6zerocsumrx"];

const of6 = (name: string, value: string): Data => ({ [isV6(value) ? `${name}6` : name]: value });

function vxlanData(words: string[]): Data {
  const flags = words.filter((word) => word in FLAGS);
  const set = options(words.filter((word) => !(word in FLAGS)));
  const number = (name: string, word: string): Data => (set.has(word) ? { [name]: Number(set.get(word)) } : {});
  const address = (name: string): Data => (set.has(name) ? of6(name, set.get(name) ?? "") : {});
  return Object.assign(
    {},
    number("id", "id"),
    number("port", "dstport"),
    number("ttl", "ttl"),
    address("local"),
    address("remote"),
    address("group"),
    set.has("dev") ? { link: set.get("dev") } : {},
    ...flags.map((flag) => FLAGS[flag] ?? {}),
  );
}

const dataOf = ({ linkinfo }: LinkJson): Data => (linkinfo?.info_data ?? {}) as Data;
/** That of all its addresses; IPv4 where it has none (vxlan_core.c, vxlan_config_validate). */
const ownFamily = ({ local, local6, remote, remote6, group, group6 }: Data): string =>
  family(String(local ?? local6 ?? remote ?? remote6 ?? group ?? group6 ?? "0.0.0.0"));

export class SegmentsModel {
  private readonly entries = new Map<string, FdbJson[]>();
  private readonly neighbours = new Map<string, NeighbourJson[]>();

  /** What a device of a type is made with. `others`: all that there are. */
  details(kind: string, words: string[], others: readonly LinkJson[], refuse: Refuse): Data | undefined {
    if (kind === "bridge") return { stp_state: Number(options(words).get("stp_state") ?? 0) };
    if (kind !== "vxlan") return undefined;
    const data: Data = { learning: true, ttl: 0, port: 8472, ...vxlanData(words) };
    const same = others
      .filter(({ linkinfo }) => linkinfo?.info_kind === "vxlan")
      .map(dataOf)
      .some((it) => it.id === data.id && it.port === data.port && ownFamily(it) === ownFamily(data));
    return same ? refuse() : data;
  }

  change(json: LinkJson, kind: string, words: string[], refuse: Refuse): void {
    if (json.linkinfo?.info_kind !== kind) refuse();
    const before = dataOf(json);
    if (kind === "bridge") before.stp_state = Number(options(words).get("stp_state"));
    else {
      if (words.some((word) => FIXED.includes(word))) refuse();
      const data = vxlanData(words);
      const addressed = data.local ?? data.local6 ?? data.remote ?? data.remote6;
      if (addressed !== undefined && ownFamily(data) !== ownFamily(before)) refuse();
      // For the kernel they are one address, of many or of one (vxlan_core.c, vxlan_nl2conf, IFLA_VXLAN_GROUP).
      const others = ["remote", "remote6", "group", "group6"];
      if (others.some((name) => name in data)) for (const name of others) delete before[name];
      Object.assign(before, data);
    }
  }

  fdb([verb = "", mac = "", ...words]: string[], json: LinkJson, refuse: Refuse): void {
    const router = words.at(-1) === "router";
    const set = options(router ? words.slice(0, -1) : words);
    const dst = set.get("dst") ?? "";
    if (json.linkinfo?.info_kind !== "vxlan") refuse();
    if (family(dst) !== ownFamily(dataOf(json))) refuse();
    const all = this.entries.get(json.ifname) ?? [];
    const many = Number.parseInt(mac.slice(0, 2), 16) % 2 === 1 || mac === "00:00:00:00:00:00";
    const same = (other: FdbJson) => other.mac === mac && (!many || other.dst === dst);
    const there = all.find(same);
    const rest = all.filter((other) => other !== there);
    if (verb === "del") {
      if (there?.dst !== dst) refuse();
      this.entries.set(json.ifname, rest);
      return;
    }
    if (verb === "replace" && many) refuse();
    // Of an address with one VTEP `append` changes the flags alone.
    const at = verb === "append" && there?.dst !== undefined ? there.dst : dst;
    const entry: FdbJson = { mac, dst: at, flags: ["self", ...(router ? ["router"] : [])], state: "permanent" };
    this.entries.set(json.ifname, [...rest, entry]);
  }

  neighbour([verb = "", address = "", ...words]: string[], usable: (device: string) => boolean, refuse: Refuse): void {
    const set = options(words);
    const device = set.get("dev") ?? "";
    if (!usable(device)) refuse();
    const all = this.neighbours.get(device) ?? [];
    const rest = all.filter(({ dst }) => dst !== address);
    if (verb === "del" && rest.length === all.length) refuse();
    const entry: NeighbourJson = { dst: address, lladdr: set.get("lladdr") ?? "", state: ["PERMANENT"] };
    this.neighbours.set(device, verb === "del" ? rest : [...rest, entry]);
  }

  /** With `up` go the neighbours, with a family its own (net/core/neighbour.c, neigh_ifdown), permanent ones too. */
  loseNeighbours(device: string, lost?: Family): void {
    const all = this.neighbours.get(device) ?? [];
    this.neighbours.set(device, lost === undefined ? [] : all.filter(({ dst }) => family(dst) !== lost));
  }

  lose(device: string): void {
    this.entries.delete(device);
    this.neighbours.delete(device);
  }

  /** With the entry that the kernel makes of what the device floods to by itself. */
  shown(links: readonly LinkJson[]): { fdb: Record<string, FdbJson[]>; neighbours: Record<string, NeighbourJson[]> } {
    const vxlans = links.filter(({ linkinfo }) => linkinfo?.info_kind === "vxlan");
    const fdb = vxlans.map((json): [string, FdbJson[]] => {
      const { remote, remote6, group, group6 } = dataOf(json);
      const dst = remote ?? remote6 ?? group ?? group6;
      const own = { mac: "00:00:00:00:00:00", dst: String(dst), flags: ["self"], state: "permanent" };
      return [json.ifname, [...(dst === undefined ? [] : [own]), ...(this.entries.get(json.ifname) ?? [])]];
    });
    return { fdb: Object.fromEntries(fdb), neighbours: Object.fromEntries(this.neighbours) };
  }
}
