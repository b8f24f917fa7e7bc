/**
 * What `npm run demo` shows after set-up: three hosts, a real `pulumi up`, and proof in plain words of what it did.
 * The lab stays up, with all that is needed to go on by hand.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changed, counted, diagnostics } from "../test/e2e/engine/output";
import { Lab } from "../test/lab";
import { labFolder } from "../test/lab/files";

const root = join(__dirname, "../..");
const name = process.env.OVERLAY_LAB ?? "lab";
/** With the lab itself: what is known of its hosts goes when they go. */
const folder = join(labFolder(name), "demo");
const log = join(folder, "log");
const environment = { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "", OVERLAY_LAB: name };

const say = (text = ""): void => console.log(text);

/** Runs a step of the demo, and says how long it took. */
async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`${title} … `);
  const began = Date.now();
  try {
    const result = await work();
    say(`${((Date.now() - began) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    say("failed");
    throw error;
  }
}

/** Runs the CLI in the project's folder; all that it prints goes to the log. */
function pulumi(...command: string[]): Promise<string> {
  appendFileSync(log, `\n$ pulumi ${command.join(" ")}\n`);
  const child = spawn("pulumi", [...command, "--non-interactive", "--color", "never"], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      appendFileSync(log, chunk);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(text);
      else reject(new Error([`pulumi ${command.join(" ")} ended with ${code}:`, ...errors(text)].join("\n")));
    });
  });
}

const errors = (text: string): string[] =>
  Object.entries(diagnostics(text)).flatMap(([resource, lines]) =>
    lines.filter((line) => /^(error:|\*) /.test(line)).map((line) => `  ${resource}: ${line}`),
  );

/** Logins that a host's own sshd has counted. */
async function logins(lab: Lab): Promise<number> {
  const counts = await Promise.all(
    lab.hosts.map((host) => lab.exec(host, "journalctl --quiet --output=cat _COMM=sshd | grep -c '^Accepted' || true")),
  );
  return counts.reduce((sum, { stdout }) => sum + Number(stdout), 0);
}

interface Side {
  node: string;
  device: string;
  endpoint?: string;
  mtu: number;
}

/** Each side of each link: what was declared, and what the kernel and two pings say. */
async function table(lab: Lab): Promise<string[][]> {
  const links = JSON.parse(await pulumi("stack", "output", "links", "--json")) as Record<string, [Side, Side]>;
  const sides = Object.entries(links)
    .sort()
    .flatMap(([link, [a, b]]) => [
      { link, own: a, peer: b },
      { link, own: b, peer: a },
    ]);
  const rows = sides.map(async ({ link, own, peer }) => {
    const { v4, v6 } = await overlayAddresses(lab, peer);
    const [ping4, ping6] = [await ping(lab, own.node, v4), await ping(lab, own.node, v6)];
    const { stdout } = await lab.exec(
      own.node,
      `wg show ${own.device} latest-handshakes | cut -f 2; date +%s; cat /sys/class/net/${own.device}/mtu`,
    );
    const [handshake, now, mtu] = stdout.split("\n").map(Number);
    const age = handshake ? `${(now ?? 0) - handshake} s ago` : "never";
    return [link, `${own.node} to ${peer.node}`, own.device, own.endpoint ?? "is called", `${mtu}`, age, ping4, ping6];
  });
  return [
    ["LINK", "", "DEVICE", "ENDPOINT", "MTU", "HANDSHAKE", "PING IPv4", "PING IPv6"],
    ...(await Promise.all(rows)),
  ];
}

async function overlayAddresses(lab: Lab, side: Side): Promise<{ v4: string; v6: string }> {
  const { stdout } = await lab.exec(side.node, `ip -o addr show dev ${side.device} scope global`);
  const of = (family: string) => new RegExp(`${family} (\\S+)/`).exec(stdout)?.[1] ?? "";
  return { v4: of("inet"), v6: of("inet6") };
}

/** Round trip of the best of three, or what went wrong. */
async function ping(lab: Lab, from: string, to: string): Promise<string> {
  const { code, stdout } = await lab.exec(from, ["ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", "5", to]);
  const [, best] = /min\/\S+ = ([\d.]+)\//.exec(stdout) ?? [];
  if (code !== 0 || best === undefined) throw new Error(`No answer to a ping from ${from} to ${to}: ${stdout.trim()}`);
  return `${best} ms`;
}

function print(rows: string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) say(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

/** The lab that is up, or a new one. */
async function openLab(): Promise<Lab> {
  const up = existsSync(join(labFolder(name), "lab.json"));
  const lab = await step(up ? "The lab is up already" : "Three hosts boot: lux, fra, hkg", () =>
    up ? Promise.resolve(Lab.open(name)) : Lab.up("lab", { name }),
  );
  if (!existsSync(folder)) rmSync(join(root, "Pulumi.lab.yaml"), { force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(log, "");
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`);
  writeFileSync(join(folder, "env"), [`eval "$(sh '${root}/scripts/env.sh')"`, ...exports, ""].join("\n"));
  await pulumi("stack", "select", "--create", "lab");
  return lab;
}

