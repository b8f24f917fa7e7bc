/** Devices of the model with their addresses and settings, as ip-link(8), ip-address(8) and wg(8) leave them. */
import type { LinkJson, WgDeviceLive, WgPeerLive } from "../../sdk/kernel/snapshot";
import type { Family } from "../../sdk/network/address";
import { IPV6_MIN_MTU } from "../../sdk/network/mtu";
import type { RoutingModel } from "./routing";
import type { SegmentsModel } from "./segments";
import { isV6, options, type Refuse } from "./words";

export interface Device {
  json: LinkJson;
  addresses: Set<string>;
  wg: WgDeviceLive;
}

const acceptRa = (name: string): string => `net/ipv6/conf/${name}/accept_ra`;
const acceptDad = (name: string): string => `net/ipv6/conf/${name}/accept_dad`;
const disableIpv6 = (name: string): string => `net/ipv6/conf/${name}/disable_ipv6`;
/** With what value a device is made, where that is no other setting's. */
const MADE: Record<string, string> = { accept_ra: "1", forwarding: "0", rp_filter: "0" };
const RANDOM_ADDRESS = "fe80::7e31:d066:7eea:cc34/64";

export class DevicesModel {
  readonly all = new Map<string, Device>();

  constructor(
    private readonly routing: RoutingModel,
    private readonly sysctls: Map<string, string>,
    private readonly segments: SegmentsModel,
  ) {}

  up = (name: string): boolean => this.all.get(name)?.json.flags.includes("UP") ?? false;
  knows = (name: string, family: Family): boolean => this.all.has(name) && (family === "inet" || this.hasIpv6(name));
  routes = (name: string, family: Family): boolean => this.up(name) && (family === "inet" || this.hasIpv6(name));
  has = (address: string): boolean =>
    [...this.all.values()].some(({ addresses }) => [...addresses].some((other) => other.startsWith(`${address}/`)));

  private hasIpv6 = (name: string): boolean =>
    (this.all.get(name)?.json.mtu ?? 0) >= IPV6_MIN_MTU && this.sysctls.get(disableIpv6(name)) === "0";

  links = (): LinkJson[] => [...this.all.values()].map(({ json }) => json);

  add(name: string, kind: string, group = "0", info_data?: unknown): void {
    if (this.all.has(name)) throw new Error(`the model has a device ${name} already`);
    const linkinfo = { info_kind: kind, ...(info_data !== undefined && { info_data }) };
    const mac = info_data === undefined ? {} : { address: "02:00:00:00:00:01" };
    const json = { ifindex: 2, ifname: name, mtu: 1420, flags: [], group, ...mac, linkinfo };
    const wg = { device: name, publicKey: "", listenPort: 0, fwmark: 0, peers: [] };
    const device = { json, addresses: new Set<string>(), wg };
    this.all.set(name, device);
    for (const ipv4 of ["forwarding", "rp_filter"]) this.sysctls.set(`net/ipv4/conf/${name}/${ipv4}`, MADE[ipv4] ?? "");
    this.addIpv6(device);
  }

  /** What a setting of a device of ours is on a new device; undefined for all others. */
  made(sysctl: string): string | undefined {
    const [, name = "", setting = ""] = /^net\/ipv[46]\/conf\/(.+)\/(\w+)$/.exec(sysctl) ?? [];
    if (!["28417", "28418"].includes(this.all.get(name)?.json.group ?? "")) return undefined;
    return MADE[setting] ?? this.sysctls.get(sysctl.replace(`/${name}/`, "/default/"));
  }

  delete(name: string, refuse: Refuse): void {
    const { addresses = [] } = this.all.get(name) ?? {};
    if (!this.all.delete(name)) refuse();
    this.routing.lose(name);
    this.segments.lose(name);
    for (const json of this.links()) if (json.master === name) leaveBridge(json);
    this.loseSources(addresses);
    for (const sysctl of [...this.sysctls.keys()]) if (sysctl.includes(`/${name}/`)) this.sysctls.delete(sysctl);
  }

