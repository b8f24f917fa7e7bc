/** npm run -s lab -- COMMAND: the lab's command line. Exit codes of `exec` and `ssh` are the command's own. */
import { spawnSync } from "node:child_process";
import { Command, InvalidArgumentError } from "commander";
import { type Break, type BreakKind, KINDS } from "./breaks";
import { Lab } from "./lab";

const program = new Command("lab")
  .description("Test hosts on this machine: they boot, have networks of their own, and can be broken.")
  .enablePositionalOptions();

/** `-n, --name` as every command has it. */
const command = (words: string, description: string): Command =>
  program.command(words).description(description).option("-n, --name <lab>", "which lab", "lab");

const say = (text: string): void => console.error(text);

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const began = Date.now();
  await work();
  say(`${what} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

/** Runs a command in place of this one. */
function become([file = "", ...args]: string[]): void {
  const { status, signal, error } = spawnSync(file, args, { stdio: "inherit" });
  if (error) throw error;
  process.exitCode = status ?? (signal === null ? 1 : 128);
}

const table = (rows: string[][]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

command("up", "make a lab and start its hosts")
  .argument("[topology]", "a file, or a name in test/lab/topologies", "lab")
  .option("--fresh", "take down what is there under this name first", false)
  .action(async (topology: string, { name, fresh }: { name: string; fresh: boolean }) => {
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => stop.abort(new Error(`${signal}: lab ${name} was not made`)));
    }
    await timed(`Lab ${name} is up`, () => Lab.up(topology, { name, fresh, signal: stop.signal }));
    await status([Lab.open(name)]);
  });

command("down", "remove a lab and all that is left of it")
  .option("--all", "every lab of this machine", false)
  .action(async ({ name, all }: { name: string; all: boolean }) => {
    for (const one of all ? await Lab.names() : [name]) await timed(`Lab ${one} is down`, () => Lab.down(one));
  });

async function status(labs: Lab[]): Promise<void> {
  for (const lab of labs) {
    const rows = (await lab.status()).map(({ host, state, segments, addresses, broken }) => [
      host,
      state,
      segments.join(" "),
      addresses.join(" "),
      broken.join(", "),
    ]);
    console.log(table([[lab.name.toUpperCase(), "STATE", "SEGMENT", "ADDRESSES", "BROKEN"], ...rows]));
    for (const { kind, target } of lab.breaks.filter(({ target }) => !rows.some(([host]) => host === target))) {
      console.log(`broken: ${kind} ${target}`);
    }
  }
}

program
  .command("status")
  .description("the labs of this machine and their hosts")
  .option("--json", "lab.json, state and breaks of each", false)
  .action(async ({ json }: { json: boolean }) => {
    const labs: Lab[] = [];
    for (const name of await Lab.names()) {
      try {
        labs.push(Lab.open(name));
      } catch {
        say(
          `Lab ${name} is not whole: it is being started, or its start was cut off. Remove it: lab down --name ${name}`,
        );
      }
    }
    if (json)
      console.log(
        JSON.stringify(
          await Promise.all(labs.map(async (lab) => ({ ...lab.json, status: await lab.status(), breaks: lab.breaks }))),
          undefined,
          2,
        ),
      );
    else if (labs.length > 0) await status(labs);
    else say("No lab is up. Start one: npm run -s lab -- up");
  });

command("exec", "run a command on a host, as root, whatever its network does")
  .argument("<host>")
  .argument("<command...>")
  .passThroughOptions()
  .action((host: string, words: string[], { name }: { name: string }) =>
    become([...Lab.open(name).enter(host), ...words]),
  );

command("ssh", "log in to a host, or run a command there, as the operator does")
  .argument("<host>")
  .argument("[command...]")
  .passThroughOptions()
  .action((host: string, words: string[], { name }: { name: string }) =>
    become([...Lab.open(name).ssh(host), ...words]),
  );

command("rebuild", "replace a host by a new, empty machine at the same addresses")
  .argument("<host>")
  .action((host: string, { name }: { name: string }) =>
    timed(`${host} is another machine now`, () => Lab.open(name).rebuild(host)),
  );

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ""));
  if (value > 0 && value <= 100) return value;
  throw new InvalidArgumentError("It is a percentage over 0 and up to 100, like 30%.");
}

function bytes(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 576 && value <= 9000) return value;
  throw new InvalidArgumentError("It is a number of bytes from 576 to 9000, like 1400.");
}

const breaks = program.command("break").description("break something until it is healed");
const breaking = (words: string, description: string): Command =>
  breaks.command(words).description(description).option("-n, --name <lab>", "which lab", "lab");
const broken = (name: string, one: Break) => timed(`${one.kind} ${one.target}`, () => Lab.open(name).break(one));

breaking("drop", "lose every packet of a host, or of a segment")
  .argument("<target>", "a host or a segment; segment/NAME where both have the name")
  .action((target: string, { name }: { name: string }) => broken(name, { kind: "drop", target }));
breaking("loss", "lose packets at random, each way")
  .argument("<target>", "a host or a segment; segment/NAME where both have the name")
  .argument("<percent>", "like 30%", percent)
  .action((target: string, percent: number, { name }: { name: string }) =>
    broken(name, { kind: "loss", target, percent }),
  );
breaking(
  "netem",
  "delay, lose, reorder… what a vm sends, or all vms of a segment; one that is broken so is broken anew",
)
  .argument("<target>", "a host or a segment; segment/NAME where both have the name")
  .argument("<words...>", "of tc-netem(8), like: delay 40ms 5ms loss 1% rate 10mbit")
  .action((target: string, words: string[], { name }: { name: string }) =>
    broken(name, { kind: "netem", target, words: words.join(" ") }),
  );
breaking("mtu", "let no packet over so many bytes through a segment's router")
  .argument("<segment>")
  .argument("<bytes>", "like 1400", bytes)
  .option("--silent", "do not say `too big` to the sender, as a firewall that drops ICMP", false)
  .action((target: string, bytes: number, { name, silent }: { name: string; silent: boolean }) =>
    broken(name, { kind: "mtu", target, bytes, silent }),
  );
breaking("link", "pull out a host's cables")
  .argument("<host>")
  .action((target: string, { name }: { name: string }) => broken(name, { kind: "link", target }));
breaking("power", "cut a host's power: what it has not synced is lost")
  .argument("<host>")
  .action((target: string, { name }: { name: string }) => broken(name, { kind: "power", target }));
breaking("reboot", "reboot a host as its administrator would (heals by itself)")
  .argument("<host>")
  .action((host: string, { name }: { name: string }) =>
    timed(`${host} has rebooted`, () => Lab.open(name).reboot(host)),
  );

command("heal", `heal all that is broken, or one kind (${KINDS.join(", ")}), or one kind at one place`)
  .argument("[kind]")
  .argument("[target]")
  .action((kind: BreakKind | undefined, target: string | undefined, { name }: { name: string }) => {
    if (kind !== undefined && !KINDS.includes(kind)) {
      throw new Error(`${kind} cannot be healed: it is one of ${KINDS.join(", ")}, or nothing for all`);
    }
    return timed("healed", () => Lab.open(name).heal(kind, target));
  });

program.parseAsync().catch((error: Error) => {
  say(error.message);
  process.exitCode = 1;
});
