/** What Pulumi's generators make of the package's schema: the same code that its language hosts have for `pulumi package gen-sdk`. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { must } from "../../lab/run";
import { root } from "./workspace";

const MINUTE = 60_000;
const schema = join(root, "schema.json");
const generator = join(root, "dist/.bin/gen-sdk");
const requirements = join(__dirname, "python/requirements.txt");

export const generate = (language: "go" | "nodejs" | "python", folder: string): Promise<string> =>
  must([generator, language, schema, folder], { timeout: MINUTE });

/** A virtual environment with the SDK for Python and what it stands on, made once for each schema: its folder. */
export async function virtualEnvironment(): Promise<string> {
  const parts = [execFileSync("python3", ["--version"]), readFileSync(requirements), readFileSync(schema)];
  const hash = createHash("sha256").update(Buffer.concat(parts)).update(realpathSync(generator)).digest("hex");
  const folder = join(
    process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
    "pulumi-overlay/python",
    hash.slice(0, 16),
  );
  if (existsSync(join(folder, "complete"))) return folder;
  const making = `${folder}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  await must(["python3", "-m", "venv", making], { timeout: MINUTE });
  const sdk = join(making, "sdk");
  await generate("python", sdk);
  const pip = [join(making, "bin/python3"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await must([...pip, "-r", requirements, sdk], { timeout: 5 * MINUTE });
  writeFileSync(join(making, "complete"), "");
  rmSync(folder, { recursive: true, force: true });
  renameSync(making, folder);
  return folder;
}
