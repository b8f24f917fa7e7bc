/** A QR code for a terminal. */
import { renderUnicodeCompact } from "uqr";
import { ToolError } from "./error";

/** ISO/IEC 18004, version 40 with the least error correction, in bytes. */
const MOST = 2953;

/** Black on white whatever colours the terminal has: cameras do not read all codes the other way round. Throws an Error. */
export function qr(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST) {
    throw new ToolError(
      "cli/qr",
      `the file has ${bytes} bytes, and a QR code holds ${MOST}: carry the file over without --qr, or make the machine the end of a WgLink, which names one node`,
    );
  }
  const lines = renderUnicodeCompact(text, { ecc: "L", border: 2 }).split("\n");
  return lines.map((line) => `\x1b[97;40m${line}\x1b[0m`).join("\n");
}
