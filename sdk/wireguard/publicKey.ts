/**
 * Tells a WireGuard public key from 32 other bytes. No text says which half of a pair a key is, but the curve does:
 * every public key is a point of prime order (RFC 7748, section 5: the base point has it, and so have its multiples),
 * and of random bytes, which a private key is, fifteen in sixteen are not.
 */
import crypto from "node:crypto";
import type { Mismatch } from "../faults";

/** Order of the base point, RFC 7748, section 4.1. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const littleEndian = (n: bigint): Buffer => Buffer.from(n.toString(16).padStart(64, "0"), "hex").reverse();

/**
 * 5 * ORDER - 1: X25519 multiplies by it as it is, for its three lowest bits are 0 and its bit 254 is the highest (RFC
 * 7748, section 5, decodeScalar25519), and it turns a point of prime order into that point's negative, which has the
 * same coordinate u. All else it turns into other points, which are of prime order, or into none.
 */
const NEGATION = crypto.createPrivateKey({
  // PKCS #8, RFC 8410, section 7: everything before the key itself.
  key: Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), littleEndian(5n * ORDER - 1n)]),
  format: "der",
  type: "pkcs8",
});

function hasPrimeOrder(u: Buffer): boolean {
  const publicKey = crypto.createPublicKey({
    key: { kty: "OKP", crv: "X25519", x: u.toString("base64url") },
    format: "jwk",
  });
  try {
    return crypto.diffieHellman({ privateKey: NEGATION, publicKey }).equals(u);
  } catch {
    return false; // the point at infinity, which is no shared secret: RFC 7748, section 6.1
  }
}

/** `wg genkey` clears and sets these bits of a private key, and nothing does so for a public one. */
const isClamped = (bytes: Uint8Array): boolean => ((bytes[0] ?? 0) & 7) === 0 && ((bytes[31] ?? 0) & 0xc0) === 0x40;

const CURE = "give what `wg pubkey` prints, and if this was a private key, make a new one";
const PRIVATE: Mismatch = { legal: "a WireGuard public key, and this has the form of a private key", cure: CURE };
const known = new Map<string, Mismatch | undefined>();

function examine(value: string): Mismatch | undefined {
  if (/private/i.test(value)) return PRIVATE;
  if (!/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)) {
    return { legal: "a WireGuard public key: 32 bytes in base64, 44 characters", cure: CURE };
  }
  const bytes = Buffer.from(value, "base64");
  if (hasPrimeOrder(bytes)) return undefined;
  return isClamped(bytes) ? PRIVATE : { legal: "a WireGuard public key, and no private key has this one", cure: CURE };
}

/** What is wrong with a public key; the key itself is never in what it says. */
export function objectToPublicKey(value: string): Mismatch | undefined {
  if (!known.has(value)) known.set(value, examine(value));
  return known.get(value);
}