/** `pulumi up`, and how often it connected to a host. */
async function counting(lab: Lab, title: string, ...options: string[]): Promise<{ text: string; connections: number }> {
  const before = await logins(lab);
  const text = await step(title, () => pulumi("up", "--yes", ...options));
  const connections = (await logins(lab)) - before;
  say(`  ${counted(text).join(", ")}; SSH connections that the hosts saw: ${connections}`);
  return { text, connections };
}

/** What is promised of a step, held against what was seen. */
function hold(promise: string, holds: boolean): void {
  if (!holds) throw new Error(`This is not so: ${promise}.`);
}

async function main(): Promise<void> {
  const lab = await openLab();

  const first = await counting(lab, "pulumi up (stacks/lab.ts)");
  const [about, lines] =
    Object.entries(diagnostics(first.text)).find(([resource]) => /lux-fra@lux/.test(resource)) ?? [];
  if (about && lines) {
    say(`\nWhat it told lux for its link to fra, in the kernel tools' own words:\n`);
    for (const line of lines) say(`  ${line}`);
  }

  say();
  const rows = await step("Every pair of hosts pings each other over the overlay", () => table(lab));
  say();
  print(rows);

  say();
  const again = await counting(lab, "pulumi up --skip-preview, with nothing to do", "--skip-preview");
  hold("what is as declared is not asked after", again.connections === 0);
  hold(
    "a second up changes nothing",
    counted(again.text).every((line) => line.endsWith("unchanged")),
  );

  const drift = "ip link set dev inter-fra mtu 1400";
  say(`\nSomebody changes lux by hand: ${drift}`);
  await lab.exec("lux", drift);
  const refreshed = await step("pulumi refresh --diff", () => pulumi("refresh", "--yes", "--skip-preview", "--diff"));
  for (const line of changed(refreshed)) say(`  ${line}`);
  hold("drift is the one line that differs", changed(refreshed).length === 2);
  const repaired = await step("pulumi up", () => pulumi("up", "--yes", "--skip-preview"));
  const { stdout } = await lab.exec("lux", "cat /sys/class/net/inter-fra/mtu");
  say(`  ${counted(repaired).join(", ")}; the MTU of inter-fra on lux is ${stdout.trim()} again`);
  hold("up repairs what drifted", stdout.trim() === "1420");

  say(`
The lab stays up. To go on by hand${process.env.SUDO_USER ? " (as root: sudo -s)" : ""}:

  . ${join(folder, "env")}
  npm run -s lab -- status
  npm run -s lab -- exec fra wg show
  npm run -s lab -- exec lux wg set inter-hkg listen-port 9     # break something,
  pulumi refresh --diff                                         # see it,
  pulumi up                                                     # mend it
  sed -i 's/a: fra, b: hkg/&, keepalive: 15/' stacks/lab.ts     # change something,
  pulumi preview --diff                                         # see every line of it
  npm run -s lab -- break reboot hkg                            # and it all comes back:
  npm run -s lab -- exec hkg wg show
  OVERLAY_ALLOW_DESTROY=on pulumi destroy                       # away with it, which it must be told to mean,
  npm run -s lab -- down                                        # and with the lab`);
}

main().catch((error: Error) => {
  say(`\n${error.message}\n\nAll that pulumi said is in ${log}.`);
  say("The lab is left as it is: `npm run -s lab -- status` looks at it, `npm run -s lab -- down` removes it.");
  process.exitCode = 1;
});
