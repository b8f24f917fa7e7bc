/** Devices of the model with their addresses and settings, as ip-link(8), ip-address(8) and wg(8) leave them. */
import type { LinkJson, WgDeviceLive, WgPeerLive } from "../../sdk/kernel/snapshot";
import type { Family } from "../../sdk/network/address";
import { IPV6_MIN_MTU } from "../../sdk/network/mtu";
import type { RoutingModel } from "./routing";
import { isV6, options, type Refuse } from "./words";

export interface Device {
  json: LinkJson;
  addresses: Set<string>;
  wg: WgDeviceLive;
}

const acceptRa = (name: string): string => `net/ipv6/conf/${name}/accept_ra`;
const disableIpv6 = (name: string): string => `net/ipv6/conf/${name}/disable_ipv6`;
/** With what value a device is made, where that is no other setting's. */
const MADE: Record<string, string> = { accept_ra: "1", forwarding: "0", rp_filter: "0" };
const RANDOM_ADDRESS = "fe80::7e31:d066:7eea:cc34/64";

export class DevicesModel {
  readonly all = new Map<string, Device>();

  constructor(
    private readonly routing: RoutingModel,
    private readonly sysctls: Map<string, string>,
  ) {}

  up = (name: string): boolean => this.all.get(name)?.json.flags.includes("UP") ?? false;
  routes = (name: string, family: Family): boolean => this.up(name) && (family === "inet" || this.hasIpv6(name));
  has = (address: string): boolean =>
    [...this.all.values()].some(({ addresses }) => [...addresses].some((other) => other.startsWith(`${address}/`)));

  private hasIpv6 = (name: string): boolean =>
    (this.all.get(name)?.json.mtu ?? 0) >= IPV6_MIN_MTU && this.sysctls.get(disableIpv6(name)) === "0";

  add(name: string, kind: string, group = "0"): void {
    if (this.all.has(name)) throw new Error(`the model has a device ${name} already`);
    const json = { ifindex: 2, ifname: name, mtu: 1420, flags: [], group, linkinfo: { info_kind: kind } };
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
    this.loseSources(addresses);
    for (const sysctl of [...this.sysctls.keys()]) if (sysctl.includes(`/${name}/`)) this.sysctls.delete(sysctl);
  }

  set(words: string[], refuse: Refuse): void {
    const last = words.at(-1);
    const flag = last === "up" || last === "down" ? last : undefined;
    const set = options(flag ? words.slice(0, -1) : words);
    const device = this.all.get(set.get("dev") ?? "") ?? refuse();
    const { json } = device;
    if (set.has("mtu")) this.setMtu(device, Number(set.get("mtu")));
    json.group = set.get("group") ?? json.group;
    const alias = set.get("alias");
    if (alias !== undefined) json.ifalias = alias;
    const mode = set.get("addrgenmode");
    if (mode !== undefined && json.mtu < IPV6_MIN_MTU) refuse();
    if (mode !== undefined) json.inet6_addr_gen_mode = mode;
    if (flag) this.setUp(device, flag === "up");
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
      // A device without an IPv4 address has no IPv4 routes (net/ipv4/fib_frontend.c, fib_disable_ip).
      if (!isV6(address) && [...device.addresses].every(isV6)) this.routing.lose(name, "inet");
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
      for (const sysctl of [acceptRa, disableIpv6]) this.sysctls.delete(sysctl(device.json.ifname));
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
    }
  }

  private addIpv6({ json }: Device): void {
    this.sysctls.set(acceptRa(json.ifname), MADE.accept_ra ?? "");
    this.sysctls.set(disableIpv6(json.ifname), this.sysctls.get(disableIpv6("default")) ?? "0");
    json.inet6_addr_gen_mode = "eui64";
  }

  /** A tun device has nothing to make an address from (net/ipv6/addrconf.c, addrconf_dev_config). */
  private addRandom({ json, addresses }: Device): void {
    const random = json.linkinfo?.info_kind === "tun" && json.inet6_addr_gen_mode !== "none";
    if (!random || !this.hasIpv6(json.ifname)) return;
    json.inet6_addr_gen_mode = "random";
    addresses.add(RANDOM_ADDRESS);
  }

  private loseIpv6({ json, addresses }: Device): void {
    const lost = [...addresses].filter(isV6);
    for (const address of lost) addresses.delete(address);
    this.routing.lose(json.ifname, "inet6");
    this.loseSources(lost);
  }

  private loseSources(addresses: Iterable<string>): void {
    const plain = [...addresses].map((address) => address.split("/")[0] ?? "");
    for (const address of plain) if (!this.has(address)) this.routing.loseSource(address);
  }
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
