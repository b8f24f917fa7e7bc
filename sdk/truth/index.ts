export { MAX_BYTES, parseDocument, print } from "./document";
export { TruthError } from "./errors";
export { documentKey, logKey } from "./keys";
export { asDeclared, lines } from "./lines";
export { peerOf } from "./peer";
export { publish, stale, wanted } from "./publish";
export { type Declared, declaredSchema, endpointSchema } from "./schema";
export { allowedSigners, type Signers, signatureFaults, signersField, stackField } from "./signature";
export { ADDRESSES, openStore, type Store } from "./store";
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
