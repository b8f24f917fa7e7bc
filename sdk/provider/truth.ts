/** A stack's part of a source of truth, as a resource: the one that is no machine's, so its lifecycle is its own. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { withoutCode } from "../codes";
import { type Fault, fault, fromZod } from "../faults";
import { HostError } from "../host/errors";
import { isPlaceholder, placeholder } from "../kernel/later";
import { nameField } from "../network/fields";
import type { Declared, Known as KnownDocument, Truth, Written } from "../truth";
import * as truth from "../truth";
import type { Engine } from "./engine";
import { same, unknownAt } from "./inputs";
import { NO_SECRET } from "./noSecret";
import { HalfApplied, Refused } from "./outcome";
import type { Known } from "./provider";
import { keyField } from "./truthFields";
import { hasUnknown, isObject, isUnknown, plain, secretPaths, UNKNOWN, type Values } from "./wire";

export const partInputs = z.strictObject({
  store: truth.storeField.describe(`Where the document is: ${truth.ADDRESSES}.`),
  network: nameField.describe("Name of the network."),
  key: keyField.describe("Path of a key that ssh-keygen signs with; a .pub file where an agent has the key."),
  signers: truth.signersField.describe("SSH public keys of each stack that may write, by project/stack."),
  spec: truth.declaredSchema.describe("What this stack says, as JSON."),
  extracts: z
    .string()
    .optional()
    .describe("SHA-256 of what hosts are to be told by what is in the document now; others' parts count in that, too."),
});
type PartInputs = z.output<typeof partInputs>;

/** What differs beside what is said; all of them are inputs. */
const PLACES = ["store", "network", "key", "signers"] as const;

/** What a lifecycle needs of the run of the engine. */
export interface Run {
  engine: Engine | undefined;
  signal: AbortSignal;
}

/** `project/stack` of urn:pulumi:STACK::PROJECT::… */
const stackOf = (urn: string): string => {
  const [start = "", project = ""] = urn.split("::");
  return `${project}/${start.split(":").at(-1)}`;
};

