/** The command-line tool `overlay`. */
import "../nodeVersion";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { marked } from "../codes";
import { tell, toldOf } from "./error";

const { version } = JSON.parse(readFileSync(join(__dirname, "../../../package.json"), "utf8")) as { version: string };

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
    outputError: (text) => tell(marked("cli/option", objection(text))),
  });

/** In files of their own, of which those of the one that is asked for are loaded, and of help all: half of a start. */
const ADD: Record<string, () => (program: Command) => unknown> = {
  doctor: () => (require("./doctor") as typeof import("./doctor")).addDoctor,
  key: () => (require("./machine") as typeof import("./machine")).addKey,
  peer: () => (require("./machine") as typeof import("./machine")).addPeer,
  report: () => (require("./report") as typeof import("./report")).addReport,
  rosenpass: () => (require("./rosenpass") as typeof import("./rosenpass")).addRosenpass,
  status: () => (require("./status") as typeof import("./status")).addStatus,
  topology: () => (require("./topology") as typeof import("./topology")).addTopology,
  truth: () => (require("./truth") as typeof import("./truth")).addTruth,
};
const [, , name = ""] = process.argv;
const asked = Object.hasOwn(ADD, name) ? ADD[name] : undefined;
for (const add of asked ? [asked] : Object.values(ADD)) add()(program);

// Somebody has read enough, as head(1): what is not read is lost, and no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

program
  .parseAsync()
  .catch((error: Error) => {
    tell(toldOf(error));
    process.exitCode ||= 1;
  })
  // What goes on ends without it, as ssh does, and nobody needs the heap taken apart.
  .finally(() => process.stdout.write("", () => process.exit()));
