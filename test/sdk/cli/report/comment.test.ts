/** The comment of a pull request, against a server that speaks as much of GitHub's API as is documented for it. */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

const say = (text: string, token = TOKEN, key = "net/dev", number = 7): Promise<void> =>
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

test("two stacks have one each, and a stranger's comment with the mark is nobody's", async () => {
  const stranger = github.add(`${MARK}\nall is well`, {
    user: { login: "eve", type: "User" },
    author_association: "CONTRIBUTOR",
  });
  await say("of dev");
  await say("of prod", TOKEN, "net/prod --> <b>");
  await say("of dev again");
  expect(stranger.body).toBe(`${MARK}\nall is well`);
  expect(bodies().slice(1)).toEqual([
    `${MARK}\nof dev again`,
    "<!-- overlay-report net%2Fprod%20--%3E%20%3Cb%3E -->\nof prod",
  ]);
  // One of the repository's own people may hand over a token of his own.
  const member = github.add("<!-- overlay-report a -->\n", {
    user: { login: "amy", type: "User" },
    author_association: "MEMBER",
  });
  await say("x", TOKEN, "a");
  expect(member.body).toBe("<!-- overlay-report a -->\nx");
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
  expect(await refused(say("x", TOKEN, "net/dev", 8))).toMatch(
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
  expect(await refused(comment(at, "a", () => "", 100))).toMatch(/^http:\/\/127\.0\.0\.1:9 cannot be reached: /);
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

  test("or what is missing", () => {
    expect(() => of({ GITHUB_TOKEN: "" }, 7)).toThrow(
      "there is no GITHUB_TOKEN to comment with: hand over `github.token`",
    );
    expect(() => of({ GITHUB_REPOSITORY: "../x" }, 7)).toThrow("GITHUB_REPOSITORY has to be owner/name");
    expect(() => of({ GITHUB_EVENT_PATH: event({ ref: "refs/heads/main" }) })).toThrow(
      "this run is about no pull request",
    );
    expect(() => of({ GITHUB_EVENT_PATH: "/nowhere" })).toThrow("this run is about no pull request");
  });

  async function overlay(words: string[], more: Record<string, string> = {}) {
    const child = spawn(join(__dirname, "../../../../bin/overlay"), ["report", ...words], {
      env: {
        ...process.env,
        GITHUB_TOKEN: TOKEN,
        GITHUB_REPOSITORY: "net/infra",
        GITHUB_API_URL: github.url,
        GITHUB_EVENT_PATH: event({ number: 7, pull_request: { number: 7 } }),
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

  test("a preview that it runs itself knows nothing of the token", async () => {
    const file = join(folder, "changed.json");
    // In Pulumi's place, to see what that is given.
    writeFileSync(join(files, "pulumi"), `#!/bin/sh\n{ echo "$@"; env; } >${join(files, "seen")}\ncat ${file}\n`);
    chmodSync(join(files, "pulumi"), 0o755);
    const PATH = `${files}:${process.env.PATH}`;
    expect(await overlay(["--stack", "net/dev", "--comment"], { PATH, PULUMI_CONFIG_PASSPHRASE: "" })).toMatchObject({
      code: 2,
    });
    const [words, ...environment] = readFileSync(join(files, "seen"), "utf8").split("\n");
    expect(words).toBe("preview --json --show-sames --non-interactive --stack net/dev");
    expect(environment.filter((line) => line.includes(TOKEN) || line.startsWith("GITHUB_TOKEN"))).toEqual([]);
    expect(environment).toContain("GITHUB_REPOSITORY=net/infra");
    expect(bodies()).toHaveLength(1);
  });

  test("a preview that ended badly and does not say why is an error all the same", async () => {
    const said = "echo 'error: preview failed: token=hunter2' >&2";
    writeFileSync(join(files, "pulumi"), `#!/bin/sh\ncat ${join(folder, "changed.json")}\n${said}\nexit 255\n`);
    chmodSync(join(files, "pulumi"), 0o755);
    const { code, stdout } = await overlay([], { PATH: `${files}:${process.env.PATH}` });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^## Overlay `net\/dev`: the preview failed \(1 error\)\n\n> \[!CAUTION\]\n> - `pulumi preview/,
    );
    expect(stdout).toContain("ended with 255: error: preview failed: token=");
    expect(stdout).not.toContain("hunter2");
  });

  test("where there is no preview to read the comment says so, for what it said before is true no more", async () => {
    github.add(`${MARK}\nall is well`);
    const none = join(files, "none.json");
    writeFileSync(none, '{"steps": [');
    const { code, stderr } = await overlay([none, "--stack", "net/dev", "--comment"]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("the preview breaks off") });
    expect(bodies()).toHaveLength(1);
    expect(bodies()[0]).toMatch(/## Overlay `net\/dev`: the preview failed.*breaks off after 11 characters/s);
  });

  test("a comment that cannot be written is an error, and the report is printed all the same", async () => {
    const { code, stdout, stderr } = await overlay([join(folder, "changed.json"), "--comment", "8"]);
    expect(code).toBe(1);
    expect(stdout).toContain("3 hosts touched");
    expect(stderr).toMatch(/^overlay: GitHub answers GET .* with 404/);
    expect(await overlay([join(folder, "changed.json"), "--comment"], { GITHUB_TOKEN: "" })).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("there is no GITHUB_TOKEN"),
    });
  });
});
