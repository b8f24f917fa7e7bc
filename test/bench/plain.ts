/** The baseline: what a good engineer does without a tool, one script a host (script.sh) over plain ssh, all at once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { endpoint } from "../../sdk/network/address";
import { type Lab, run } from "../lab";
import { overlayAddresses } from "./network";
import { ROOT } from "./stack";

const SCRIPT = readFileSync(join(ROOT, "test/bench/script.sh"), "utf8");

interface Device {
  name: string;
  port: number;
  peers: { host: string; allowedIps: string[]; endpoint: string }[];
}

/** The hosts of a lab by plain ssh. A host's number is its place in the topology, from 1. */
export class Plain {
  private keys: Record<string, string> = {};

  constructor(private readonly lab: Lab) {}

  private id = (host: string): number => this.lab.hosts.indexOf(host) + 1;
  private addresses = (host: string): string[] => overlayAddresses(this.id(host));
  private underlay = (host: string): string => this.lab.json.hosts[host]?.addresses[0] ?? "";
  private called = (host: string, at = this.underlay(host)): string => endpoint(at, 11000 + this.id(host));

  /** A login to each, where nothing is done. */
  async login(hosts: readonly string[]): Promise<void> {
    await this.each(hosts, () => ":\n");
  }

  /** A mesh of hosts, from nothing or from whatever of it is there: the script takes both. */
  async mesh(hosts: readonly string[]): Promise<void> {
    await this.makeKeys(hosts);
    await this.each(hosts, (host) => install(this.meshFile(host, hosts)));
  }

  /** A host more in a mesh of others. */
  async add(host: string, others: readonly string[]): Promise<void> {
    await this.makeKeys([host]);
    const all = [...others, host];
    const device = this.meshDevice(host, all);
    const peer = this.meshDevice(others[0] ?? "", all).peers.find((one) => one.host === host);
    await this.each(all, (each) =>
      each === host
        ? install(this.file(host, [device]))
        : `${write(this.meshFile(each, all))}wg set mesh ${this.peer(peer as Device["peers"][number])}\n${batch(this.routes(each, "mesh", host))}`,
    );
  }

  /** The address at which the others of a mesh are to call one host from now on. */
  async change(host: string, hosts: readonly string[], address: string): Promise<void> {
    const others = hosts.filter((other) => other !== host);
    await this.each(
      others,
      (each) =>
        `${write(this.meshFile(each, hosts, { [host]: address }))}wg set mesh peer ${this.keys[host]} endpoint ${this.called(host, address)}\n`,
    );
  }

  /** A link between every two hosts, from nothing. */
  async links(hosts: readonly string[]): Promise<void> {
    await this.makeKeys(hosts);
    await this.each(hosts, (host) => {
      const devices = hosts
        .filter((other) => other !== host)
        .map((other) => ({
          name: `inter-${other}`,
          port: 11000 + this.id(other),
          peers: [
            {
              host: other,
              allowedIps: ["0.0.0.0/0", "::/0"],
              endpoint: `${this.underlay(other)}:${11000 + this.id(host)}`,
            },
          ],
        }));
      return install(this.file(host, devices));
    });
  }

  /** Looks at what there is, and throws where a host lacks a peer. */
  async check(hosts: readonly string[]): Promise<void> {
    const seen = await this.each(hosts, () => "check\n");
    for (const [index, host] of hosts.entries()) {
      const lacks = hosts.filter((other) => other !== host && !seen[index]?.includes(this.keys[other] ?? ""));
      if (lacks.length > 0) throw new Error(`${host} lacks ${lacks.join(", ")}`);
    }
  }

  async remove(hosts: readonly string[]): Promise<void> {
    await this.each(hosts, () => "remove\n");
  }

  private async makeKeys(hosts: readonly string[]): Promise<void> {
    const keys = await this.each(hosts, () => "key\n");
    this.keys = { ...this.keys, ...Object.fromEntries(hosts.map((host, index) => [host, keys[index]?.trim() ?? ""])) };
  }

  /** `at`: addresses of those that are called elsewhere than at their first one. */
  private meshDevice(host: string, hosts: readonly string[], at: Record<string, string> = {}): Device {
    const others = hosts.filter((other) => other !== host);
    return {
      name: "mesh",
      port: 11000 + this.id(host),
      peers: others.map((other) => ({
        host: other,
        allowedIps: this.addresses(other),
        endpoint: this.called(other, at[other]),
      })),
    };
  }

  private meshFile = (host: string, hosts: readonly string[], at: Record<string, string> = {}): string =>
    this.file(host, [this.meshDevice(host, hosts, at)]);

  private peer = ({ host, allowedIps, endpoint }: Device["peers"][number]): string =>
    `peer ${this.keys[host]} allowed-ips ${allowedIps.join()} endpoint ${endpoint} persistent-keepalive 25`;

  private routes = (host: string, device: string, to: string): string[] =>
    this.addresses(to).map(
      (address, index) => `route replace ${address} dev ${device} proto 112 src ${this.addresses(host)[index]}`,
    );

  /** The boot file. */
  private file(host: string, devices: Device[]): string {
    const lines = devices.flatMap(({ name, port, peers }) => [
      `[ -e /sys/class/net/${name} ] || ip link add dev ${name} type wireguard 2>/dev/null || wireguard-go ${name}`,
      `until wg show ${name} >/dev/null; do sleep 0.02; done`,
      `wg set ${name} listen-port ${port} fwmark 0x6f private-key /etc/mesh/key ${peers.map(this.peer).join(" ")}`,
    ]);
    const batched = devices.flatMap(({ name, peers }) => [
      `link set dev ${name} mtu 1420 up`,
      ...this.addresses(host).map((address) => `address replace ${address} dev ${name} nodad`),
      ...peers.flatMap((peer) => this.routes(host, name, peer.host)),
    ]);
    return `${lines.join("\n")}\n${batch(batched)}`;
  }

  /** What each prints. */
  private each(hosts: readonly string[], call: (host: string) => string): Promise<string[]> {
    return Promise.all(
      hosts.map(async (host) => {
        const { code, stdout, stderr } = await run([...this.lab.ssh(host), "sh", "-s"], { input: SCRIPT + call(host) });
        if (code !== 0) throw new Error(`${host}: code ${code}: ${stderr}`);
        return stdout;
      }),
    );
  }
}

const batch = (lines: string[]): string => `ip -batch - <<'LINES'\n${lines.join("\n")}\nLINES\n`;
const install = (file: string): string => `install <<'BOOT'\n${file}BOOT\n`;
const write = (file: string): string => `write <<'BOOT'\n${file}BOOT\n`;