  set(words: string[], refuse: Refuse): void {
    const type = words.indexOf("type");
    if (type >= 0) {
      this.setDetails(words[1] ?? "", words[type + 1] ?? "", words.slice(type + 2), refuse);
      return;
    }
    if (words[2] === "master" || words[2] === "nomaster") {
      this.setMaster(words[1] ?? "", words[3], refuse);
      return;
    }
    const last = words.at(-1);
    const flag = last === "up" || last === "down" ? last : undefined;
    const set = options(flag ? words.slice(0, -1) : words);
    const device = this.all.get(set.get("dev") ?? "") ?? refuse();
    const { json } = device;
    const mac = set.get("address");
    if (mac !== undefined && mac !== json.address) {
      json.address = mac;
      this.segments.loseNeighbours(json.ifname);
    }
    if (set.has("mtu")) this.setMtu(device, Number(set.get("mtu")));
    json.group = set.get("group") ?? json.group;
    const alias = set.get("alias");
    if (alias !== undefined) json.ifalias = alias;
    const mode = set.get("addrgenmode");
    if (mode !== undefined && json.mtu < IPV6_MIN_MTU) refuse();
    if (mode !== undefined) json.inet6_addr_gen_mode = mode;
    if (flag) this.setUp(device, flag === "up");
  }

  private setDetails(name: string, type: string, words: string[], refuse: Refuse): void {
    const { json } = this.all.get(name) ?? refuse();
    if (type !== "bridge_slave") {
      this.segments.change(json, type, words, refuse);
      return;
    }
    if (json.master === undefined) refuse();
    const isolated = options(words).get("isolated") === "on";
    json.linkinfo = { ...json.linkinfo, info_slave_data: { isolated } };
  }

  private setMaster(name: string, bridge: string | undefined, refuse: Refuse): void {
    const { json } = this.all.get(name) ?? refuse();
    leaveBridge(json);
    if (bridge === undefined) return;
    if (this.all.get(bridge)?.json.linkinfo?.info_kind !== "bridge") refuse();
    json.master = bridge;
    json.linkinfo = { ...json.linkinfo, info_slave_kind: "bridge", info_slave_data: { isolated: false } };
  }

  address([verb, ...words]: string[], refuse: Refuse): void {
    if (verb === "flush") {
      this.loseIpv6(this.all.get(words[1] ?? "") ?? refuse());
      return;
    }
    const [address = "", , name = ""] = words;
    const device = this.all.get(name) ?? refuse();
    if (verb === "del") {
      if (!device.addresses.delete(address)) refuse();
      this.loseSources([address]);
      // A device without an IPv4 address has no IPv4 routes and neighbours (net/ipv4/fib_frontend.c, fib_disable_ip).
      if (!isV6(address) && [...device.addresses].every(isV6)) {
        this.routing.lose(name, "inet");
        this.segments.loseNeighbours(name, "inet");
      }
      return;
    }
    if ((isV6(address) && !this.hasIpv6(name)) || device.addresses.has(address)) refuse();
    device.addresses.add(address);
  }

  /** `publicKeyOf`: the public key of a private key file. */
  wg([name = "", ...words]: string[], publicKeyOf: (path: string) => string, refuse: Refuse): void {
    const { wg } = this.all.get(name) ?? refuse();
    if (words[0] === "peer") {
      setPeer(wg, words[1] ?? "", words.slice(2));
      return;
    }
    const set = options(words);
    const path = set.get("private-key");
    wg.listenPort = Number(set.get("listen-port") ?? wg.listenPort);
    wg.fwmark = Number(set.get("fwmark") ?? wg.fwmark);
    if (path !== undefined) wg.publicKey = publicKeyOf(path);
  }

  /** Under 1280 bytes a device has no IPv6 (net/ipv6/addrconf.c, addrconf_notify); above, it is as on a new one. */
  private setMtu(device: Device, mtu: number): void {
    const before = device.json.mtu;
    device.json.mtu = mtu;
    if (mtu < IPV6_MIN_MTU) {
      this.loseIpv6(device);
      for (const sysctl of [acceptDad, acceptRa, disableIpv6]) this.sysctls.delete(sysctl(device.json.ifname));
    } else if (before < IPV6_MIN_MTU) {
      this.addIpv6(device);
      if (this.up(device.json.ifname)) this.addRandom(device);
    }
  }

