/**
 * A model of a host: it carries out Commands as ip(8), wg(8), nft(8) and the kernel would, and shows itself as a
 * Snapshot. For properties that want thousands of hosts. What it does was seen on a real one; random sequences run on
 * both keep it honest.
 */
import { createHash } from "node:crypto";
import type { Command, HostFacts, Snapshot } from "../../sdk/kernel";
import { family } from "../../sdk/network/address";
import { type Device, DevicesModel } from "./devices";
import { NftModel } from "./nft";
import { RoutingModel } from "./routing";
import { SegmentsModel } from "./segments";
import { unescaped } from "./unescaped";
import { isV6, options, type Refuse } from "./words";

/** Public key of whatever private key is made; there is one host. */
const HOST_KEY = "OTiDG/IFDWbv0OwUV/MbNN1DAYPXDTkivkOy9j0zgAc=";
const NOW = 1_800_000_000;
const COMMAND_OF: Record<string, string> = { iproute2: "ip", nftables: "nft", "wireguard-tools": "wg" };
const WIREGUARD_GO = /^overlay-wireguard-go@(.+)\.service$/;

export class KernelModel {
  private readonly routing = new RoutingModel();
  private readonly sysctls = new Map([
    ["net/ipv4/ip_forward", "0"],
    ["net/ipv6/conf/all/forwarding", "0"],
    ["net/ipv6/conf/default/disable_ipv6", "0"],
  ]);
  private readonly segments = new SegmentsModel();
  private readonly devices = new DevicesModel(this.routing, this.sysctls, this.segments);
  private readonly nft = new NftModel();
  private readonly found = new Map<string, string>();
  private readonly files = new Map<string, { mode: string; sha256: string }>();
  private readonly units = new Map<string, { enabled: boolean; active: boolean; failed: boolean }>();
  private readonly keys = new Set<string>();
  private readonly commands = new Set(["ip"]);

  constructor(readonly host: HostFacts) {}

  /** Throws an Error where a real host would refuse, or where the model does not know the words. */
  run(commands: readonly Command[]): void {
    for (let index = 0; index < commands.length; ) {
      // As on a host: consecutive nft lines are one transaction.
      let end = index;
      while (commands[end]?.startsWith("nft ")) end++;
      if (end > index) this.nft.run(commands.slice(index, end).map((line) => line.slice("nft ".length)));
      else this.one(commands[end++] ?? "");
      index = end;
    }
  }

  private one(command: Command): void {
    const refuse: Refuse = () => {
      throw new Error(`the model refuses: ${command}`);
    };
    const [tool = "", ...words] = command.split(" ");
    const tools: Record<string, () => void> = {
      ip: () => this.ip(words, refuse),
      bridge: () => this.bridge(words, refuse),
      wg: () => this.devices.wg(words.slice(1), (path) => (this.keys.has(path) ? HOST_KEY : refuse()), refuse),
      sysctl: () => this.setSysctl(command.slice("sysctl -w ".length), refuse),
      restore: () => this.restoreSysctl(words[1] ?? ""),
      put: () => this.put(words),
      remove: () => this.files.delete(words[0] ?? ""),
      retire: () => this.files.delete(words[0] ?? ""),
      genkey: () => this.keys.add(words[0] ?? ""),
      keepkey: () => this.keys.add(words[0] ?? ""),
      systemctl: () => this.systemctl(words, refuse),
      "apt-get": () => {
        for (const name of words.slice(1)) this.commands.add(COMMAND_OF[name] ?? name);
      },
    };
    (tools[tool] ?? refuse)();
  }

  private ip(words: string[], refuse: Refuse): void {
    const v6 = words[0] === "-6";
    const [object, ...rest] = v6 ? words.slice(1) : words;
    if (object === "rule") this.routing.rule(v6 ? "inet6" : "inet", rest, refuse);
    else if (object === "route") this.routing.route(rest, this.devices, refuse);
    else if (object === "addr") this.devices.address(rest, refuse);
    else if (object === "link") this.link(rest, refuse);
    else if (object === "neigh") this.neighbour(rest, refuse);
    else refuse();
  }

