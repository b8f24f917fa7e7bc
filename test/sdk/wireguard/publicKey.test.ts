import { generateKeyPairSync } from "node:crypto";
import { objectToPublicKey } from "../../../sdk/wireguard/publicKey";

/** 32 bytes at the end of the DER of an X25519 key, RFC 8410, section 7. */
const lastBytes = (der: Buffer): Buffer => der.subarray(-32);

function clamped(bytes: Buffer): Buffer {
  const key = Buffer.from(bytes);
  key[0] = (key[0] ?? 0) & 0xf8;
  key[31] = ((key[31] ?? 0) & 0x7f) | 0x40;
  return key;
}

const pairs = Array.from({ length: 200 }, () => {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return {
    publicKey: lastBytes(publicKey.export({ type: "spki", format: "der" })).toString("base64"),
    privateKey: clamped(lastBytes(privateKey.export({ type: "pkcs8", format: "der" }))).toString("base64"),
  };
});

test("every public key is taken", () => {
  for (const { publicKey } of pairs) expect(objectToPublicKey(publicKey)).toBeUndefined();
});

// One private key in sixteen is a public key too, of somebody else's: of 200, all but about 13.
test("private keys are refused, but for one in sixteen", () => {
  const refused = pairs.map(({ privateKey }) => objectToPublicKey(privateKey)).filter((objection) => objection);
  expect(refused.length).toBeGreaterThan(160);
  expect(new Set(refused.map((objection) => objection?.legal))).toEqual(
    new Set(["a WireGuard public key, and this has the form of a private key"]),
  );
});

test.each([
  ["too short", "AAAA"],
  ["hexadecimal", "ab".repeat(32)],
  ["43 characters", "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM"],
  ["33 bytes", `${"A".repeat(43)}B`],
  ["bits that no byte holds", `${"A".repeat(42)}B=`],
  ["zero", `${"A".repeat(43)}=`],
  ["a point of small order", `AQ${"A".repeat(41)}=`],
  ["more than the prime", `${"/".repeat(42)}8=`],
  ["a line of a configuration file", "PrivateKey = Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM="],
  ["a key file of OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----"],
])("%s is none, and is never repeated", (_, text) => {
  const objection = objectToPublicKey(text);
  expect(objection).toBeDefined();
  expect(JSON.stringify(objection)).not.toContain(text);
});
