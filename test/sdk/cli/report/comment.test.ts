/** The comment of a pull request, against a server that speaks as much of GitHub's API as is documented for it. */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { comment, pullRequest } from "../../../../sdk/cli/report/comment";
import { markdown } from "../../../../sdk/cli/report/markdown";
import { preview } from "../../../../sdk/cli/report/preview";
import { report } from "../../../../sdk/cli/report/report";
import { GitHub } from "./github";
import { folder, recorded } from "./recorded";

const TOKEN = "ghs_0123456789abcdefghij0123456789abcdef";
const MARK = "<!-- overlay-report net%2Fdev -->";
const LIST = "GET /repos/net/infra/issues/7/comments?per_page=100";
const POST = "POST /repos/net/infra/issues/7/comments";

let github: GitHub;
beforeEach(async () => {
  github = await GitHub.start(TOKEN);
});
afterEach(() => github.close());

const DEV = { project: "net", stack: "dev" };

const say = (text: string, token = TOKEN, key = DEV, number = 7): Promise<void> =>
  comment({ api: github.url, repository: "net/infra", number, token }, key, (limit) => text.slice(0, limit), 60_000);
const bodies = (): string[] => github.comments.map(({ body }) => body);

/** Why it fails, which never is the token. */
const refused = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => new Error("it did not fail"),
    (error: Error) => error,
  );
  expect(`${error.message}${error.stack}`).not.toContain(TOKEN);
  return error.message;
};

test("it is made once, and the same one is written over after that", async () => {
  await say("first");
  await say("second");
  expect(bodies()).toEqual([`${MARK}\nsecond`]);
  expect(github.asked).toEqual([LIST, POST, LIST, "PATCH /repos/net/infra/issues/comments/1000"]);
});

test("it is found among 250 comments, by the pages that Link names", async () => {
  for (let n = 0; n < 230; n++) github.add(`comment ${n}`, { user: { login: "bob", type: "User" } });
  const own = github.add(`${MARK}\nfirst`);
  for (let n = 0; n < 19; n++) github.add(`comment ${n}`, { user: { login: "bob", type: "User" } });
  await say("second");
  expect(own.body).toBe(`${MARK}\nsecond`);
  expect(github.comments).toHaveLength(250);
  expect(github.asked.map((it) => it.replace(/^(\w+) [^?]*\??/, "$1 "))).toEqual([
    "GET per_page=100",
    "GET per_page=100&page=2",
    "GET per_page=100&page=3",
    "PATCH ",
  ]);
});

test("each stack of each project has one, and a stranger's comment with the mark is nobody's", async () => {
  const stranger = github.add(`${MARK}\nall is well`, {
    user: { login: "eve", type: "User" },
    author_association: "CONTRIBUTOR",
  });
  await say("of dev");
  await say("of prod", TOKEN, { project: "net", stack: "prod --> <b>" });
  await say("of another project's dev", TOKEN, { project: "web", stack: "dev" });
  await say("of dev again");
  expect(stranger.body).toBe(`${MARK}\nall is well`);
  expect(bodies().slice(1)).toEqual([
    `${MARK}\nof dev again`,
    "<!-- overlay-report net%2Fprod%20--%3E%20%3Cb%3E -->\nof prod",
    "<!-- overlay-report web%2Fdev -->\nof another project's dev",
  ]);
  // One of the repository's own people may hand over a token of his own.
  const member = github.add("<!-- overlay-report a%2Fb -->\n", {
    user: { login: "amy", type: "User" },
    author_association: "MEMBER",
  });
  await say("x", TOKEN, { project: "a", stack: "b" });
  expect(member.body).toBe("<!-- overlay-report a%2Fb -->\nx");
});

test("one that was removed in between is made anew", async () => {
  github.add(`${MARK}\nfirst`);
  github.fail("PATCH", { status: 404, body: { message: "Not Found" } });
  await say("second");
  expect(bodies()).toEqual([`${MARK}\nfirst`, `${MARK}\nsecond`]);
});

test("a rate limit is waited for where it is short, and told where it is long", async () => {
  github.fail("POST", {
    status: 403,
    headers: { "retry-after": "1" },
    body: { message: "You have exceeded a secondary rate limit" },
  });
  const began = Date.now();
  await say("first");
  expect(Date.now() - began).toBeGreaterThanOrEqual(990);
  expect(bodies()).toEqual([`${MARK}\nfirst`]);

  const reset = String(Math.ceil(Date.now() / 1000) + 1800);
  github.fail("GET", {
    status: 403,
    headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset },
    body: { message: "API rate limit exceeded" },
  });
  expect(await refused(say("second"))).toMatch(
    /^GitHub answers GET \/repos\/net\/infra\/issues\/7\/comments with 403 \(API rate limit exceeded\): the rate limit is used up: run it again in 1[78]\d\d s$/,
  );
});

