/** `overlay truth`: a source of truth by hand, beside what Pulumi writes into it. */
import { createInterface } from "node:readline/promises";
import { type Command, InvalidArgumentError } from "commander";
import { CodedError, marked } from "../codes";
import * as truth from "../truth";
import { ToolError } from "./error";
import { readInput } from "./file";

interface Place {
  store: string;
}
interface Signing {
  signers?: string;
}

const readSigners = ({ signers: path }: Signing): truth.Signers | undefined =>
  path === undefined ? undefined : truth.parseSigners(readInput(path));

const print = (text: string): boolean => process.stdout.write(`${text}\n`);

/** The document, or what is wrong: a text that is none is for `put` to replace, and not for others to take for one. */
async function current(place: Place, network: string): Promise<truth.Document> {
  const store = truth.openStore(place.store);
  const seen = await truth.readUnverified({ store, network });
  if (seen) return seen.document;
  process.exitCode = truth.ABSENT;
  throw new ToolError("cli/absent", `there is no document of network ${network} in ${place.store}`);
}

async function ofSerial(place: Place, network: string, serial: number): Promise<truth.Document | undefined> {
  const stored = await truth.openStore(place.store).get(truth.logKey(network, serial));
  if (!stored) return undefined;
  const parsed = truth.parseDocument(stored.text);
  return "value" in parsed ? parsed.value : undefined;
}

async function get(network: string, options: Place & Signing & { serial?: number; except?: string }): Promise<void> {
  const { store: address, serial } = options;
  const store = truth.openStore(address);
  const signers = readSigners(options);
  const past = serial === undefined ? undefined : await ofSerial(options, network, serial);
  if (serial !== undefined && !past)
    throw new ToolError("cli/absent", `serial ${serial} of network ${network} is not kept in ${address}`);
  const seen =
    past ??
    (signers ? (await truth.read({ store, network, signers }, undefined, options.except))?.document : undefined);
  process.stdout.write(truth.print(seen ?? (await current(options, network))));
}

async function verify(network: string, options: Place & Required<Signing>): Promise<void> {
  const document = await current(options, network);
  const signers = readSigners(options) ?? {};
  const store = truth.openStore(options.store);
  for (const stack of Object.keys(document.stacks)) {
    const [fault] = await truth.signatureFaults(document, signers, [stack]);
    const { serial, at } = document.stacks[stack] as truth.Part;
    print(
      `${stack}: serial ${serial} of ${at}: ${fault ? marked(fault.code, `${fault.legal}; ${fault.cure}`) : "signed by its key"}`,
    );
    const stale = fault ? [] : await truth.stale(store, document, stack, truth.wanted(document, stack));
    for (const node of stale) print(`${stack}: ${truth.isStale(node)}`);
    if (fault || stale.length > 0) process.exitCode = 1;
  }
}

async function log(network: string, options: Place & { limit: number; from?: number }): Promise<void> {
  const first = options.from === undefined ? await newest(options, network) : undefined;
  const from = first?.serial ?? options.from ?? 0;
  let document = first ?? (await ofSerial(options, network, from));
  for (let serial = from; serial > 0 && serial > from - options.limit; serial--) {
    const before = await ofSerial(options, network, serial - 1);
    if (document) entry(document, before, serial === 1);
    else print(`${serial}  not kept`);
    document = before;
  }
}

async function newest(place: Place, network: string): Promise<truth.Document> {
  try {
    return await current(place, network);
  } catch (error) {
    const cure = "Say --from SERIAL: `serial` of a stack's SourceOfTruth is one that was seen.";
    throw error instanceof CodedError ? new ToolError(error.code, `${error.message}. ${cure}`) : error;
  }
}

function entry(document: truth.Document, before: truth.Document | undefined, first: boolean): void {
  const changed = Object.entries(document.stacks).filter(
    ([stack, { serial }]) => before?.stacks[stack]?.serial !== serial,
  );
  const gone = Object.keys(before?.stacks ?? {}).filter((stack) => !document.stacks[stack]);
  const who = before || first ? [...changed.map(([stack]) => stack), ...gone.map((stack) => `${stack} (gone)`)] : ["?"];
  const [[, part] = []] = changed;
  print(`${document.serial}  ${part?.at ?? "-"}  ${who.join(", ") || "-"}`);
  if (!before && !first) return;
  for (const line of truth.difference(before, document)) print(`    ${line}`);
}

interface Put extends Place, Signing {
  stack: string;
  key: string;
  above?: number;
  yes?: true;
}

async function put(network: string, file: string, options: Put): Promise<void> {
  const { stack, key, above } = options;
  const store = truth.openStore(options.store);
  const signers = readSigners(options);
  const handed = { store, network, stack, key, signers, ...(above !== undefined && { above }) };
  const prepared = await truth.prepare(handed, readInput(file));
  for (const line of prepared.difference) print(line);
  const count = prepared.difference.length;
  print(
    `${count === 0 ? "Nothing changes but the serial" : `${count} lines differ`}: serial ${prepared.document.serial}, signed by ${stack}.`,
  );
  if (!options.yes && !(await agreed("Write it? [y/N] ")))
    throw new ToolError("cli/unconfirmed", "nothing was written");
  await truth.restore(handed, prepared);
  const { document, before } = prepared;
  const texts = truth.wanted(document, stack, before);
  await truth.publish(store, network, { stack, key }, texts, await truth.stale(store, document, stack, texts));
}

async function agreed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new ToolError("cli/unconfirmed", "nobody is there to ask: say --yes to write it all the same");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(question).finally(() => terminal.close());
  return /^y(es)?$/i.test(answer.trim());
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Legal is a whole number.");
}

export function addTruth(program: Command): void {
  const group = program.command("truth").description("a network's source of truth");
  const of = (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .argument("<network>", "its name")
      .requiredOption("--store <address>", truth.ADDRESSES);
  const SIGNERS = "allowed_signers(5) of the stacks that may write; - is standard input";
  of("get", "prints the document")
    .option("--serial <number>", "as it was then", wholeNumber)
    .option("--signers <file>", `verifies it first: ${SIGNERS}`)
    .option("--except <stack>", "does not verify the part of this one, project/stack")
    .action(get);
  of("verify", "says whether each stack's part, and what its hosts are told, is signed by its key")
    .requiredOption("--signers <file>", SIGNERS)
    .action(verify);
  of("log", "prints who wrote what, the newest first")
    .option("--limit <number>", "how many", wholeNumber, 20)
    .option("--from <serial>", "the first of them, where the document itself is lost", wholeNumber)
    .action(log);
  of("put", "checks a document, shows what it changes, asks, and writes it")
    .argument("<file>", "the document, as `get` printed it, and edited")
    .requiredOption("--stack <name>", "project/stack whose part is signed anew")
    .requiredOption("--key <file>", "key that it is signed with, for ssh-keygen -Y sign")
    .option("--signers <file>", `for parts of others that differ, as in an older document: ${SIGNERS}`)
    .option("--above <serial>", "a serial that others have seen; default: that of what is there", wholeNumber)
    .option("--yes", "does not ask")
    .action(put);
}