  /** A setting was written: disable_ipv6 is the one that changes more than itself (addrconf_disable_ipv6). */
  settled(name: string): void {
    const device = [...this.all.values()].find(({ json }) => disableIpv6(json.ifname) === name);
    if (!device) return;
    if (!this.hasIpv6(device.json.ifname)) this.loseIpv6(device);
    else if (this.up(device.json.ifname)) this.addRandom(device);
  }

  private setUp(device: Device, up: boolean): void {
    if (up === this.up(device.json.ifname)) return;
    device.json.flags = up ? ["POINTOPOINT", "NOARP", "UP"] : ["POINTOPOINT", "NOARP"];
    if (up) this.addRandom(device);
    else {
      this.loseIpv6(device);
      this.routing.lose(device.json.ifname);
      this.segments.loseNeighbours(device.json.ifname);
    }
  }

  private addIpv6({ json }: Device): void {
    this.sysctls.set(acceptDad(json.ifname), "1");
    this.sysctls.set(acceptRa(json.ifname), MADE.accept_ra ?? "");
    this.sysctls.set(disableIpv6(json.ifname), this.sysctls.get(disableIpv6("default")) ?? "0");
    json.inet6_addr_gen_mode = "eui64";
  }

  /** A tun device has nothing to make an address from (net/ipv6/addrconf.c, addrconf_dev_config). */
  private addRandom({ json, addresses }: Device): void {
    const own = json.address !== undefined && json.inet6_addr_gen_mode === "eui64" && this.hasIpv6(json.ifname);
    if (own) addresses.add(fromMac(json.address ?? ""));
    const random = json.linkinfo?.info_kind === "tun" && json.inet6_addr_gen_mode !== "none";
    if (!random || !this.hasIpv6(json.ifname)) return;
    json.inet6_addr_gen_mode = "random";
    addresses.add(RANDOM_ADDRESS);
  }

  private loseIpv6({ json, addresses }: Device): void {
    const lost = [...addresses].filter(isV6);
    for (const address of lost) addresses.delete(address);
    this.routing.lose(json.ifname, "inet6");
    this.segments.loseNeighbours(json.ifname, "inet6");
    this.loseSources(lost);
  }

  private loseSources(addresses: Iterable<string>): void {
    const plain = [...addresses].map((address) => address.split("/")[0] ?? "");
    for (const address of plain) if (!this.has(address)) this.routing.loseSource(address);
  }
}

/** Modified EUI-64, RFC 4291, appendix A. */
function fromMac(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(":").map((byte) => Number.parseInt(byte, 16));
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return `fe80::${groups.map((group) => group.toString(16)).join(":")}/64`;
}

function leaveBridge(json: LinkJson): void {
  delete json.master;
  const { info_slave_kind: _kind, info_slave_data: _data, ...linkinfo } = json.linkinfo ?? {};
  json.linkinfo = linkinfo;
}

function setPeer(wg: WgDeviceLive, publicKey: string, words: string[]): void {
  const others = wg.peers.filter((peer) => peer.publicKey !== publicKey);
  if (words[0] === "remove") {
    wg.peers = others;
    return;
  }
  const fresh: WgPeerLive = {
    publicKey,
    presharedKey: false,
    allowedIps: [],
    latestHandshake: 0,
    rxBytes: 0,
    txBytes: 0,
    keepalive: 0,
  };
  const peer = wg.peers.find((other) => other.publicKey === publicKey) ?? fresh;
  wg.peers = [...others, peer];
  const set = options(words);
  const [endpoint, allowed] = [set.get("endpoint"), set.get("allowed-ips")];
  const keepalive = set.get("persistent-keepalive") ?? peer.keepalive;
  if (endpoint !== undefined) peer.endpoint = endpoint;
  peer.keepalive = keepalive === "off" ? 0 : Number(keepalive);
  if (allowed === undefined) return;
  peer.allowedIps = allowed.split(",");
  // An allowed IP is one peer's: who was given it last has it.
  for (const other of others) other.allowedIps = other.allowedIps.filter((ip) => !peer.allowedIps.includes(ip));
}