  private neighbour(words: string[], refuse: Refuse): void {
    const of = family(words[1] ?? "");
    this.segments.neighbour(words, (device) => this.devices.knows(device, of), refuse);
  }

  private bridge([object, ...words]: string[], refuse: Refuse): void {
    const device = this.devices.all.get(words[words.indexOf("dev") + 1] ?? "");
    if (object !== "fdb" || !device) refuse();
    else this.segments.fdb(words, device.json, refuse);
  }

  private link([verb, ...words]: string[], refuse: Refuse): void {
    const [, name = ""] = words;
    if (verb === "set") this.devices.set(words, refuse);
    else if (verb === "delete") this.devices.delete(name, refuse);
    else this.addLink(name, words, refuse);
  }

  private addLink(name: string, words: string[], refuse: Refuse): void {
    const at = words.indexOf("type");
    const kind = words[at + 1] ?? "";
    if (kind === "wireguard" && this.host.wireguard === "userspace") refuse();
    const details = this.segments.details(kind, words.slice(at + 2), this.devices.links(), refuse);
    this.devices.add(name, kind, options(words.slice(0, at)).get("group"), details);
  }

  private systemctl([verb, ...words]: string[], refuse: Refuse): void {
    const name = words.at(-1) ?? "";
    const [, device] = WIREGUARD_GO.exec(name) ?? [];
    if (device !== undefined) {
      if (verb === "start") this.devices.add(device, "tun", "28417");
      else this.devices.delete(device, refuse);
      return;
    }
    const unit = this.units.get(name) ?? { enabled: false, active: false, failed: false };
    const on = verb === "enable" || verb === "start";
    if (verb === "enable" || verb === "disable") unit.enabled = on;
    if (verb === "start" || verb === "stop" || words.includes("--now")) unit.active = on;
    this.units.set(name, unit);
  }

  private setSysctl(words: string, refuse: Refuse): void {
    const [name = "", value = ""] = words.split("=");
    const before = this.sysctls.get(name) ?? refuse();
    if (!this.found.has(name) && this.devices.made(name) === undefined) this.found.set(name, before);
    this.sysctls.set(name, value);
    this.devices.settled(name);
  }

  private restoreSysctl(name: string): void {
    const value = this.found.get(name) ?? this.devices.made(name);
    if (value !== undefined && this.sysctls.has(name)) this.sysctls.set(name, value);
    this.found.delete(name);
  }

  private put([mode = "", path = "", ...text]: string[]): void {
    const sha256 = createHash("sha256")
      .update(unescaped(text.join(" ")))
      .digest("hex");
    this.files.set(path, { mode, sha256 });
  }

  snapshot(): Snapshot {
    const devices = [...this.devices.all.values()];
    const isWireguard = ({ json }: Device) => ["wireguard", "tun"].includes(json.linkinfo?.info_kind ?? "");
    const shown = structuredClone({
      machine: "00000000000000000000000000000001",
      now: NOW,
      host: this.host,
      links: devices.map(({ json }) => json),
      addrs: devices.map(({ json, addresses }) => ({
        ifname: json.ifname,
        addr_info: [...addresses].map((address) => {
          const [local = "", length] = address.split("/");
          return { family: family(local), local, prefixlen: Number(length), scope: "global" };
        }),
      })),
      routes4: this.routing.routes.filter(({ dst }) => !isV6(dst)),
      routes6: this.routing.routes.filter(({ dst }) => isV6(dst)),
      rules4: this.routing.rules.inet,
      rules6: this.routing.rules.inet6,
      wg: devices.filter(isWireguard).map(({ wg }) => wg),
      sysctls: Object.fromEntries(this.sysctls),
      files: Object.fromEntries(this.files),
      units: Object.fromEntries(this.units),
      keys: Object.fromEntries([...this.keys].map((path) => [path, HOST_KEY])),
      managers: {},
      commands: Object.fromEntries([...this.commands].map((name) => [name, true])),
      ways: {},
      firewalls: {},
      hooks: {},
      quick: {},
      exchanges: {},
      udp: [],
      ...this.segments.shown(this.devices.links()),
      boot: {},
    });
    // Made for this look, of rules that nobody changes.
    return { ...shown, nft: this.nft.list() };
  }
}
