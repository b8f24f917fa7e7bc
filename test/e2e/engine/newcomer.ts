/** The package as npm hands it out, and the README's first program as somebody tries it who has nothing but that. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blocks, inLanguage, root } from "../../docs/page";
import { must } from "../../lab/run";

const MINUTE = 60_000;

const FIRST = blocks("README.md", "A first program");
const [INSTALL = "", PREVIEW = ""] = inLanguage(FIRST, "sh");
export const [PROJECT = ""] = inLanguage(FIRST, "yaml");
const [PROGRAM = ""] = inLanguage(FIRST, "ts");
/** What the preview says of one side of the link. */
export const [PLAN = ""] = inLanguage(FIRST, "");

/** The path of the tarball, in a folder. Of a copy: packing makes the build anew, and others use this one. */
export async function packed(folder: string): Promise<string> {
  const source = join(folder, "source");
  mkdirSync(source);
  const files = execFileSync(
    "git",
    ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    {
      cwd: root,
    },
  );
  execFileSync("sh", ["-c", `tar --null -T - -cf - | tar -xf - -C ${source}`], { cwd: root, input: files });
  symlinkSync(join(root, "node_modules"), join(source, "node_modules"));
  const name = await must(["npm", "pack", "--silent", "--pack-destination", folder], {
    cwd: source,
    timeout: 4 * MINUTE,
  });
  return join(folder, name.trim());
}

/** What Pulumi has to know: with a home of its own, where it keeps which backend was logged in to. */
export const atHome = (folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  PULUMI_HOME: join(folder, "home"),
  PULUMI_CONFIG_PASSPHRASE: "",
  NO_COLOR: "1",
});

/**
 * Does what the section says, word for word, but that the package comes from the tarball; `sdk`: with this version of
 * @pulumi/pulumi. What the preview printed, and the seconds that all of it took.
 */
export async function follow(
  folder: string,
  tarball: string,
  sdk?: string,
): Promise<{ said: string; seconds: number }> {
  mkdirSync(folder);
  const began = Date.now();
  const install = INSTALL.replace(" pulumi-overlay ", ` ${tarball} `);
  const wanted = sdk === undefined ? install : install.replace(" @pulumi/pulumi ", ` "@pulumi/pulumi@${sdk}" `);
  await must(["sh", "-ec", wanted], { cwd: folder, timeout: 8 * MINUTE });
  writeFileSync(join(folder, "Pulumi.yaml"), PROJECT);
  writeFileSync(join(folder, "index.ts"), PROGRAM);
  const said = await must(["sh", "-ec", PREVIEW], { cwd: folder, timeout: 4 * MINUTE, env: atHome(folder) });
  return { said, seconds: (Date.now() - began) / 1000 };
}
