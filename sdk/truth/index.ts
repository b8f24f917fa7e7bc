export { type Document, MAX_BYTES, parseDocument, print } from "./document";
export { ABSENT, TruthError } from "./errors";
export { extractsHash } from "./extract";
export { documentKey, extractKey, logKey } from "./keys";
export { asDeclared, lines } from "./lines";
export { peerOf } from "./peer";
export { isStale, publish, stale, wanted } from "./publish";
export { difference, type Handed, prepare, restore } from "./restore";
export { type Declared, type DeclaredInput, declaredSchema, type Part } from "./schema";
export {
  allowedSigners,
  parseSigners,
  type Signers,
  signatureFaults,
  signersField,
  stackField,
  verify,
} from "./signature";
export { ADDRESSES, openStore, type Store, storeField } from "./store";
export {
  type Known,
  knownOf,
  read,
  readUnverified,
  rehearse,
  type Truth,
  type Written,
  withdraw,
  write,
} from "./write";
