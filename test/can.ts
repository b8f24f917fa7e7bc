/**
 * Tests for what not every machine has. scripts/test.sh decides once, before the run, what the machine can do and why
 * not (scripts/can.sh), and hands it over as OVERLAY_CAN.
 */

/**
 * `lab` = root on Linux with systemd-nspawn; `vm` = QEMU, for hosts with kernels of their own; `engine` = the Pulumi CLI;
 * `images` = other root file systems than the usual one; `python` = its Python host and a venv; `go` = Go; `sdks` = the generators of SDKs; `yaml` = the host for YAML; `command` and `cloudflare` = plugins; `browser` = Chromium; `minio` = an S3
 * server; `rosenpass` = its binary.
 */
export type Need =
  | "lab"
  | "vm"
  | "images"
  | "engine"
  | "python"
  | "go"
  | "sdks"
  | "yaml"
  | "command"
  | "cloudflare"
  | "shellcheck"
  | "browser"
  | "minio"
  | "rosenpass";

/** Why this machine lacks something that is needed, or undefined when it has it all. */
export function hindrance(needs: Need | readonly Need[]): string | undefined {
  const decided = process.env.OVERLAY_CAN;
  if (!decided) return "run it by `npm test`, which finds out what this machine can do";
  const can = JSON.parse(decided) as Record<Need, string>;
  return [needs]
    .flat()
    .map((need) => can[need])
    .find((reason) => reason !== "");
}

/** `describe`, skipped by name with the reason where the machine lacks a need. The reporter lists the reasons. */
export function describeWhere(needs: Need | readonly Need[], name: string, body: () => void): void {
  const reason = hindrance(needs);
  const { skip } = describe;
  if (reason === undefined) describe(name, body);
  else skip(`${name} [cannot run here: ${reason}]`, body);
}
