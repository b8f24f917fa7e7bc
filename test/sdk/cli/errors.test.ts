/** What `overlay` says of a command line that cannot be: whole sentences, each with its code. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "overlay-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const overlay = (words: string[], path = process.env.PATH) => {
  const { status, stdout, stderr } = spawnSync(join(__dirname, "../../../bin/overlay"), words, {
    ...{ cwd: folder, encoding: "utf8", input: "", env: { ...process.env, PATH: path } },
  });
  return { status, stdout, stderr };
};

const store = ["--store", "file:///nowhere"];
const absent = "cannot be read: ENOENT: no such file or directory [cli/file]";

test.each<[string, string[], string]>([
  ["a command that is none", ["nothing"], "unknown command 'nothing' [cli/option]"],
  ["an option that is none", ["status", "--jsn"], "unknown option '--jsn' (Did you mean --json?) [cli/option]"],
  [
    "two formats",
    ["status", "--json", "--format", "prometheus"],
    "option '--json' cannot be used with option '--format <name>' [cli/option]",
  ],
  [
    "an option that is needed",
    ["truth", "get", "prod"],
    "required option '--store <address>' not specified [cli/option]",
  ],
  ["an argument that is needed", ["key"], "missing required argument 'file' [cli/option]"],
  [
    "a value that is none",
    ["doctor", "lux", "--parallel", "none"],
    "option '--parallel <number>' argument 'none' is invalid. Legal is a whole number from 1 to 1000. [cli/option]",
  ],
  ["a preview that is not there", ["report", "absent.json"], `absent.json ${absent}`],
  ["a state that is not there", ["topology", "--state", "absent.json"], `absent.json ${absent}`],
  ["signers that are not there", ["truth", "get", "prod", ...store, "--signers", "absent"], `absent ${absent}`],
  [
    "a document that is not there",
    ["truth", "put", "prod", "absent.json", ...store, "--stack", "net/prod", "--key", "key"],
    `absent.json ${absent}`,
  ],
  [
    "a key in a folder that is not there",
    ["key", "absent/key"],
    "absent/key cannot be written: ENOENT: no such file or directory [cli/file]",
  ],
  ["a folder in place of a key", ["key", "."], ". cannot be read: EISDIR: illegal operation on a directory [cli/file]"],
])("%s", (_, words, said) => {
  expect(overlay(words)).toEqual({ status: 1, stdout: "", stderr: `overlay: ${said}\n` });
});

test("a pulumi that nobody may run", () => {
  writeFileSync(join(folder, "pulumi"), "", { mode: 0o644 });
  const others = (process.env.PATH ?? "").split(":").filter((it) => !existsSync(join(it, "pulumi")));
  const path = [folder, ...others].join(":");
  const cannot = (command: string, call: string) =>
    `overlay: \`pulumi ${command}\` cannot be run: ${call} pulumi EACCES [cli/pulumi]\n`;
  expect(overlay(["status"], path).stderr).toBe(cannot("stack export --non-interactive", "spawn"));
  expect(overlay(["report"], path).stderr).toBe(cannot("preview --json --show-sames --non-interactive", "spawnSync"));
});
