/** The text of a spec as state has it: long ones are deflated, because the engine writes all of state at every step. */
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Characters of a spec that people may want to read. Those of a mesh say of each peer what its text says, too. */
const READABLE = 4096;
const PACKED = "deflate:";

/** Of what a mesh of 100 nodes has in state, specs were a fifth. */
export const packed = (json: string): string =>
  json.length > READABLE ? PACKED + deflateRawSync(json, { level: 1 }).toString("base64") : json;

/** A spec as state has it, as JSON. Throws an Error where it is cut off. */
export const unpacked = (spec: string): string =>
  spec.startsWith(PACKED) ? inflateRawSync(Buffer.from(spec.slice(PACKED.length), "base64")).toString() : spec;
