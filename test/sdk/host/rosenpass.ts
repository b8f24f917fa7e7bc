/** A link that Rosenpass protects, made on two hosts of a lab by what stays on them alone: no SSH, no Pulumi. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { agent, agentFiles, rosenpassFiles, stepsAgent } from "../../../sdk/host/agents";
import { bootText, changes, type Fact, put } from "../../../sdk/kernel";
import { node } from "../../../sdk/node";
import { wireguard } from "../../../sdk/wireguard";
import type { Lab } from "../../lab";
import { must, until } from "../../lab/run";

export type Mode = "permissive" | "strict";

export interface End {
  host: string;
  /** Of the node; its peer listens on 11000 and, for Rosenpass, 12000 more than it. */
  id: number;
  /** Of the underlay, where the other end calls it; none behind NAT. The first is that of WireGuard. */
  calledAt: string[];
}

const OWNER = "net/test";
export const BINARY = "/usr/local/lib/overlay/rosenpass/rosenpass";
const PAIR = "/etc/overlay/keys/rosenpass";
const WIREGUARD_KEY = "/etc/overlay/keys/wireguard.key";

/** Lines of Commands, as a run of Pulumi has a host carry them out. */
async function carryOut(lab: Lab, host: string, lines: readonly string[]): Promise<void> {
  const script = `export LC_ALL=C
umask 077
set -euf
${stepsAgent()}
mkdir -p /run/overlay
exec 9>/run/overlay/lock
flock -w 30 9
steps stop <<'EOT' || { printf '%s: %s\\n' "$failed_line" "$said" >&2 && exit 1; }
${lines.join("\n")}
EOT
`;
  const { code, stderr } = await lab.exec(host, ["sh", "-s"], { input: script });
  if (code !== 0) throw new Error(`${host}: ${stderr}`);
}

const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);
const overlay = (id: number): string[] => [`10.255.0.${id}`, `fd00:6f::${id}`];
const files = (all: Record<string, { mode: string; content: string }>): string[] =>
  Object.entries(all).map(([path, { mode, content }]) => put(path, content, mode));

export class Pair {
  private constructor(
    readonly lab: Lab,
    readonly ends: readonly [End, End],
  ) {}

  readonly #keys = new Map<string, string>();

  get name(): string {
    return this.ends.map(({ host }) => host).join("-");
  }
  get unit(): string {
    return `overlay-rosenpass@${this.name}.service`;
  }
  /** Its folder on either host. */
  get keep(): string {
    return `/run/overlay/rosenpass/${this.name}`;
  }

  /** The link alone, with Rosenpass and its keys there, and nothing started. */
  static async make(lab: Lab, ends: readonly [End, End]): Promise<Pair> {
    const pair = new Pair(lab, ends);
    const binary = readFileSync((await must(["sh", "-c", "command -v rosenpass"])).trim());
    const program = `decode 0755 ${BINARY} ${sha256(binary)} gz:${gzipSync(binary).toString("base64")}`;
    await pair.both(async ({ host, id }) => {
      const { spec, plan } = node(agentFiles());
      const prefixes = ["10.255.0.0/24", "fd00:6f::/48"];
      const facts = plan(spec.parse({ node: host, owner: OWNER, id, addresses: overlay(id), prefixes }));
      // It may have a link already.
      if ((await pair.on(host, "ls /etc/overlay 2>/dev/null || :")) === "") await pair.bring(host, facts, "10-node");
      await carryOut(lab, host, [program, `keypair ${BINARY}`, ...files(rosenpassFiles())]);
      pair.#keys.set(host, (await pair.on(host, `wg pubkey <${WIREGUARD_KEY}`)).trim());
    });
    await pair.both(async (end) => {
      await pair.bring(end.host, pair.link(end), `50-${pair.device(end.host)}`);
      const { host } = pair.other(end.host);
      const key = (await pair.on(host, `base64 -w 0 ${PAIR}.public`)).trim();
      const hash = sha256(Buffer.from(key, "base64"));
      await carryOut(lab, end.host, [`decode 0644 /etc/overlay/rosenpass/${pair.name}.peer ${hash} ${key}`]);
    });
    return pair;
  }

  async both<T>(work: (end: End) => Promise<T>): Promise<[T, T]> {
    const [a, b] = this.ends;
    return Promise.all([work(a), work(b)]);
  }

  async on(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await this.lab.exec(host, command, { timeout: 120_000 });
    if (code !== 0) throw new Error(`${host}: ${command}\n${stdout}${stderr}`);
    return stdout;
  }

  end = (host: string): End => (this.ends[0].host === host ? this.ends[0] : this.ends[1]);
  other = (host: string): End => (this.ends[0].host === host ? this.ends[1] : this.ends[0]);
  device = (host: string): string => `inter-${this.other(host).host}`;
  /** The WireGuard key of the far node. */
  peer = (host: string): string => this.#keys.get(this.other(host).host) ?? "";
  address = (host: string): string => `10.255.0.${this.end(host).id}`;

  link({ host, id }: End): Fact[] {
    const { host: far, id: farId, calledAt } = this.other(host);
    const [at] = calledAt;
    const { spec, plan } = wireguard;
    return plan(
      spec.parse({
        node: host,
        owner: OWNER,
        link: this.name,
        device: this.device(host),
        id,
        mtu: 1420,
        listenPort: 11000 + farId,
        addresses: overlay(id),
        peer: {
          name: far,
          id: farId,
          publicKey: this.peer(host),
          addresses: overlay(farId),
          ...(at !== undefined && { endpoint: `${bracketed(at)}:${11000 + id}`, keepalive: 25 }),
        },
      }),
    );
  }

