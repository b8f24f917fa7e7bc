/** `npm run demo` after set-up: three hosts, three links, and the proof that they are what the program says. */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Lab, type Result } from "../test/lab";

const root = resolve(__dirname, "../..");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pulumi-overlay");
const folder = join(cache, "demo");
const log = join(folder, "demo.log");
const backend = `file://${join(folder, "state")}`;

/** Overlay addresses of stacks/lab.ts. */
const overlay = {
  lux: ["10.255.0.1", "fd00:6f::1"],
  fra: ["10.255.0.2", "fd00:6f::2"],
  hkg: ["10.255.0.3", "fd00:6f::3"],
};
type Name = keyof typeof overlay;
const names = Object.keys(overlay) as Name[];

/** Seconds after which a run is broken off. */
const LIMIT = 300;

class Failure extends Error {}

const say = (...lines: string[]): void => console.log(lines.join("\n"));

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now();
  process.stdout.write(`${title} … `);
  try {
    const result = await work();
    say(`${((Date.now() - began) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    say("failed");
    throw error;
  }
}

function pulumi(...args: string[]): Promise<string> {
  const command = [...args, "--stack", "lab", "--non-interactive", "--color", "never"];
  const child = spawn("pulumi", command, {
    cwd: root,
    env: { ...process.env, PULUMI_BACKEND_URL: backend, PULUMI_CONFIG_PASSPHRASE: "" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT * 1000,
  });
  const file = createWriteStream(log, { flags: "a" });
  file.write(`\n$ pulumi ${command.join(" ")}\n`);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      file.write(chunk);
    });
  }
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (code) => {
      file.end();
      if (code === 0) done(text);
      else failed(new Failure(`\`pulumi ${args.join(" ")}\` ended with ${code}:\n${text.trimEnd()}`));
    });
  });
}

