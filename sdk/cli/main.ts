/** The command-line tool `overlay`. */
import "../nodeVersion";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { marked } from "../codes";
import { missingKey, withPrivateKey } from "../wireguard/quick";
import { ToolError, toldOf } from "./error";
import { readInput } from "./file";
import { type Key, keyIn } from "./key";
import { qr } from "./qr";

const { version } = JSON.parse(readFileSync(join(__dirname, "../../../package.json"), "utf8")) as { version: string };

const told = (path: string, { made, exposed, publicKey }: Key): void => {
  if (made) process.stderr.write(`overlay: made ${path}; its public key, to be declared: ${publicKey}\n`);
  if (exposed) process.stderr.write(`overlay: others may read ${path}: chmod 600 ${path}\n`);
};

/** The text of a machine: that of a link is the output itself, those of a mesh are in it by name. */
function textOf(name: string, json: string): string {
  let output: unknown;
  try {
    output = JSON.parse(json);
  } catch {
    throw new ToolError("cli/option", "standard input is no JSON: pipe `pulumi stack output NAME --json` into this");
  }
  if (typeof output === "string") return output;
  const texts = Object(output) as Record<string, unknown>;
  const text = texts[name];
  if (typeof text === "string") return text;
  const names = Object.keys(texts).filter((it) => typeof texts[it] === "string");
  throw new ToolError("cli/option", `the output has no file for ${name}, only for ${names.join(", ") || "nobody"}`);
}

function peer(name: string, { key: path, qr: asQr }: { key: string; qr?: true }): void {
  const text = textOf(name, readInput("-"));
  const key = keyIn(path);
  told(path, key);
  const file = withPrivateKey(text, name, key.privateKey);
  if (file === undefined)
    throw new ToolError("cli/option", `the text has no line "${missingKey(name)}": give what output wgQuick says`);
  process.stdout.write(asQr ? `${qr(file)}\n` : file);
}

function key(path: string): void {
  const key = keyIn(path);
  told(path, { ...key, made: false });
  process.stdout.write(`${key.publicKey}\n`);
}

/** What commander objects to: `error: unknown option '--jsn'\n(Did you mean --json?)\n` */
const objection = (text: string): string =>
  text
    .replace(/^error: /, "")
    .trim()
    .replaceAll("\n", " ");

const program = new Command("overlay")
  .description("Beside Pulumi: what a program cannot do.")
  .version(version)
  .configureOutput({
    outputError: (text, write) => write(`overlay: ${marked("cli/option", objection(text))}\n`),
  });
program
  .command("key")
  .description("prints the public key of a machine of somebody else, for `publicKey` of a peer")
  .argument("<file>", "its private key; where there is none yet, one is made there")
  .action(key);
program
  .command("peer")
  .description("prints the wg-quick file of a machine of somebody else, from the output `wgQuick` on standard input")
  .argument("<name>", "the machine's name, as declared")
  .requiredOption("--key <file>", "its private key; where there is none yet, one is made there")
  .option("--qr", "as a QR code for the WireGuard app")
  .action(peer);

/** In files of their own, of which those of the one that is asked for are loaded, and of help all: half of a start. */
const ADD: Record<string, () => (program: Command) => unknown> = {
  doctor: () => (require("./doctor") as typeof import("./doctor")).addDoctor,
  report: () => (require("./report") as typeof import("./report")).addReport,
  rosenpass: () => (require("./rosenpass") as typeof import("./rosenpass")).addRosenpass,
  status: () => (require("./status") as typeof import("./status")).addStatus,
  topology: () => (require("./topology") as typeof import("./topology")).addTopology,
  truth: () => (require("./truth") as typeof import("./truth")).addTruth,
};
const [, , name = ""] = process.argv;
const here = program.commands.some((command) => command.name() === name);
const asked = Object.hasOwn(ADD, name) ? ADD[name] : undefined;
for (const add of here ? [] : asked ? [asked] : Object.values(ADD)) add()(program);

// Somebody has read enough, as head(1): what is not read is lost, and no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

program.parseAsync().catch((error: Error) => {
  process.stderr.write(`overlay: ${toldOf(error)}\n`);
  process.exitCode ||= 1;
});