  async bring(host: string, facts: Fact[], boot: string): Promise<void> {
    const module = "grep -q -s '/wireguard\\.ko' /lib/modules/$(uname -r)/modules.dep && echo kernel || echo userspace";
    const flavour = (await this.on(host, module)).trim() === "kernel" ? "kernel" : "userspace";
    const { commands } = changes([], facts, { wireguard: flavour });
    await carryOut(this.lab, host, [...commands, put(`/etc/overlay/boot.d/${boot}`, bootText(`test::${boot}`, facts))]);
  }

  /** The second end answers first, where both can be called. */
  conf({ host, id }: End, mode: Mode): string {
    const { id: farId, calledAt } = this.other(host);
    const second = host === this.ends[1].host && this.ends.every((end) => end.calledAt.length > 0);
    return [
      `binary ${BINARY}`,
      `mode ${mode}`,
      `device ${this.device(host)}`,
      `peer ${this.peer(host)}`,
      `port ${12000 + farId}`,
      ...calledAt.map((address) => `endpoint ${bracketed(address)}:${12000 + id}`),
      ...(second ? ["delay 1"] : []),
      ...(this.end(host).calledAt.length === 0 ? ["sole yes"] : []),
      "",
    ].join("\n");
  }

  psk = (host: string, mode: Mode | "none"): string =>
    `psk ${this.device(host)} ${this.peer(host)} ${mode} ${this.name}`;

  /** What a run does that turns it on, or to the other mode: both keys, then both daemons. */
  async turn(mode: Mode): Promise<void> {
    await this.both(({ host }) => {
      const psk = this.psk(host, mode);
      return carryOut(this.lab, host, [psk, put(`/etc/overlay/boot.d/60-${this.name}`, `# test::psk\n${psk}\n`)]);
    });
    await this.both((end) =>
      carryOut(this.lab, end.host, [
        put(`/etc/overlay/rosenpass/${this.name}.conf`, this.conf(end, mode), "0600"),
        `systemctl enable ${this.unit}`,
        `systemctl start ${this.unit}`,
      ]),
    );
  }

  async off(): Promise<void> {
    await this.both(({ host }) => carryOut(this.lab, host, [`systemctl disable --now ${this.unit}`]));
    await this.both(({ host }) =>
      carryOut(this.lab, host, [
        this.psk(host, "none"),
        `forget ${this.name}`,
        `remove /etc/overlay/boot.d/60-${this.name}`,
      ]),
    );
  }

  /** Has the reader of a daemon look now, as choose.sh does, and not when the next exchange is overdue. */
  look = (host: string): Promise<string> => this.on(host, `echo tick 1<>${this.keep}/lines`);

  /** Carries out lines of Commands on one host. */
  carryOut = (host: string, ...lines: string[]): Promise<void> => carryOut(this.lab, host, lines);

  async report(host: string): Promise<Record<string, string>> {
    const { stdout } = await this.lab.exec(host, ["sh", "-s"], {
      input: `${agent("rosenpass/report.sh")}\nrosenpass_report ${this.name}\n`,
    });
    const lines = stdout.split("\n").filter(Boolean);
    return Object.fromEntries(lines.map((line) => [line.split(" ")[0], line.slice(line.indexOf(" ") + 1)]));
  }

  reports = () => this.both(({ host }) => this.report(host));

  /** Both have the key of one exchange, of the last so many seconds. */
  async agree(seconds = 140): Promise<boolean> {
    const [a, b] = await this.reports();
    const young = [a, b].every(({ exchanged }) => exchanged !== undefined && Number(exchanged) <= seconds);
    return young && a.psk !== undefined && a.psk === b.psk;
  }

  /** Does something, and waits until both have another key than before, and the same. */
  async renewed(seconds: number, what: string, work: () => Promise<unknown>): Promise<void> {
    const before = (await this.reports()).map(({ psk }) => psk);
    await work();
    await this.within(seconds, what, async () => {
      const [a, b] = await this.reports();
      return a.psk !== undefined && a.psk === b.psk && !before.includes(a.psk);
    });
  }

  /** Waits until something is so; the seconds that it took. */
  async within(seconds: number, what: string, ask: () => Promise<boolean>): Promise<number> {
    const began = performance.now();
    if (!(await until(seconds * 1000, ask, 100))) {
      const seen = JSON.stringify(await this.reports(), undefined, 1);
      throw new Error(`${what}: not within ${seconds} s\n${seen}\n${await this.said()}`);
    }
    return (performance.now() - began) / 1000;
  }

  /** What both daemons and their readers have said. */
  async said(): Promise<string> {
    const both = await this.both(({ host }) => this.on(host, `journalctl -q --no-pager -n 30 -u ${this.unit}`));
    return both.join("--\n");
  }

  /** A ping by the link, answered within some seconds. */
  ping = async (from: string, seconds = 10): Promise<boolean> => {
    const { code } = await this.lab.exec(from, [
      ...["ping", "-n", "-q", "-c", "1", "-W", "1", "-w", `${seconds}`, this.address(this.other(from).host)],
    ]);
    return code === 0;
  };

  /** What goes by the link is protected, and it goes. */
  async passes(from: string): Promise<boolean> {
    if (!(await this.ping(from, 1))) return false;
    return (await this.reports()).every((report) => report.protected === "yes");
  }
}

export const kill = (pair: Pair, host: string, signal: string): Promise<string> =>
  pair.on(host, `kill -${signal} $(systemctl show -p MainPID --value ${pair.unit})`);
