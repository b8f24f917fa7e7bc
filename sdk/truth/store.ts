/** Where documents are kept: a folder, or a bucket of anything that speaks S3. Either keeps what was not seen from being overwritten. */
import { checkedString, type Mismatch } from "../faults";
import { TruthError } from "./errors";

export interface Stored {
  text: string;
  /** Of this content: an entity tag, RFC 9110, section 8.8.3. */
  etag: string;
}

export interface Store {
  /** For messages. */
  readonly address: string;
  /** Undefined where there is nothing. */
  get(key: string): Promise<Stored | undefined>;
  /** Writes in place of what has this tag. The new tag, or undefined where there is something else, or nothing. */
  putIfMatch(key: string, text: string, etag: string): Promise<string | undefined>;
  /** Writes where there is nothing. The new tag, or undefined where there is something. */
  putIfNone(key: string, text: string): Promise<string | undefined>;
}

/** What a person writes in place of a store. */
export const ADDRESSES = "file://FOLDER, or s3://BUCKET/FOLDER?endpoint=https://HOST&region=REGION";

/** State, previews and messages have the address. A secret has any character in it, a slash, too. */
export const credentialsIn = (address: string): boolean => address.startsWith("s3://") && /@|%40/.test(address);

const anAddress = (address: string): Mismatch | undefined => {
  if (!/^(file|s3):\/\/./.test(address)) return { legal: ADDRESSES, cure: "correct the address" };
  if (!credentialsIn(address)) return undefined;
  const cure =
    "take them out, revoke them, and give new ones as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile";
  return { legal: "an address without credentials, and so without `@`", cure };
};

export const storeField = checkedString(anAddress);

/** Throws TruthError. The client of a bucket is loaded only for one. */
export function openStore(address: string): Store {
  if (address.startsWith("file://")) {
    const { FileStore }: typeof import("./fileStore") = require("./fileStore");
    return new FileStore(address);
  }
  if (address.startsWith("s3://")) {
    const { S3Store }: typeof import("./s3Store") = require("./s3Store");
    return new S3Store(address);
  }
  throw new TruthError("truth/address", `${JSON.stringify(address)} is no store: legal is ${ADDRESSES}.`);
}