/** JSON in state, an object from a program. */
const nested = (value: unknown): unknown => {
  if (typeof value !== "string" || isUnknown(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};

/** Keys of nodes that are not made yet, as in a preview: what stands for one in a check, and in the text for people. */
function withStandIns(spec: unknown): { spec: unknown; told: [standIn: string, text: string][] } {
  const nodes = isObject(spec) && isObject(spec.nodes) ? spec.nodes : {};
  const told: [string, string][] = [];
  const known = Object.entries(nodes).map(([name, node]) => {
    if (!isObject(node) || !isUnknown(node.publicKey)) return [name, node];
    const standIn = createHash("sha256").update(name).digest("base64");
    told.push([standIn, placeholder(name)]);
    return [name, { ...node, publicKey: standIn }];
  });
  return { spec: told.length === 0 ? spec : { ...(spec as Values), nodes: Object.fromEntries(known) }, told };
}

const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

export const parsed = (inputs: Values): PartInputs => {
  const { store, network, key, signers, spec, extracts } = plain(inputs) as Values;
  const result = partInputs.safeParse({ store, network, key, signers: nested(signers), spec: nested(spec), extracts });
  if (result.success) return result.data;
  throw new Refused(
    "provider/version",
    "The state's inputs are none of this version of the overlay plugin: use the version that wrote them.",
  );
};

const documentOf = ({ store, network, signers }: PartInputs): Truth => ({
  store: truth.openStore(store),
  network,
  signers,
});

/** What state remembers of the document. */
const knownFrom = ({ known }: Values): KnownDocument | undefined =>
  typeof known === "string" && !isUnknown(known) ? (JSON.parse(known) as KnownDocument) : undefined;

/** Hosts that may have been told something: when they lose their last link, only this knows of them. */
const toldFrom = ({ told }: Values): string[] =>
  typeof told === "string" && !isUnknown(told) ? (JSON.parse(told) as string[]) : [];

const outputsOf = (document: Written["document"], stack: string, config: string, told: Iterable<string>): Values => {
  const known = truth.knownOf(document);
  const { identity, serial } = known;
  const extracts = truth.extractsHash(document, stack);
  return { config, known: JSON.stringify(known), told: JSON.stringify([...told]), extracts, identity, serial };
};

/** What the store or the document is to blame for is for the user to mend. */
async function mended<T>(work: Promise<T>): Promise<T> {
  return work.catch((error) => {
    if (error instanceof Error && error.name === "AbortError") throw new HostError("cancelled", "Nothing was written.");
    throw error instanceof truth.TruthError ? new Refused(error.code, error.message) : error;
  });
}

export class TruthParts {
  constructor(private readonly run: Run) {}

  check(_urn: string, news: Values): { inputs: Values } | { faults: Fault[] } {
    const { config: _, ...given } = news;
    const secret = secretPaths(given).map((path) => fault(path, undefined, NO_SECRET));
    const { store, network, key, signers, spec: declared, ...more } = plain(given) as Values;
    const { spec, told } = withStandIns(nested(declared));
    const value: Values = { store, network, key, signers: nested(signers), spec, ...unmarked(more) };
    const result = partInputs.safeParse(value);
    const issues = result.success ? [] : result.error.issues.filter(({ path }) => !unknownAt(value, path));
    const faults = fromZod(new z.ZodError(issues), value, partInputs);
    if (secret.length + faults.length > 0) return { faults: [...secret, ...faults] };
    const { extracts } = value;
    const inputs = {
      ...{ store, network, key, signers: JSON.stringify(value.signers) },
      ...(extracts !== undefined && { extracts }),
    };
    if (!result.success) return { inputs: { ...inputs, spec: UNKNOWN, config: UNKNOWN } };
    const config = told.reduce((it, [from, to]) => it.replaceAll(from, to), text(truth.lines(result.data.spec)));
    return { inputs: { ...inputs, spec: JSON.stringify(result.data.spec), config } };
  }

  async diff({ inputs, outputs }: Known, news: Values): Promise<string[]> {
    const said = isUnknown(news.config) || news.config !== outputs.config ? ["config"] : [];
    const told = news.extracts === undefined || news.extracts === outputs.extracts ? [] : ["extracts"];
    return [...said, ...told, ...PLACES.filter((name) => !same(nested(inputs[name]), nested(news[name])))];
  }

  async previewCreate(urn: string, news: Values): Promise<Values> {
    if (!isUnknown(news.config)) this.run.engine?.info(urn, String(news.config));
    await this.run.engine?.flush();
    await this.foretell(urn, news, undefined);
    const later = { known: UNKNOWN, told: UNKNOWN, extracts: UNKNOWN, identity: UNKNOWN, serial: UNKNOWN };
    return { config: shown(news), ...later };
  }

  async previewUpdate({ urn, inputs, outputs }: Known, news: Values): Promise<Values> {
    const moved = plain(inputs.network) !== news.network;
    await this.foretell(urn, news, moved ? undefined : knownFrom(outputs));
    return { ...outputs, config: shown(news), known: UNKNOWN, told: UNKNOWN, extracts: UNKNOWN, serial: UNKNOWN };
  }

  /** What a run would be refused for, as far as the document can be read from here. */
  private async foretell(urn: string, news: Values, known: KnownDocument | undefined): Promise<void> {
    if (hasUnknown(news)) return;
    const inputs = parsed(news);
    try {
      await truth.rehearse(documentOf(inputs), stackOf(urn), inputs.spec, known);
    } catch (error) {
      if (!(error instanceof truth.TruthError)) throw error;
      if (!["truth/denied", "truth/unreachable"].includes(error.code)) throw new Refused(error.code, error.message);
      this.run.engine?.warn(urn, error.code, `${error.message} What others say is not known to this preview.`);
      await this.run.engine?.flush();
    }
  }

  async create(urn: string, news: Values): Promise<{ id: string; outputs: Values }> {
    const inputs = parsed(news);
    const id = `${inputs.network}/${stackOf(urn)}`;
    return { id, outputs: await this.#write(urn, id, inputs, {}) };
  }

  async update(old: Known, news: Values): Promise<Values> {
    const [before, inputs] = [parsed(old.inputs), parsed(news)];
    const moved = before.network !== inputs.network;
    const again = before.key !== inputs.key || !same(before.signers, inputs.signers);
    const outputs = await this.#write(old.urn, old.id, inputs, moved ? {} : old.outputs, again);
    // Somebody else may be in the old store by now; the same one can be spelt in two ways.
    if (moved && before.store === inputs.store) await this.delete(old);
    else if (before.store !== inputs.store) {
      this.run.engine?.warn(
        old.urn,
        "warning/left",
        `What this stack said in ${before.store} stays there: \`overlay truth put\` takes it out.`,
      );
    }
    return outputs;
  }

  /** `last`: outputs of the run before, if it wrote the same document. */
  async #write(urn: string, id: string, inputs: PartInputs, last: Values, again = false): Promise<Values> {
    const [stack, document, known] = [stackOf(urn), documentOf(inputs), knownFrom(last)];
    const written = await mended(
      truth.write(document, { stack, key: inputs.key, known, again, signal: this.run.signal }, inputs.spec),
    );
    const said = written.document.stacks[stack];
    const config = text(truth.lines(truth.asDeclared(said ?? inputs.spec, inputs.spec)));
    const texts = truth.wanted(written.document, stack, written.before, toldFrom(last));
    try {
      if (written.forged) throw written.forged;
      await this.#publish(inputs, written.document, stack, texts);
    } catch (error) {
      if (!(error instanceof truth.TruthError)) throw error;
      throw new HalfApplied(id, outputsOf(written.document, stack, config, texts.keys()), error.code, [
        `The document is written, and hosts are not told of it all yet: ${error.message}`,
      ]);
    }
    return outputsOf(written.document, stack, config, truth.wanted(written.document, stack).keys());
  }

  /** Tells the hosts what changes for them. */
  async #publish(
    inputs: PartInputs,
    document: Written["document"],
    stack: string,
    texts: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { store, network } = documentOf(inputs);
    const nodes = await truth.stale(store, document, stack, texts);
    await truth.publish(store, network, { stack, key: inputs.key }, texts, nodes);
  }

  async read(old: Known): Promise<Pick<Known, "id" | "outputs" | "inputs"> | undefined> {
    if (Object.keys(old.inputs).length === 0) {
      throw new Refused(
        "provider/noImport",
        "A part of a source of truth is not imported: declare it, and `pulumi up` writes what differs.",
      );
    }
    const [stack, inputs] = [stackOf(old.urn), parsed(old.inputs)];
    const { said, notes, document } = await mended(this.#look(inputs, stack, old.outputs));
    const shown = said ? truth.lines(truth.asDeclared(said, inputs.spec)) : [];
    const config = text([...shown, ...notes.map((note) => `! ${note}`)]);
    return {
      ...old,
      outputs: document ? outputsOf(document, stack, config, toldFrom(old.outputs)) : { ...old.outputs, config },
    };
  }

  /** What the stack says in the document, and what is wrong with that. */
  async #look(inputs: PartInputs, stack: string, last: Values) {
    const document = documentOf(inputs);
    const seen = await troubled(truth.readUnverified(document));
    if ("notes" in seen) return { notes: seen.notes };
    if (!seen.value) return { notes: [`there is no document of network ${inputs.network} in ${inputs.store}`] };
    const said: Declared | undefined = seen.value.document.stacks[stack];
    const verified = await troubled(truth.read(document, knownFrom(last)));
    if ("notes" in verified) return { said, notes: verified.notes };
    const texts = truth.wanted(seen.value.document, stack, undefined, toldFrom(last));
    const stale = await truth.stale(document.store, seen.value.document, stack, texts);
    const notes = stale.map(truth.isStale);
    return { said, notes, document: seen.value.document };
  }

  async delete({ urn, inputs: last, outputs }: Known): Promise<void> {
    const [stack, inputs] = [stackOf(urn), parsed(last)];
    const document = documentOf(inputs);
    try {
      const seen = await truth.readUnverified(document);
      if (!seen) return;
      // A run before may have taken the part out, and told nobody.
      const written = seen.document.stacks[stack]
        ? await truth.withdraw(document, { stack, known: knownFrom(outputs), signal: this.run.signal })
        : { document: seen.document, before: undefined };
      const texts = truth.wanted(written.document, stack, written.before, toldFrom(outputs));
      await this.#publish(inputs, written.document, stack, texts);
    } catch (error) {
      if (!(error instanceof truth.TruthError)) throw error;
      throw new Refused(
        error.code,
        `${error.message} If the document is gone for good, forget this one resource with: pulumi state delete '${urn}'`,
      );
    }
  }
}

/** What stands for a key that comes later is for people, and for nobody's `apply`. */
const shown = ({ config }: Values): unknown => (isPlaceholder(String(config)) ? UNKNOWN : config);

/** Without what the engine adds. */
const unmarked = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith("__")));

/** What cannot be used is for a look to show; what cannot be seen is a failure. */
async function troubled<T>(work: Promise<T>): Promise<{ value: T } | { notes: string[] }> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof truth.TruthError && error.unusable) {
      return { notes: error.message.split("\n").map(withoutCode) };
    }
    throw error;
  }
}