test("a secondary limit that does not say for how long is to be waited for a minute: not after a second of another one", async () => {
  const limited = { status: 403, body: { message: "You have exceeded a secondary rate limit." } };
  github.fail("GET", { ...limited, headers: { "retry-after": "1" } }, limited);
  expect(await refused(say("x"))).toMatch(/: the rate limit is used up: run it again in 60 s$/);
});

test("a rate limit that is never over is not waited for for ever", async () => {
  const closed = { status: 429, headers: { "retry-after": "0" }, body: { message: "Too many requests" } };
  github.fail("GET", ...Array.from({ length: 10 }, () => closed));
  expect(await refused(say("x"))).toContain("with 429 (Too many requests): the rate limit is used up: run it again in");
  expect(github.asked).toEqual([LIST, LIST, LIST, LIST]);
});

test("what answers in the place of GitHub is told from it", async () => {
  github.fail("GET", { status: 200, body: { message: "hello" } });
  expect(await refused(say("x"))).toBe(
    `${github.url} answers with something else than GitHub's comments: correct GITHUB_API_URL`,
  );
});

test("what GitHub refuses is said with what to do", async () => {
  expect(await refused(say("x", `${TOKEN}x`))).toBe(
    "GitHub answers GET /repos/net/infra/issues/7/comments with 401 (Bad credentials): the token is none that GitHub knows",
  );
  expect(await refused(say("x", TOKEN, DEV, 8))).toMatch(
    / with 404 \(Not Found\): there is no such pull request, or the token may not see it: give/,
  );
  github.fail("POST", { status: 403, body: { message: "Resource not accessible by integration" } });
  expect(await refused(say("x"))).toBe(
    "GitHub answers POST /repos/net/infra/issues/7/comments with 403 (Resource not accessible by integration): give the job `permissions: { pull-requests: write }`; on a pull request from a fork no token may comment",
  );
  expect(bodies()).toEqual([]);
});

test("one that is too long for this GitHub is said shorter", async () => {
  github.most = 20_000;
  await say("x".repeat(100_000));
  expect(bodies().map(({ length }) => length)).toEqual([15_000]);
  github.most = 1000;
  expect(await refused(say("y".repeat(100_000)))).toMatch(/ with 422 \(Validation Failed\)$/);
});

test("a server that fails for a moment is asked again; an answer that was lost makes no second comment", async () => {
  github.fail("GET", { status: 502 });
  github.fail("POST", { status: 0, lost: true });
  await say("first");
  expect(bodies()).toEqual([`${MARK}\nfirst`]);
  github.fail("GET", { status: 200, cut: true });
  await say("first, again");
  expect(bodies()).toEqual([`${MARK}\nfirst, again`]);
  github.fail("GET", { status: 503 }, { status: 503 }, { status: 503 });
  expect(await refused(say("second"))).toContain("with 503");
});

test("the token goes to no other server", async () => {
  const elsewhere = await GitHub.start(TOKEN);
  try {
    const next = `<${elsewhere.url}/repos/net/infra/issues/7/comments?page=2>; rel="next"`;
    github.fail("GET", ...Array.from({ length: 3 }, () => ({ status: 200, headers: { Link: next }, body: [] })));
    expect(await refused(say("x"))).toContain("another server");
    expect(elsewhere.asked).toEqual([]);
  } finally {
    elsewhere.close();
  }
});

test("a server that is not there", async () => {
  const at = { api: "http://127.0.0.1:9", repository: "net/infra", number: 7, token: TOKEN };
  expect(await refused(comment(at, DEV, () => "", 100))).toMatch(/^http:\/\/127\.0\.0\.1:9 cannot be reached: /);
});

