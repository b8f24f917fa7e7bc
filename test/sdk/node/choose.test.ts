/** What only the live host can tell to be wrong with its choosing. */
import { formatWithCodes, parse } from "../../../sdk/faults";
import type { Snapshot } from "../../../sdk/kernel";
import { chooser } from "../../../sdk/node";
import { captured } from "../kernel/captured";

const technology = chooser({});
const base = { node: "lux", owner: "net/prod", network: "lab" };
const stacks = [{ stack: "net/prod", signers: [`ssh-ed25519 AAAA${"A".repeat(64)}`] }];

const host: Snapshot = { ...captured("fresh"), commands: { curl: true, fping: true, "ssh-keygen": true } };

function said(source: object, snapshot: Partial<Snapshot>): string {
  const result = parse(technology.spec, { ...base, stacks, sources: [source] });
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  return formatWithCodes(technology.faults?.(result.value, { ...host, ...snapshot }) ?? []);
}

describe("a curl that cannot sign", () => {
  const s3 = { s3: "https://s3.example.net/truth" };
  test("is a fault where a bucket is read", () => {
    expect(said(s3, { versions: { curl: "7.74.0" } })).toBe(
      "sources: found a host with curl 7.74.0, legal is curl 7.75.0 or later, which signs requests (--aws-sigv4); " +
        "upgrade its system: Ubuntu 22.04, Debian 12 and all later ones have it. [host/package]",
    );
    for (const curl of ["7.75.0", "7.81.0", "7.88.1", "8.5.0", "10.0.1"])
      expect(said(s3, { versions: { curl } })).toBe("");
    expect(said(s3, {})).toBe("");
  });
  test("is none where there are folders alone", () => {
    expect(said({ file: "/srv/truth" }, { versions: { curl: "7.74.0" } })).toBe("");
  });
});
