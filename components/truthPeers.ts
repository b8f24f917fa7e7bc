/** Nodes of other stacks, while a program runs: which of them there are has to be known before anything is declared. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { marked } from "../sdk/codes";
import * as pulumi from "../sdk/provider/pulumi";
import { type Document, MAX_BYTES, parseDocument } from "../sdk/truth/document";
import { ABSENT } from "../sdk/truth/errors";
import { peerOf, type Towards } from "../sdk/truth/peer";
import { allowedSigners } from "../sdk/truth/signature";
import type { TruthData } from "./truthArgs";
import type { ForeignPeer } from "./truthChoosers";

/** The folder of package.json: compiled code lies one level deeper (dist/) than its source. */
const packageRoot = (from: string): string =>
  existsSync(join(from, "package.json")) ? from : packageRoot(dirname(from));

/** Milliseconds: a store's own time limits end before. */
const PATIENCE = 60_000;

/** Of a process that failed: `status` where it ended by itself, `code` where it was ended or did not start. */
interface Failed {
  stderr?: string;
  message: string;
  status?: number | null;
  code?: string;
}

/** What has its code already. */
const CODED = /[ \n]\[[a-z]+\/\w+\]$/;

/** What a read of a document has to know. */
export type Place = Pick<TruthData, "network" | "store" | "signers">;

/**
 * The document, verified; undefined where there is none. `except`: a stack whose part is not looked at, because this run
 * writes it anew. A program cannot wait everywhere, so another process does. Throws a RunError.
 */
export function documentNow({ network, store, signers }: Place, except?: string): Document | undefined {
  const tool = join(packageRoot(__dirname), "dist/sdk/cli/main.js");
  const words = [
    "--no-warnings",
    tool,
    "truth",
    "get",
    network,
    "--store",
    store,
    "--signers",
    "-",
    ...(except === undefined ? [] : ["--except", except]),
  ];
  try {
    const text = execFileSync(process.execPath, words, {
      input: allowedSigners(signers),
      encoding: "utf8",
      maxBuffer: MAX_BYTES,
      timeout: PATIENCE,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const parsed = parseDocument(text);
    if ("value" in parsed) return parsed.value;
    throw new pulumi.RunError(marked("truth/unreadable", `the document of network ${network} cannot be read`));
  } catch (error) {
    if (error instanceof pulumi.RunError) throw error;
    const { stderr, message, status, code } = error as Failed;
    if (status === ABSENT) return undefined;
    const said = (stderr ?? "").trim().replace(/^overlay: /, "");
    if (CODED.test(said)) throw new pulumi.RunError(said);
    const why = code === "ETIMEDOUT" ? `it took longer than ${PATIENCE / 1000} s` : said || message;
    throw new pulumi.RunError(
      marked("truth/unreachable", `the document of network ${network} in ${store} could not be read: ${why}`),
    );
  }
}

/** Throws a RunError where there is no such node. */
export function peerIn(
  { network, store }: Place,
  document: Document | undefined,
  name: string,
  towards: Towards,
): ForeignPeer {
  const found = document && peerOf(document, name, towards);
  if (found?.publicKey !== undefined) return { ...found, publicKey: found.publicKey };
  if (!document) {
    throw new pulumi.RunError(
      marked(
        "input/peer",
        `there is no document of network ${network} in ${store}: run the stack that has ${name} first`,
      ),
    );
  }
  const known = Object.values(document.stacks).flatMap(({ nodes }) => Object.keys(nodes));
  const what = found ? `no key of ${name} yet` : `no node ${name}, only ${known.sort().join(", ") || "none at all"}`;
  throw new pulumi.RunError(marked("input/peer", `network ${network} has ${what}: run the stack that has it first`));
}