describe("what GitHub Actions has in the environment", () => {
  const files = mkdtempSync(join(tmpdir(), "overlay-event-"));
  afterAll(() => rmSync(files, { recursive: true }));
  const event = (value: unknown): string => {
    const path = join(files, "event.json");
    writeFileSync(path, JSON.stringify(value));
    return path;
  };
  const of = (more: Record<string, string>, number?: number) =>
    pullRequest({ GITHUB_TOKEN: TOKEN, GITHUB_REPOSITORY: "net/infra", ...more }, number);

  test("says which pull request it is", () => {
    const GITHUB_EVENT_PATH = event({ number: 7, pull_request: { number: 7 } });
    const found = { api: "https://api.github.com", repository: "net/infra", number: 7, token: TOKEN };
    expect(of({ GITHUB_EVENT_PATH })).toEqual(found);
    expect(of({ GITHUB_API_URL: "https://git.example.com/api/v3/" }, 9)).toEqual({
      ...found,
      api: "https://git.example.com/api/v3",
      number: 9,
    });
  });

  test("and of which commit and by which run the comment is made, which is not the merge that a run has checked out", () => {
    const [head, merge] = ["a".repeat(40), "b".repeat(40)];
    const run = { GITHUB_SERVER_URL: "https://github.com", GITHUB_RUN_ID: "123", GITHUB_SHA: merge };
    const GITHUB_EVENT_PATH = event({ pull_request: { number: 7, head: { sha: head } } });
    const link = "by [this run](https://github.com/net/infra/actions/runs/123)";
    expect(of({ ...run, GITHUB_EVENT_PATH }).made).toBe(`<sub>Of commit ${head}, ${link}</sub>`);
    expect(of(run, 7).made).toBe(`<sub>Of commit ${merge}, ${link}</sub>`);
    expect(of({ ...run, GITHUB_SHA: "x](y)", GITHUB_RUN_ID: "1/../2" }, 7).made).toBeUndefined();
    expect(of({}, 7).made).toBeUndefined();
  });

  test("the token that is for nothing else goes before the one that a program may need", () => {
    expect(of({ OVERLAY_COMMENT_TOKEN: "mine" }, 7).token).toBe("mine");
    expect(of({ OVERLAY_COMMENT_TOKEN: "" }, 7).token).toBe(TOKEN);
  });

  test("or what is missing", () => {
    expect(() => of({ GITHUB_TOKEN: "" }, 7)).toThrow(
      "there is no OVERLAY_COMMENT_TOKEN to comment with: hand over `github.token`",
    );
    expect(() => of({ GITHUB_REPOSITORY: "../x" }, 7)).toThrow("GITHUB_REPOSITORY has to be owner/name");
    expect(() => of({ GITHUB_EVENT_PATH: event({ ref: "refs/heads/main" }) })).toThrow(
      "this run is about no pull request",
    );
    expect(() => of({ GITHUB_EVENT_PATH: "/nowhere" })).toThrow("this run is about no pull request");
  });

  async function overlay(words: string[], more: Record<string, string> = {}, cwd = files) {
    const child = spawn(join(__dirname, "../../../../bin/overlay"), ["report", ...words], {
      cwd,
      env: {
        ...process.env,
        GITHUB_TOKEN: TOKEN,
        GITHUB_REPOSITORY: "net/infra",
        GITHUB_API_URL: github.url,
        GITHUB_EVENT_PATH: event({ number: 7, pull_request: { number: 7 } }),
        ...{ GITHUB_SHA: "", GITHUB_RUN_ID: "", OVERLAY_COMMENT_TOKEN: "" },
        ...more,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
    const code = await new Promise((ended) => child.on("close", ended));
    expect(stdout + stderr).not.toContain(TOKEN);
    return { code, stdout, stderr };
  }

  test("the command prints the report, writes the comment, and keeps its exit code", async () => {
    const text = markdown(report(preview(recorded("changed"))));
    const file = join(folder, "changed.json");
    expect(await overlay([file, "--comment"])).toEqual({ code: 2, stdout: text, stderr: "" });
    expect(bodies()).toEqual([`${MARK}\n${text}`]);
    expect(await overlay([join(folder, "same.json"), "--comment", "--format", "terminal"])).toMatchObject({ code: 0 });
    expect(bodies()).toEqual([`${MARK}\n## Overlay \`net/dev\`: nothing changes\n`]);
  });

  /** In Pulumi's place. */
  function pulumi(script: string): string {
    writeFileSync(join(files, "pulumi"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(files, "pulumi"), 0o755);
    return `${files}:${process.env.PATH}`;
  }

  test("a preview that it runs itself knows nothing of the token, and has its own where there is another for comments", async () => {
    const seen = join(files, "seen");
    const PATH = pulumi(`{ echo "$@"; env; } >${seen}; cat ${join(folder, "changed.json")}`);
    const more = { PATH, PULUMI_CONFIG_PASSPHRASE: "" };
    expect(await overlay(["--stack", "net/dev", "--comment"], more)).toMatchObject({ code: 2 });
    const [words, ...environment] = readFileSync(seen, "utf8").split("\n");
    expect(words).toBe("preview --json --show-sames --non-interactive --stack net/dev");
    expect(environment.filter((line) => line.includes(TOKEN) || line.startsWith("GITHUB_TOKEN"))).toEqual([]);
    expect(environment).toContain("GITHUB_REPOSITORY=net/infra");
    expect(bodies()).toHaveLength(1);
    const apart = { ...more, OVERLAY_COMMENT_TOKEN: TOKEN, GITHUB_TOKEN: "of-the-program" };
    expect(await overlay(["--comment"], apart)).toMatchObject({ code: 2 });
    const second = readFileSync(seen, "utf8").split("\n");
    expect(second).toContain("GITHUB_TOKEN=of-the-program");
    expect(second.filter((line) => line.includes(TOKEN))).toEqual([]);
    expect(bodies()).toHaveLength(1);
  });

  test("a preview that was killed is told by its signal", async () => {
    const PATH = pulumi("kill -KILL $$");
    expect(await overlay([], { PATH })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^overlay: `pulumi preview .*` was ended by SIGKILL: it said nothing/),
    });
  });

  test("a preview that ended badly and does not say why is an error all the same", async () => {
    const said = "echo 'error: preview failed: token=hunter2' >&2";
    const PATH = pulumi(`cat ${join(folder, "changed.json")}\n${said}\nexit 255`);
    const { code, stdout } = await overlay([], { PATH });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^## Overlay `net\/dev`: the preview failed \(1 error\)\n\n> \[!CAUTION\]\n> - `pulumi preview/,
    );
    expect(stdout).toContain("ended with 255: error: preview failed: token=");
    expect(stdout).not.toContain("hunter2");
  });

  /** A project's folder, and one inside of it. */
  function project(): string {
    const inner = join(files, "project", "inner");
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(files, "project/Pulumi.yaml"), "# of the network\nname: net\nruntime: nodejs\n");
    return inner;
  }

  test.each([
    ["by --stack", ["--stack", "dev"], "exit 1"],
    ["by --stack with its organization", ["--stack", "acme/net/dev"], "exit 1"],
    ["by the stack that is selected", [], '[ "$1 $2" = "stack --show-name" ] && echo dev'],
  ])("where there is no preview to read the comment of that stack says so, %s", async (_, words, script) => {
    const PATH = pulumi(script);
    github.add(`${MARK}\nall is well`);
    const none = join(files, "none.json");
    writeFileSync(none, '{"steps": [');
    const { code, stderr } = await overlay([none, ...words, "--comment"], { PATH }, project());
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("the preview breaks off") });
    expect(bodies()).toHaveLength(1);
    expect(bodies()[0]).toMatch(/## Overlay `net\/dev`: no report\n.*breaks off after 11 characters/s);
  });

  test("a stack that does not use the package has no report, and its preview has not failed", async () => {
    const { code } = await overlay([join(folder, "others.json"), "--comment"]);
    expect(code).toBe(1);
    expect(bodies()[0]).toMatch(
      /^<!-- overlay-report web%2Fdev -->\n## Overlay `web\/dev`: no report\n.*none of pulumi-overlay/s,
    );
  });

  test("a preview of another stack than was named is refused, and no other stack's comment is touched", async () => {
    github.add(`${MARK}\nall is well`);
    const { code, stderr } = await overlay(
      [join(folder, "changed.json"), "--stack", "prod", "--comment"],
      { PATH: pulumi("exit 1") },
      project(),
    );
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "overlay: the preview is of the stack net/dev, and --stack says prod: name the same [cli/option]\n",
    });
    expect(bodies().map((it) => it.split("\n")[0])).toEqual([MARK, "<!-- overlay-report net%2Fprod -->"]);
    expect(bodies()[0]).toContain("all is well");
  });

  test("the comment says of which commit it is, within its limit", async () => {
    const GITHUB_SHA = "c".repeat(40);
    await overlay([join(folder, "changed.json"), "--comment"], { GITHUB_SHA });
    expect(bodies()[0]).toMatch(/\n<sub>Of commit c{40}<\/sub>\n$/);
  });

  test("a comment that cannot be written is an error, and the report is printed all the same", async () => {
    const { code, stdout, stderr } = await overlay([join(folder, "changed.json"), "--comment", "8"]);
    expect(code).toBe(1);
    expect(stdout).toContain("3 hosts touched");
    expect(stderr).toMatch(/^overlay: GitHub answers GET .* with 404/);
    expect(await overlay([join(folder, "changed.json"), "--comment"], { GITHUB_TOKEN: "" })).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("there is no OVERLAY_COMMENT_TOKEN"),
    });
  });
});
