/** What `overlay` says of a command line that cannot be: whole sentences, each with its code. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OverlayNode } from "../../../components";
import { deploymentOf } from "./deployment";

const folder = mkdtempSync(join(tmpdir(), "overlay-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const overlay = (words: string[], path = process.env.PATH, env: NodeJS.ProcessEnv = {}) => {
  const { status, stdout, stderr } = spawnSync(join(__dirname, "../../../bin/overlay"), words, {
    ...{ cwd: folder, encoding: "utf8", input: "", env: { ...process.env, ...env, PATH: path } },
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

describe("what others have said and named", () => {
  const bin = join(folder, "bin");
  const path = [bin, process.env.PATH].join(":");
  const file = join(folder, "state.json");
  beforeAll(async () => {
    mkdirSync(bin);
    const lines = "error: s3://KEY:hunter2secret@b token=hunter2\\r\\n\\033[2J\\033[31mof deploying-it\\n";
    writeFileSync(join(bin, "pulumi"), `#!/bin/sh\nprintf '${lines}' >&2\nexit 255\n`, { mode: 0o755 });
    const state = await deploymentOf(() => {
      new OverlayNode("lux", { id: 1, connection: { host: "lux.example" } });
    });
    writeFileSync(file, state);
  });

  test.each([["status"], ["topology"], ["doctor", "lux"], ["report"]])("by Pulumi: %s", (...words) => {
    const { status, stdout, stderr } = overlay(words, path, { DEPLOY_TOKEN: "deploying-it" });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr.replace(/`.*`/, "`…`")).toBe(
      "overlay: `…` ended with 255: error: s3://<not shown>@b token=<not shown>\nof <not shown> [cli/pulumi]\n",
    );
  });

  test.each<[string[], string]>([
    [["doctor", "x\x1b[31m"], "the stack has no host and no link x, only lux [cli/host]"],
    [["status", "--host", "x\x1b[31m"], "the stack has no host x, only lux [cli/host]"],
    [
      ["status", "--stack", "x\x1b[31m"],
      "the state is of the stack net/prod, and --stack says x: name the same [cli/option]",
    ],
    [["status", "--x\x1b[31m"], "unknown option '--x' [cli/option]"],
  ])("on the command line: %j", (words, said) => {
    const stderr = `overlay: ${said}\n`;
    expect(overlay([...words, "--state", file, "--ssh", "false"])).toEqual({ status: 1, stdout: "", stderr });
  });

  test.each([["status"], ["topology"], ["doctor", "lux"]])("in a state: %s", (...words) => {
    const hostile = join(folder, "hostile.json");
    const text = readFileSync(file, "utf8")
      .replaceAll("::lux", "::lux\\u001b[2J\\u0007")
      .replaceAll('\\"id\\"', '\\"no\\"');
    writeFileSync(hostile, text);
    const { status, stderr } = overlay([...words, "--state", hostile, "--ssh", "false"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^overlay: the state's overlay:node:Host resources cannot be read:\nlux: spec\.id: legal is/,
    );
    expect(stderr).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test("a file's path", () => {
    const key = join(folder, "of \x1b[2Jlux");
    overlay(["key", key]);
    chmodSync(key, 0o644);
    const { status, stderr } = overlay(["key", key]);
    const shown = join(folder, "of lux");
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `overlay: others may read ${shown}: chmod 600 ${shown}\n`,
    });
  });
});
