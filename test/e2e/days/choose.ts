/** Hosts that choose where they call each other: a network of links, and signed documents in a folder of each host. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentFiles, apply, chooseFiles, type Hosts, snapshot } from "../../../sdk/host";
import { changes, type Fact, live, queries } from "../../../sdk/kernel";
import { type ChooserSpec, chooser, node } from "../../../sdk/node";
import { wireguard } from "../../../sdk/wireguard";
import type { Lab } from "../../lab";
import { must, pause } from "../../lab/run";
import { bring, connectionTo, OWNER } from "../hosts";
import { IDS, KEY, on, PREFIXES } from "./network";

const STACK = OWNER;
export const overlay = (host: string): string[] => [`10.255.0.${IDS[host]}`, `fd00:6f::${IDS[host]}`];

/** A key of a stack, as people have them. */
export class Signer {
  readonly #folder = mkdtempSync(join(tmpdir(), "overlay-signer-"));
  #signed = 0;

  static async make(): Promise<Signer> {
    const signer = new Signer();
    await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(signer.#folder, "key")]);
    return signer;
  }

  get publicKey(): string {
    return readFileSync(join(this.#folder, "key.pub"), "utf8").trim();
  }

  async sign(text: string): Promise<string> {
    const file = join(this.#folder, `text${this.#signed++}`);
    writeFileSync(file, text);
    await must(["ssh-keygen", "-q", "-Y", "sign", "-n", "overlay-truth", "-f", join(this.#folder, "key"), file]);
    return readFileSync(`${file}.sig`, "utf8");
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** A host's extract, its own end counted. */
export const extract = (host: string, serial: number, lines: string[], stack = STACK): string => {
  const all = [
    "overlay-extract 1",
    "network lab",
    `stack ${stack}`,
    `serial ${serial}`,
    `node ${host}`,
    ...PREFIXES.map((prefix) => `overlay ${prefix}`),
    ...lines,
  ];
  return [...all, `end ${all.length}`, ""].join("\n");
};

export class Choosing {
  #serial = 0;

  private constructor(
    readonly lab: Lab,
    readonly hosts: Hosts,
    readonly signer: Signer,
    readonly keys: Record<string, string>,
  ) {}

  /** Nodes on all hosts and these links, of which the first host calls the second at its first address. */
  static async make(lab: Lab, hosts: Hosts, links: [string, string][]): Promise<Choosing> {
    const { spec, plan } = node(agentFiles());
    const bringUp = (host: string, facts: Fact[], file: string) =>
      bring(hosts.session(connectionTo(lab, host)), facts, file);
    await Promise.all(
      lab.hosts.map((host) => {
        const own = { node: host, owner: OWNER, id: IDS[host] ?? 0, addresses: overlay(host), prefixes: PREFIXES };
        return bringUp(host, plan(spec.parse(own)), "10-node");
      }),
    );
    const keys = await Promise.all(
      lab.hosts.map(async (host) => {
        const { keys } = await snapshot(hosts.session(connectionTo(lab, host)), [`key ${KEY}`]);
        return [host, keys[KEY] ?? ""] as const;
      }),
    );
    const choosing = new Choosing(lab, hosts, await Signer.make(), Object.fromEntries(keys));
    for (const [a, b] of links) {
      await bringUp(b, choosing.link(b, a), `50-inter-${a}`);
      await bringUp(a, choosing.link(a, b, choosing.endpoints(a, b)[0]), `50-inter-${b}`);
    }
    return choosing;
  }

  /** Facts of one end of a link; `more`: of its spec. */
  link(host: string, peer: string, endpoint?: string, more: object = {}): Fact[] {
    const { spec, plan } = wireguard;
    return plan(
      spec.parse({
        node: host,
        owner: OWNER,
        link: [host, peer].sort().join("-"),
        device: `inter-${peer}`,
        id: IDS[host] ?? 0,
        mtu: 1420,
        listenPort: 11000 + (IDS[peer] ?? 0),
        addresses: overlay(host),
        peer: {
          name: peer,
          id: IDS[peer] ?? 0,
          publicKey: this.keys[peer] ?? "",
          addresses: overlay(peer),
          ...(endpoint !== undefined && { endpoint, keepalive: 25 }),
        },
        ...more,
      }),
    );
  }

  /** Where one host calls another, IPv4 first. */
  endpoints(host: string, peer: string): [string, string] {
    const [v4 = "", v6 = ""] = this.lab.json.hosts[peer]?.addresses ?? [];
    const port = 11000 + (IDS[host] ?? 0);
    return [`${v4}:${port}`, `[${v6}]:${port}`];
  }

  peerLine = (peer: string, role = "chooser"): string => `peer ${this.keys[peer]} inter-${peer} ${peer} ${role}`;

  endpointLine = (peer: string, endpoint: string, cost = 10): string => {
    const [, address, port] = /^\[?(.*?)\]?:(\d+)$/.exec(endpoint) ?? [];
    return `endpoint ${this.keys[peer]} ${address} ${port} ${cost}`;
  };

  /** Lines for a host that calls a peer at these endpoints. */
  lines = (peer: string, endpoints: string[], role?: string): string[] => [
    this.peerLine(peer, role),
    ...endpoints.map((endpoint, index) => this.endpointLine(peer, endpoint, 10 * (index + 1))),
  ];

  chooserFacts(host: string, more: Partial<ChooserSpec> = {}): Fact[] {
    const { spec, plan } = chooser(chooseFiles());
    const of = Object.entries(this.keys).map(([peer, publicKey]) => ({ publicKey, address: `fe80::${IDS[peer]}` }));
    const stacks = [{ stack: STACK, signers: [this.signer.publicKey], of }];
    const own = { node: host, owner: OWNER, network: "lab", stacks, sources: [{ file: "/srv/truth" }], fetch: 1 };
    return plan(spec.parse({ ...own, prefixes: PREFIXES, ...more }));
  }

  /** Starts the agent on a host, with an extract of these lines. */
  async start(host: string, lines: string[], more: Partial<ChooserSpec> = {}): Promise<void> {
    await this.publish(host, lines);
    const left = await bring(
      this.hosts.session(connectionTo(this.lab, host)),
      this.chooserFacts(host, more),
      "70-choose",
    );
    if (left.length > 0) throw new Error(`${host}: ${left.join("\n")}`);
  }

  /** Takes the agent from a host. */
  async stop(host: string): Promise<void> {
    const session = this.hosts.session(connectionTo(this.lab, host));
    const facts = this.chooserFacts(host);
    const seen = await snapshot(session, queries(facts));
    const { commands } = changes(live(seen, facts), [], { wireguard: "userspace" });
    const { failed } = await apply(session, { commands, queries: [], owners: [OWNER] });
    if (failed) throw new Error(failed.message);
  }

  /** Writes the extract of a host into its store; a serial or a signature of its own makes it a bad one. */
  async publish(
    host: string,
    lines: string[],
    { serial = ++this.#serial, signer = this.signer, stack = STACK } = {},
  ): Promise<void> {
    const text = extract(host, serial, lines, stack);
    await this.put(host, text, await signer.sign(text), stack);
  }

  async put(host: string, text: string, signature: string, stack = STACK): Promise<void> {
    const at = `/srv/truth/lab/hosts/${host}/${stack.replace("/", ".")}`;
    for (const [path, input] of [
      [`${at}.sig`, signature],
      [at, text],
    ] as const) {
      const { code, stderr } = await this.lab.exec(host, `mkdir -p ${at.replace(/[^/]*$/, "")}; cat >${path}`, {
        input,
      });
      if (code !== 0) throw new Error(stderr);
    }
  }

  /** What the agent of a host has said since it was asked last, without the prefix of the journal. */
  async said(host: string): Promise<string[]> {
    const told =
      "journalctl -q -o cat --sync; journalctl -q -o cat -t sh --cursor-file=/run/choose-test.cursor -u overlay-choose";
    return (await on(this.lab, host, told)).split("\n").filter(Boolean);
  }

  endpoint = async (host: string, peer: string): Promise<string> =>
    (await on(this.lab, host, `wg show inter-${peer} endpoints`)).trim().split("\t")[1] ?? "";

  /** Packets to or from a host's address are lost on a host: by nft's words for its input or output. */
  async cut(host: string, rules: { input?: string[]; output?: string[] }): Promise<void> {
    const chain = (name: "input" | "output") =>
      `chain ${name} { type filter hook ${name} priority -500;\n${(rules[name] ?? []).map((it) => `${it} drop`).join("\n")}\n}`;
    const table = `table inet cut {}\ndelete table inet cut\ntable inet cut {\n${chain("input")}\n${chain("output")}\n}\n`;
    const { code, stderr } = await this.lab.exec(host, "nft -f -", { input: table });
    if (code !== 0) throw new Error(stderr);
  }

  heal = (host: string): Promise<string> => on(this.lab, host, "nft delete table inet cut 2>/dev/null || :");
}

/** Waits until something is so; the seconds that it took. */
export async function within(seconds: number, what: string, ask: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  const passed = (): number => (performance.now() - began) / 1000;
  while (!(await ask())) {
    if (passed() > seconds) throw new Error(`${what}: not within ${seconds} s`);
    await pause(100);
  }
  return passed();
}
