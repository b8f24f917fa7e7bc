import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatWithCodes } from "../../../sdk/faults";
import { type Document, payload } from "../../../sdk/truth/document";
import { extracts } from "../../../sdk/truth/extract";
import {
  allowedSigners,
  NAMESPACE,
  sign,
  signatureFaults,
  signerOf,
  signersField,
  verify,
} from "../../../sdk/truth/signature";
import { sound, twoStacks } from "./arbitrary";
import { Writers } from "./keys";

const writers = new Writers();
afterAll(() => writers.remove());
const prod = writers.make("prod");
const edge = writers.make("edge");
const signers = { "net/prod": [prod.publicKey], "edge/prod": [edge.publicKey] };

async function signed(): Promise<Document> {
  const document = sound(twoStacks());
  for (const [stack, { key }] of [["net/prod", prod] as const, ["edge/prod", edge] as const]) {
    const part = document.stacks[stack];
    if (part) [part.signature = ""] = await sign(key, [payload(document, stack, part)]);
  }
  return document;
}
const partOf = ({ stacks }: Document, stack: string) => stacks[stack] ?? fail(stack);
const fail = (what: string): never => {
  throw new Error(what);
};

test("what both stacks have signed has no faults", async () => {
  expect(await signatureFaults(await signed(), signers)).toEqual([]);
});

test.each<[string, (document: Document) => void]>([
  [
    "another endpoint",
    (it) => Object.assign(partOf(it, "net/prod").nodes.lux?.endpoints[0] ?? {}, { address: "192.0.2.66" }),
  ],
  ["another serial", (it) => Object.assign(partOf(it, "net/prod"), { serial: 9 })],
  [
    "a node more",
    (it) => Object.assign(partOf(it, "net/prod").nodes, { evil: { ...partOf(it, "net/prod").nodes.lux, id: 66 } }),
  ],
  ["a link less", (it) => Object.assign(partOf(it, "net/prod"), { links: {} })],
  [
    "another's signature",
    (it) => Object.assign(partOf(it, "net/prod"), { signature: partOf(it, "edge/prod").signature }),
  ],
  ["another network of the same name", (it) => Object.assign(it, { identity: "f".repeat(32) })],
  [
    "rubbish in its place",
    (it) => Object.assign(partOf(it, "net/prod"), { signature: "-----BEGIN SSH SIGNATURE-----\n" }),
  ],
])("a forged part is refused by name: %s", async (_, forge) => {
  const document = await signed();
  forge(document);
  const said = formatWithCodes(await signatureFaults(document, signers));
  expect(said).toMatch(
    /^stacks\["net\/prod"\]\.signature: legal is a signature of net\/prod of what its part says, and this one is forged/,
  );
});

test("a part without a signature is refused by name, and so is one of somebody who is no writer", async () => {
  const document = await signed();
  partOf(document, "edge/prod").signature = "";
  const said = formatWithCodes(await signatureFaults(document, { "edge/prod": signers["edge/prod"] }));
  expect(said.split("\n").sort()).toEqual([
    'stacks["edge/prod"].signature: legal is a signature of edge/prod, and there is none; have edge/prod write its part again, and look who else may write to the store. [truth/forged]',
    'stacks["net/prod"]: legal is a part of edge/prod, and no key of net/prod is known here; add its key to `signers`, on the hosts first; where this is another network of the same name, call yours otherwise. [truth/stranger]',
  ]);
});

test("a stack may have several keys, as when one takes another's place", async () => {
  const next = writers.make("next");
  expect(await signatureFaults(await signed(), { ...signers, "net/prod": [next.publicKey, prod.publicKey] })).toEqual(
    [],
  );
});

test.each([
  [{ "net/*": [prod.publicKey] }],
  [{ "net/prod,edge/prod": [prod.publicKey] }],
  [{ "net/prod": [`${prod.publicKey}\nedge/prod ${prod.publicKey}`] }],
  [{ "net/prod": ["cert-authority ssh-ed25519 AAAA"] }],
  [{ "net/prod": [] }],
])("a signer is one stack with keys, and nothing that ssh-keygen takes for more", (value) => {
  expect(signersField.safeParse(value).success).toBe(false);
});

test.each(["ed25519", "rsa", "ecdsa"])("a signature says whose it is: a key of type %s", async (type) => {
  const { key, publicKey } = writers.make(type, "", type);
  const [signature = ""] = await sign(key, ["said"]);
  expect(`${signerOf(signature)} ${type}`).toBe(publicKey);
  const alone = allowedSigners({ "net/prod": [signerOf(signature)] });
  expect(await verify(alone, "net/prod", "said", signature)).toBeUndefined();
});

test("a key that only an agent has signs by its .pub file", async () => {
  const kept = writers.make("kept");
  const socket = join(writers.folder, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
  const before = process.env.SSH_AUTH_SOCK;
  try {
    await once(agent.stdout, "data");
    process.env.SSH_AUTH_SOCK = socket;
    execFileSync("ssh-add", ["-q", kept.key], { stdio: "ignore", env: process.env });
    renameSync(kept.key, join(writers.folder, "elsewhere"));
    const document = sound(twoStacks());
    const part = partOf(document, "net/prod");
    [part.signature = ""] = await sign(`${kept.key}.pub`, [payload(document, "net/prod", part)]);
    delete document.stacks["edge/prod"];
    expect(await signatureFaults(document, { "net/prod": [kept.publicKey] })).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.SSH_AUTH_SOCK;
    else process.env.SSH_AUTH_SOCK = before;
    agent.kill();
    await once(agent, "close");
  }
});

test("a key that is not there, or wants a passphrase, ends at once, with a cure", async () => {
  await expect(sign(join(writers.folder, "nobody"), ["x"])).rejects.toThrow(
    /Nothing could be signed with .*nobody: .*Name a private key without a passphrase, or the \.pub file/s,
  );
  const { key } = writers.make("locked", "a passphrase");
  await expect(sign(key, ["x"])).rejects.toThrow(/Nothing could be signed with .*locked: /);
});

test("a host verifies its extract by the command that it will use", async () => {
  const text = extracts(await signed(), "edge/prod").get("lux") ?? "";
  const [signature = ""] = await sign(edge.key, [text]);
  const at = (name: string) => join(writers.folder, name);
  writeFileSync(at("signers"), allowedSigners(signers));
  writeFileSync(at("extract.sig"), signature);
  const hostVerifies = (who: string, input: string) =>
    execFileSync(
      "ssh-keygen",
      ["-Y", "verify", "-f", at("signers"), "-I", who, "-n", NAMESPACE, "-s", at("extract.sig")],
      { input, stdio: "pipe" },
    );
  expect(String(hostVerifies("edge/prod", text))).toMatch(
    /^Good "overlay-truth" signature for edge\/prod with ED25519 key/,
  );
  expect(() => hostVerifies("net/prod", text)).toThrow();
  expect(() => hostVerifies("edge/prod", text.replace(" 11001 ", " 11002 "))).toThrow();
  expect(existsSync(at("extract.sig.sig"))).toBe(false);
});

test("a thousand extracts are signed, each for itself", async () => {
  const texts = Array.from({ length: 1000 }, (_, index) => `overlay-extract 1\nnode n${index}\nend 2\n`);
  const signatures = await sign(prod.key, texts);
  expect(new Set(signatures).size).toBe(1000);
  const allowed = allowedSigners(signers);
  expect(await verify(allowed, "net/prod", texts[999] ?? "", signatures[999] ?? "")).toBeUndefined();
  expect(await verify(allowed, "net/prod", texts[999] ?? "", signatures[998] ?? "")).toMatch(/incorrect signature/);
});
