/** When, where and with what something is measured. */
import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { run } from "../lab";
import type { Circumstances } from "./report";
import { ROOT } from "./stack";

const output = async (...command: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(command);
  return code === 0 ? (stdout || stderr).trim() : "unknown";
};

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;

/** `loads`: before and after. */
export async function circumstances(loads: string[]): Promise<Circumstances> {
  const [{ model = "unknown" } = {}] = cpus();
  const changed = await output("git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no", "--", ":!docs");
  return {
    when: new Date().toISOString().slice(0, 16).replace("T", " "),
    commit: `${await output("git", "-C", ROOT, "rev-parse", "--short", "HEAD")}${changed === "" ? "" : ", and changes"}`,
    load: loads.join(", "),
    processor: `${model}, ${cpus().length} cores`,
    kernel: `Linux ${release()}`,
    pulumi: `${await output("pulumi", "version")}, @pulumi/pulumi ${versionOf("@pulumi/pulumi")}`,
    Node: process.version,
    OpenSSH: (await output("ssh", "-V")).split(",")[0] ?? "",
  };
}
