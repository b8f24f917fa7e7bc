/** What tests of the host layer share: connections to a lab's hosts, and facts for two of them and a link. */
import { agentFiles, apply, Connection, Hosts, type HostsOptions, type Session, snapshot } from "../../sdk/host";
import { bootText, changes, type Fact, live, queries } from "../../sdk/kernel";
import { node } from "../../sdk/node";
import { wireguard } from "../../sdk/wireguard";
import type { Lab } from "../lab";

export const OWNER = "net/test";

/** A connection to a host with its key pinned. */
export function connectionTo(lab: Lab, host: string, more: Partial<Connection> = {}): Connection {
  const known = lab.json.hosts[host];
  return Connection.parse({ host: known?.addresses[0], user: "root", hostKey: known?.hostKey, ...more });
}

/** The lab's own ssh, with more options before those of its ssh_config. */
export const sshOf = (lab: Lab, ...options: string[]): string[] => [
  ...lab.json.ssh.split(" "),
  ...options.flatMap((option) => ["-o", option]),
];

export const hostsOf = (lab: Lab, options: HostsOptions = {}): Hosts => new Hosts({ ssh: sshOf(lab), ...options });

/** The first two hosts of a lab are nodes 1 and 2. */
const ids: Record<string, number> = { lux: 1, fra: 2 };
const addressesOf = (host: string): string[] => [`10.255.0.${ids[host]}`, `fd00:6f::${ids[host]}`];

export function nodeFacts(host: string, more: object = {}): Fact[] {
  const { spec, plan } = node(agentFiles());
  const prefixes = ["10.255.0.0/24", "fd00:6f::/48"];
  const own = { node: host, owner: OWNER, id: ids[host] ?? 0, addresses: addressesOf(host), prefixes };
  return plan(spec.parse({ ...own, ...more }));
}

export function linkFacts(lab: Lab, host: string, peer: string, publicKey: string): Fact[] {
  const own = { node: host, owner: OWNER, link: "lux-fra", device: `inter-${peer}`, id: ids[host] ?? 0, mtu: 1420 };
  const endpoint = `${lab.json.hosts[peer]?.addresses[0]}:${11000 + (ids[host] ?? 0)}`;
  return wireguard.plan(
    wireguard.spec.parse({
      ...own,
      listenPort: 11000 + (ids[peer] ?? 0),
      addresses: addressesOf(host),
      peer: { name: peer, id: ids[peer] ?? 0, publicKey, endpoint, addresses: addressesOf(peer) },
    }),
  );
}

/** Brings a host to these facts, with a boot file of this name, and returns what differs afterwards: nothing. */
export async function bring(session: Session, facts: Fact[], file: string): Promise<string[]> {
  const asked = queries(facts);
  const before = await snapshot(session, asked);
  const { wireguard } = before.host;
  if (wireguard === "none") throw new Error("the host has no WireGuard");
  const { commands } = changes(live(before, facts), facts, { wireguard });
  const boot = { file, content: bootText(`test::${file}`, facts) };
  const { failed, snapshot: after } = await apply(session, { commands, queries: asked, owners: [OWNER], boot });
  if (failed) throw new Error(failed.message);
  return changes(live(after, facts), facts, { wireguard }).commands;
}

/** The commands that would bring a host to these facts. */
export async function differences(session: Session, facts: Fact[]): Promise<string[]> {
  const seen = await snapshot(session, queries(facts), { wait: 30 });
  return changes(live(seen, facts), facts, { wireguard: "userspace" }).commands;
}

/** Brings both ends of a link up; returns the facts of each. */
export async function bringLink(lab: Lab, hosts: Hosts): Promise<{ lux: Fact[]; fra: Fact[] }> {
  const [lux, fra] = [hosts.session(connectionTo(lab, "lux")), hosts.session(connectionTo(lab, "fra"))];
  const nodes = { lux: nodeFacts("lux"), fra: nodeFacts("fra") };
  await Promise.all([bring(lux, nodes.lux, "10-node"), bring(fra, nodes.fra, "10-node")]);
  const [luxKey, fraKey] = await Promise.all([publicKey(lux), publicKey(fra)]);
  const links = { lux: linkFacts(lab, "lux", "fra", fraKey), fra: linkFacts(lab, "fra", "lux", luxKey) };
  await Promise.all([bring(lux, links.lux, "50-inter-fra"), bring(fra, links.fra, "50-inter-lux")]);
  return { lux: [...nodes.lux, ...links.lux], fra: [...nodes.fra, ...links.fra] };
}

const keyFile = "/etc/overlay/keys/wireguard.key";

async function publicKey(session: Session): Promise<string> {
  const { keys } = await snapshot(session, [`key ${keyFile}`]);
  return keys[keyFile] ?? "";
}
