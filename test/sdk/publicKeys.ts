import { generateKeyPairSync } from "node:crypto";

/** WireGuard public keys, as `wg pubkey` prints them: RFC 8410, section 7, has the key at the end of its DER. */
export const publicKeys = (count: number): string[] =>
  Array.from({ length: count }, () => {
    const { publicKey } = generateKeyPairSync("x25519");
    return publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
  });
