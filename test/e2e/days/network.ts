/** Three nodes and three links on the hosts of a lab, and what one can see of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../../lab";
import { pause } from "../../lab/run";
import type { Declared } from "./program";
import { Witness } from "./witness";

export const KEY = "/etc/overlay/keys/wireguard.key";
export const IDS: Record<string, number> = { lux: 1, fra: 2, hkg: 3 };
export const PREFIXES = ["10.255.0.0/24", "fd00:6f::/48"];
export const LINKS: Record<string, [string, string]> = {
  "lux-fra": ["lux", "fra"],
  "fra-hkg": ["fra", "hkg"],
  "lux-hkg": ["lux", "hkg"],
};

export function node(lab: Lab, name: string, id = IDS[name] ?? 0): Declared["nodes"][string] {
  const { addresses = [], hostKey } = lab.json.hosts[name] ?? {};
  return {
    id,
    connection: { host: addresses[0] ?? "", user: "root", hostKey },
    addresses: [`10.255.0.${id}`, `fd00:6f::${id}`],
    endpoints: addresses,
    prefixes: PREFIXES,
  };
}

export const network = (lab: Lab, names = Object.keys(IDS)): Omit<Declared, "provider"> => ({
  nodes: Object.fromEntries(names.map((name) => [name, node(lab, name)])),
  links: Object.fromEntries(
    Object.entries(LINKS)
      .filter(([, ends]) => ends.every((end) => names.includes(end)))
      .map(([name, [a, b]]) => [name, { a, b }]),
  ),
});

/** Runs a command on a host whatever its network does, and throws where it fails. */
export async function on(lab: Lab, host: string, command: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec(host, command);
  if (code !== 0) throw new Error(`${host}: ${command}: code ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** Both families of each link's addresses answer, from its first node. */
export async function pings(lab: Lab, links = Object.keys(LINKS)): Promise<void> {
  for (const name of links) {
    const [a, b] = LINKS[name] ?? ["", ""];
    const to = [`10.255.0.${IDS[b]}`, `fd00:6f::${IDS[b]}`];
    const asked = await Promise.allSettled(to.map((address) => on(lab, a, `ping -q -c 2 -i 0.2 -w 15 ${address}`)));
    const failed = asked.find((it) => it.status === "rejected");
    if (failed) throw new Error(`${name}: ${failed.reason}\n${await state(lab, a)}\n${await state(lab, b)}`);
  }
}

/** What tells why a link is silent. */
const state = async (lab: Lab, host: string): Promise<string> =>
  `${host}:\n${(await lab.exec(host, "date -u; wg show all; ip -br -s addr; ip -s link show group 28417; nft list counters; systemctl --failed; journalctl -q -n 20 --no-pager")).stdout}`;

/** Asks until the answer is yes; throws `what` after half a minute. */
export async function eventually(what: string, ask: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`${what} (waited 30 s)`);
    await pause(50);
  }
}

const script = (name: string): string => readFileSync(join(__dirname, name), "utf8");

/** All that the overlay is to a host's kernel, in the tools' words, without what counts or is numbered. */
export const kernel = async (lab: Lab, host: string): Promise<string> => told(lab, host, script("kernel.sh"));

/** All that a change could leave behind on a host, without the number that the other end of its cable has in each boot. */
export async function traces(lab: Lab, host: string): Promise<string> {
  const settled = async () => !(await on(lab, host, "ip addr")).includes("tentative"); // after a boot
  await eventually(`${host} has an address that is not settled`, settled);
  return (await told(lab, host, script("traces.sh"))).replace(/@if\d+/g, "");
}

async function told(lab: Lab, host: string, input: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec(host, ["sh", "-s"], { input });
  if (code !== 0) throw new Error(`${host}: code ${code}: ${stderr}`);
  return stdout;
}

export interface Traffic {
  end(): Promise<{ sent: number; lost: number }>;
}

/** So many packets a second each way through a link, as long as it is wanted; `fra-lux`: asked by fra. */
export function traffic(lab: Lab, link: string, rate = 100): Promise<Traffic> {
  const [a = "", b = ""] = link.split("-");
  return asking(lab, a, `10.255.0.${IDS[b]}`, rate);
}

/** The same from a host to an address. */
export async function asking(lab: Lab, a: string, address: string, rate = 100): Promise<Traffic> {
  const log = `/run/traffic-${address}`;
  const pid = await on(lab, a, `ping -n -i ${1 / rate} ${address} >${log} 2>&1 & echo $!`);
  const read = async () => {
    const text = await on(lab, a, `cat ${log}`);
    // SIGQUIT has ping(8) say how many of how many are back.
    const sent = Number(/\d+\/(\d+) packets, /.exec(text)?.[1]);
    const answered = [...text.matchAll(/icmp_seq=(\d+) ttl=/g)].map(([, number]) => Number(number));
    return { sent, lost: sent - new Set(answered.filter((number) => number <= sent)).size };
  };
  return {
    /** What is on its way has a second and a half: an emulated host that is busy may take as long as that. */
    async end() {
      await on(lab, a, `kill -QUIT ${pid.trim()}`);
      let seen = await read();
      for (let looks = 15; looks > 0 && seen.lost !== 0; looks--) {
        await pause(100);
        seen = await read();
      }
      await on(lab, a, `kill -INT ${pid.trim()}`);
      return seen;
    },
  };
}

/** Public keys of the links' nodes. */
export const publicKey = async (lab: Lab, host: string): Promise<string> =>
  (await on(lab, host, `wg pubkey <${KEY}`)).trim();

const KEY_BY_HAND = "/root/key";

/**
 * A link between two hosts as every guide to wg-quick(8) has it, under the device names and ports that it has on each:
 * with the connected prefix of IPv4 and a route to what is behind the other one.
 */
export async function byHand(lab: Lab, ends: { host: string; device: string; port: number }[]): Promise<void> {
  const all = ends.map(async ({ host, ...end }) => {
    const publicKey = await on(lab, host, `umask 077; wg genkey >${KEY_BY_HAND}; wg pubkey <${KEY_BY_HAND}`);
    return { host, id: IDS[host], address: lab.json.hosts[host]?.addresses[0], publicKey: publicKey.trim(), ...end };
  });
  const [one, other] = await Promise.all(all);
  if (!one || !other) throw new Error("a link has two ends");
  const set = async (own: typeof one, peer: typeof one) => {
    const file = `/etc/wireguard/${own.device}.conf`;
    const text = `[Interface]
PrivateKey = $(cat ${KEY_BY_HAND})
Address = 10.255.0.${own.id}/24, fd00:6f::${own.id}/128
ListenPort = ${own.port}
PostUp = true
[Peer]
PublicKey = ${peer.publicKey}
AllowedIPs = 10.255.0.${peer.id}/32, fd00:6f::${peer.id}/128, 192.168.9.0/24
Endpoint = ${peer.address}:${peer.port}
`;
    await on(lab, own.host, `umask 077; cat >${file} <<EOF\n${text}EOF\nrm ${KEY_BY_HAND}`);
    await on(lab, own.host, `systemctl enable --now wg-quick@${own.device}`);
    remember((await on(lab, own.host, `wg show ${own.device} private-key`)).trim());
  };
  await Promise.all([set(one, other), set(other, one)]);
}

const secrets = new Set<string>();

export const remember = (...keys: string[]): void => {
  for (const key of keys) secrets.add(key);
};

/** Remembers the private keys that a lab has at this moment: of its hosts, and the operator's. */
export async function rememberKeys(lab: Lab): Promise<void> {
  for (const host of lab.hosts) {
    const { stdout } = await lab.exec(host, `cat ${KEY}`);
    if (stdout.trim() !== "") secrets.add(stdout.trim());
  }
  const identity = readFileSync(lab.json.identity, "utf8").split("\n");
  for (const line of identity.slice(1, -2)) if (line.length > 60) secrets.add(line);
}

/** Texts of states, logs, previews and processes in which one of the remembered keys stands. */
export function leaks(): string[] {
  const { texts, leaks } = Witness.asked([...secrets]);
  if (secrets.size < 2 || texts < 100)
    throw new Error(`nothing was looked for: ${secrets.size} keys in ${texts} texts`);
  return leaks;
}
