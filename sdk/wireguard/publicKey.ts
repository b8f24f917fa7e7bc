/**
 * Tells a WireGuard public key from 32 other bytes. No text says which half of a pair a key is, but the curve does:
 * every public key is a point of prime order (RFC 7748, section 5: the base point has it, and so have its multiples),
 * and of random bytes, which a private key is, fifteen in sixteen are not.
 */
import type { Objection } from "../faults";

const P = 2n ** 255n - 19n;
/** Order of the base point, RFC 7748, section 4.1. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** (486662 - 2) / 4, RFC 7748, section 5. */
const A24 = 121665n;

const modP = (n: bigint): bigint => ((n % P) + P) % P;

const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((n, byte) => n * 256n + BigInt(byte), 0n);

/** The Montgomery ladder of RFC 7748, section 5, by the order itself: true when it ends at the point at infinity. */
function hasPrimeOrder(u: bigint): boolean {
  let [x2, z2, x3, z3] = [1n, 0n, u, 1n];
  for (let bit = 252n; bit >= 0n; bit--) {
    const swap = ((ORDER >> bit) & 1n) === 1n;
    if (swap) [x2, z2, x3, z3] = [x3, z3, x2, z2];
    const [a, b, c, d] = [x2 + z2, x2 - z2, x3 + z3, x3 - z3];
    const [aa, bb, da, cb] = [modP(a * a), modP(b * b), modP(d * a), modP(c * b)];
    const e = aa - bb;
    [x2, z2] = [modP(aa * bb), modP(e * (aa + A24 * e))];
    [x3, z3] = [modP((da + cb) ** 2n), modP(u * modP((da - cb) ** 2n))];
    if (swap) [x2, z2, x3, z3] = [x3, z3, x2, z2];
  }
  return z2 === 0n && x2 !== 0n;
}

/** `wg genkey` clears and sets these bits of a private key, and nothing does so for a public one. */
const isClamped = (bytes: Uint8Array): boolean => ((bytes[0] ?? 0) & 7) === 0 && ((bytes[31] ?? 0) & 0xc0) === 0x40;

const CURE = "give what `wg pubkey` prints, and if this was a private key, make a new one";
const PRIVATE: Objection = { legal: "a WireGuard public key, and this has the form of a private key", cure: CURE };
const known = new Map<string, Objection | undefined>();

function examine(value: string): Objection | undefined {
  if (/private/i.test(value)) return PRIVATE;
  if (!/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)) {
    return { legal: "a WireGuard public key: 32 bytes in base64, 44 characters", cure: CURE };
  }
  const bytes = Buffer.from(value, "base64");
  const u = littleEndian(bytes);
  if (u < P && hasPrimeOrder(u)) return undefined;
  return isClamped(bytes) ? PRIVATE : { legal: "a WireGuard public key, and no private key has this one", cure: CURE };
}

/** What is wrong with a public key; the key itself is never in what it says. */
export function objectToPublicKey(value: string): Objection | undefined {
  if (!known.has(value)) known.set(value, examine(value));
  return known.get(value);
}