/** The kernel lines of a diff that go or come. */
const changedLines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[-+] (ip|wg|nft|sysctl|systemctl|install|#) ?/.test(line));

/** The last section `Resources:`, `17 created`. */
function counted(text: string): string {
  const [section = ""] = (text.split("\nResources:\n").at(-1) ?? "").split("\n\n");
  const lines = section.split("\n").map((line) => line.trim().replace(/^[-+~] /, ""));
  return lines.filter((line) => line !== "").join(", ");
}

/** Logins that the hosts' sshd have seen. */
async function logins(lab: Lab): Promise<number> {
  const seen = await Promise.all(
    names.map((name) => lab.exec(name, ["sh", "-c", "journalctl -q -u ssh -o cat | grep -c '^Accepted' || :"])),
  );
  return seen.reduce((sum, { stdout }) => sum + Number(stdout), 0);
}

const must = ({ code, stdout, stderr }: Result, what: string): string => {
  if (code !== 0) throw new Failure(`${what}: ${stderr || stdout}`);
  return stdout;
};

/** Milliseconds of one echo, or undefined when it does not come back within 3 s. */
async function echo(lab: Lab, from: Name, address: string): Promise<number | undefined> {
  const { stdout } = await lab.exec(from, ["ping", "-n", "-c", "1", "-W", "3", address]);
  const [, time] = /time=([\d.]+) ms/.exec(stdout) ?? [];
  return time === undefined ? undefined : Number(time);
}

/** Two sides that call each other in the same moment miss each other, and try again after 5 s (REKEY_TIMEOUT). */
async function linked(lab: Lab): Promise<void> {
  const everybody = names.flatMap((own) => names.filter((peer) => peer !== own).map((peer) => ({ own, peer })));
  for (const { own, peer } of everybody) {
    const answers = () => echo(lab, own, overlay[peer][0] ?? "");
    for (let tries = 1; (await answers()) === undefined; tries++) {
      if (tries === 5) throw new Failure(`${own} gets no echo from ${peer}.`);
    }
  }
}

interface Row {
  side: string;
  endpoint: string;
  handshake: string;
  mtu: string;
  v4: string;
  v6: string;
}

/** One side of a link as its host has it. */
async function row(lab: Lab, own: Name, peer: Name): Promise<Row> {
  const device = `inter-${peer}`;
  const [v4, v6] = await Promise.all(overlay[peer].map((address) => echo(lab, own, address)));
  const dump = must(await lab.exec(own, ["wg", "show", device, "dump"]), `wg show ${device} on ${own}`);
  const [, , endpoint = "-", , handshake = "0"] = (dump.trim().split("\n")[1] ?? "").split("\t");
  const link = must(
    await lab.exec(own, ["ip", "-j", "link", "show", "dev", device]),
    `ip link show ${device} on ${own}`,
  );
  const [{ mtu }] = JSON.parse(link) as [{ mtu: number }];
  if (v4 === undefined || v6 === undefined) throw new Failure(`${own} gets no echo from ${peer} over ${device}.`);
  return {
    side: `${own} → ${peer}`,
    endpoint,
    handshake: `${Math.max(0, Math.round(Date.now() / 1000) - Number(handshake))} s ago`,
    mtu: String(mtu),
    v4: `${v4} ms`,
    v6: `${v6} ms`,
  };
}

function table(rows: Row[]): string {
  const heads = {
    side: "LINK",
    endpoint: "ENDPOINT",
    handshake: "HANDSHAKE",
    mtu: "MTU",
    v4: "PING V4",
    v6: "PING V6",
  };
  const all = [heads, ...rows];
  const width = (name: keyof Row) => Math.max(...all.map((one) => one[name].length));
  const line = (one: Row) =>
    (Object.keys(heads) as (keyof Row)[]).map((name) => one[name].padEnd(width(name))).join("  ");
  return all.map((one) => `  ${line(one).trimEnd()}`).join("\n");
}

async function configOf(resource: string): Promise<string> {
  const exported = JSON.parse(await pulumi("stack", "export")) as {
    deployment: { resources: { urn: string; outputs?: { config?: string } }[] };
  };
  return exported.deployment.resources.find(({ urn }) => urn.endsWith(`::${resource}`))?.outputs?.config ?? "";
}

async function demo(): Promise<void> {
  mkdirSync(join(folder, "state"), { recursive: true });
  const lab = await step("three hosts on three networks: lux, fra, hkg", async () =>
    (await Lab.names()).includes("lab") ? Lab.open("lab") : Lab.up("lab", { name: "lab" }),
  );
  await step("a Pulumi stack of its own", () => pulumi("stack", "select", "--create"));
  const first = await step("pulumi up: three nodes, three links", () => pulumi("up", "--yes", "--skip-preview"));
  say(`  ${counted(first)}`, "");

  say("What fra's kernel was told for its side of lux-fra:");
  say((await configOf("lux-fra@fra")).trimEnd().replace(/^/gm, "  "), "");

  await step("every host hears every other", () => linked(lab));
  say("What the hosts say themselves:");
  const pairs = names.flatMap((own) => names.filter((peer) => peer !== own).map((peer) => [own, peer] as const));
  const rows = [];
  for (const [own, peer] of pairs) rows.push(await row(lab, own, peer));
  say(table(rows), "");

  const before = await logins(lab);
  const second = await step("pulumi up once more", () => pulumi("up", "--yes", "--skip-preview"));
  say(
    `  ${counted(second)}; ${(await logins(lab)) - before} SSH connections: what is as declared is not asked after`,
    "",
  );

  say("Somebody changes something by hand:", "  lux# ip link set dev inter-fra mtu 1400");
  must(await lab.exec("lux", ["ip", "link", "set", "dev", "inter-fra", "mtu", "1400"]), "ip link set on lux");
  const drift = changedLines(
    await step("pulumi refresh --diff", () => pulumi("refresh", "--yes", "--skip-preview", "--diff")),
  );
  if (drift.length !== 2)
    throw new Failure(`refresh should show one line that differs, and shows:\n${drift.join("\n")}`);
  say(drift.join("\n").replace(/^/gm, "  "), "");

  const repair = await step("pulumi up repairs it", () => pulumi("up", "--yes", "--skip-preview", "--diff"));
  say(changedLines(repair).join("\n").replace(/^/gm, "  "));
  const link = must(await lab.exec("lux", ["ip", "link", "show", "dev", "inter-fra"]), "ip link show on lux");
  if (!link.includes("mtu 1420")) throw new Failure(`inter-fra on lux is not repaired:\n${link}`);
  say(
    "",
    "The lab is up. Things to try:",
    "",
    "  npm run -s lab -- status",
    "  npm run -s lab -- exec lux wg show",
    "  npm run -s lab -- exec lux ping -c 3 10.255.0.3",
    "  npm run -s lab -- break power fra           # then: heal power fra, and the links are back without Pulumi",
    "  npm run -s lab -- rebuild hkg               # a new, empty machine; the next `pulumi up` makes it what it was",
    "",
    "Pulumi by hand, on the program stacks/lab.ts:",
    "",
    '  eval "$(sh scripts/env.sh)"',
    `  export PULUMI_BACKEND_URL=${backend} PULUMI_CONFIG_PASSPHRASE=`,
    "  pulumi preview --stack lab --diff",
    "  OVERLAY_LIVE=on pulumi preview --stack lab --diff   # reads the hosts first",
    "",
    "And when you have seen enough:",
    "",
    "  npm run -s lab -- down",
    "",
  );
}

demo().catch((error: unknown) => {
  say("", error instanceof Failure ? error.message : String(error instanceof Error ? error.stack : error));
  say("", `Everything that Pulumi printed is in ${log}. The lab is left as it is: \`npm run -s lab -- status\`.`);
  process.exitCode = 1;
});
