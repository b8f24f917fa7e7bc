/** What holds for the whole code base: style, types, shell, the direction of imports, what may not be committed. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { describeWhere } from "./can";

const root = dirname(__dirname);
const run = promisify(execFile);

/** Runs a tool that has to be content; what it complains about is the test's failure. */
async function content(command: string, args: string[]): Promise<void> {
  try {
    await run(command, args, { cwd: root, maxBuffer: 2 ** 26 });
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error(`${stdout ?? ""}${stderr ?? ""}` || message);
  }
}
const bin = (name: string) => join(root, "node_modules", ".bin", name);

/** Files under version control that are still there. */
async function tracked(): Promise<string[]> {
  // Owned by somebody else when this runs as root, under sudo or in a container.
  const { stdout } = await run("git", ["-c", "safe.directory=*", "ls-files", "-z"], { cwd: root, maxBuffer: 2 ** 26 });
  return stdout.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
}
const read = (path: string) => readFileSync(join(root, path), "utf8");

const minutes = 60_000;

test("biome finds nothing to complain about", async () => {
  await content(bin("biome"), ["check", "--colors=off"]);
});

test(
  "types hold",
  async () => {
    await content(process.execPath, [
      bin("tsc"),
      "--noEmit",
      "--incremental",
      "--tsBuildInfoFile",
      "dist/.types",
      "--pretty",
      "false",
    ]);
  },
  3 * minutes,
);

describeWhere("shellcheck", "shell", () => {
  test(
    "shellcheck finds nothing to complain about",
    async () => {
      const scripts = (await tracked()).filter(
        (path) => /\.(sh|bats)$/.test(path) || /^#!.*\b(ba|da)?sh\b/.test(read(path).slice(0, 40)),
      );
      expect(scripts).toContain("scripts/setup.sh");
      await content("shellcheck", ["-x", ...scripts]);
    },
    2 * minutes,
  );
});

const bats = async (which: (path: string) => boolean): Promise<void> => {
  const files = (await tracked()).filter((path) => path.endsWith(".bats") && which(path));
  expect(files).not.toEqual([]);
  await content(join(root, "node_modules/bats/bin/bats"), files);
};
const needsLab = (path: string): boolean => path.endsWith(".lab.bats");

test("the bats files pass", () => bats((path) => !needsLab(path)), 3 * minutes);
describeWhere("lab", "shell on hosts", () => {
  test("the bats files pass", () => bats(needsLab), 3 * minutes);
});

/**
 * The rooms from the ground up; a file may use its own room and those below, not its neighbours on the same floor:
 * technologies do not know each other, they meet in the components.
 */
const floors: RegExp[] = [
  /^sdk\/codes\.ts$/,
  /^sdk\/[^/]+\.ts$/,
  /^sdk\/network\//,
  /^sdk\/kernel\//,
  /^sdk\/(host|truth|node|wireguard|vxlan|rosenpass|routing)\//,
  /^sdk\/(provider|cli)\//,
  /^components\//,
  /^stacks\//,
];
const floor = (path: string) => floors.findIndex((pattern) => pattern.test(path));
const room = (path: string) => floors[floor(path)]?.exec(path)?.[0];
/** The plugin's entry puts the provider and the components into one process. */
const entry = "sdk/provider/main.ts";

function* imports(path: string): Generator<string> {
  for (const [, name] of read(path).matchAll(/(?:from|import|require\()\s*["'](\.{1,2}\/[^"']*|\.{1,2})["']/g)) {
    const target = relative(root, join(root, dirname(path), name ?? ""));
    yield existsSync(join(root, `${target}.ts`)) ? `${target}.ts` : `${target}/index.ts`;
  }
}

test("nothing that ships loads the whole Pulumi SDK, which takes 0.4 s of every run", async () => {
  const sources = (await tracked()).filter((path) => /^(sdk|components)\/.*\.ts$/.test(path));
  expect(sources.filter((path) => /^import (?!type\b).*"@pulumi\/pulumi";$/m.test(read(path)))).toEqual([]);
});

test("imports go one way, and nothing that ships uses the tests or the scripts", async () => {
  const sources = (await tracked()).filter((path) => floor(path) >= 0 && path.endsWith(".ts"));
  expect(sources).not.toEqual([]);
  const wrong = sources.flatMap((path) =>
    [...imports(path)]
      .filter((target) => {
        if (path === entry && floor(target) >= 0) return false;
        const allowed = room(target) === room(path) || floor(target) < floor(path);
        return floor(target) < 0 || !allowed;
      })
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("every folder of sdk/ is a room with a floor", async () => {
  const sources = (await tracked()).filter((path) => path.startsWith("sdk/") && path.endsWith(".ts"));
  expect(sources.filter((path) => floor(path) < 0)).toEqual([]);
});

// Put together here, or this file would be the first to break the rule.
const registries = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["proxy", "golang", "org"],
  ["pypi", "org"],
  ["pythonhosted", "org"],
  ["crates", "io"],
  ["deb", "debian", "org"],
].map((labels) => labels.join("."));
const workplace = [["", "work", ""].join("/"), ["..", "shared"].join("/"), ["issues", "show"].join(" ")];

test("nothing names a package registry or the place where it was written", async () => {
  const found = (await tracked()).flatMap((path) => {
    const text = read(path);
    return [...registries, ...workplace].filter((word) => text.includes(word)).map((word) => `${path}: ${word}`);
  });
  expect(found).toEqual([]);
});

test("the lock files say what, with a checksum, and not from where", async () => {
  const locks = (await tracked()).filter((path) => path.endsWith("package-lock.json"));
  expect(locks).toContain("package-lock.json");
  for (const path of locks) {
    const { packages } = JSON.parse(read(path)) as { packages: Record<string, object> };
    const wrong = Object.entries(packages).filter(
      ([name, it]) => name !== "" && ("resolved" in it || !("integrity" in it)),
    );
    expect({ path, wrong }).toEqual({ path, wrong: [] });
  }
});

test("no two test files have labs of the same name, because they run side by side", async () => {
  const tests = (await tracked()).filter((path) => path.endsWith(".test.ts"));
  const names = tests.flatMap((path) => [...new Set(read(path).match(/(?<=Lab\.up\([^;]*name: )"\w+"/g))]);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
