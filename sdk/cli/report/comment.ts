/** One comment of a pull request, kept up to date: GitHub's REST API, "Issue comments". */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { ToolError } from "../error";

export interface PullRequest {
  /** https://api.github.com, or that of a GitHub Enterprise Server. */
  api: string;
  /** `owner/name` */
  repository: string;
  number: number;
  token: string;
  /** Of what and by which run the comment is made, as Markdown: a reader sees whether it is of now. */
  made?: string;
}

const VERSION = "2022-11-28";
/** Seconds that an answer may take. */
const LIMIT = 30;
/** Seconds that rate limits are waited for, all in all. */
const PATIENCE = 60;
/** Times that a server that fails is asked, and that a rate limit is waited for. */
const ATTEMPTS = 3;

class GitHubError extends ToolError {
  override readonly name = "GitHubError";

  constructor(
    readonly status: number,
    message: string,
  ) {
    super("cli/github", message);
  }
}

const pause = (seconds: number): Promise<void> => new Promise((over) => setTimeout(over, seconds * 1000));

/**
 * Seconds until the rate limit lets somebody in again; undefined where it is something else. Where GitHub does not say, it is to
 * be a minute: docs.github.com, "Best practices for using the REST API".
 */
function closedFor({ status, headers }: Response, text: string): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(headers.get("retry-after") ?? Number.NaN);
  if (after >= 0) return after;
  const isSecondary = status === 429 || /secondary rate limit/i.test(text);
  if (headers.get("x-ratelimit-remaining") !== "0") return isSecondary ? PATIENCE : undefined;
  return Math.max(0, Number(headers.get("x-ratelimit-reset")) - Date.now() / 1000);
}

const CURES: Record<number, string> = {
  401: "the token is none that GitHub knows",
  403: "give the job `permissions: { pull-requests: write }`; on a pull request from a fork no token may comment",
  404: "there is no such pull request, or the token may not see it: give the job `permissions: { pull-requests: write }`",
};

/** The address of the next page, RFC 8288. */
const nextOf = (link: string | null): string | undefined => /<([^>]*)>;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];

const comments = z.array(
  z.object({
    id: z.number(),
    body: z.string().nullish(),
    user: z.object({ type: z.string() }).nullish(),
    author_association: z.string().default("NONE"),
  }),
);
type Comment = z.output<typeof comments>[number];

/** Undefined, too, where it is none, as what a proxy says by itself. */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whoever likes can write the mark into a comment of his own, and change later what is written there. */
const isTrusted = ({ user, author_association: whose }: Comment): boolean =>
  user?.type === "Bot" || ["OWNER", "MEMBER", "COLLABORATOR"].includes(whose);

class GitHub {
  /** Seconds and times that rate limits were waited for. */
  #waited = { seconds: 0, times: 0 };

  constructor(private readonly at: PullRequest) {}

  /** Throws a GitHubError, without the token and without what was sent. */
  async call(method: string, address: string, body?: object): Promise<{ value: unknown; next: string | undefined }> {
    const { api, token } = this.at;
    const url = new URL(address.startsWith("/") ? `${api}${address}` : address);
    if (url.origin !== new URL(api).origin)
      throw new ToolError("cli/github", `GitHub sends on to another server, ${url.origin}`);
    const { response, text } = await this.#fetch(url, {
      method,
      headers: {
        Accept: "application/vnd.github+json",
        Authorization: `Bearer ${token}`,
        "User-Agent": "pulumi-overlay",
        "X-GitHub-Api-Version": VERSION,
        ...(body && { "Content-Type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(LIMIT * 1000),
    });
    if (response.ok) return { value: json(text), next: nextOf(response.headers.get("link")) };
    const closed = closedFor(response, text);
    const { seconds, times } = this.#waited;
    if (closed !== undefined && seconds + closed <= PATIENCE && times < ATTEMPTS) {
      this.#waited = { seconds: seconds + closed, times: times + 1 };
      await pause(closed);
      return this.call(method, address, body);
    }
    const said =
      closed === undefined
        ? CURES[response.status]
        : `the rate limit is used up: run it again in ${Math.ceil(closed)} s`;
    const why = /"message"\s*:\s*"([^"]{0,200})/.exec(text)?.[1] ?? response.statusText;
    throw new GitHubError(
      response.status,
      `GitHub answers ${method} ${url.pathname} with ${response.status} (${why})${said ? `: ${said}` : ""}`,
    );
  }

  async #fetch(url: URL, request: RequestInit): Promise<{ response: Response; text: string }> {
    try {
      const response = await fetch(url, request);
      return { response, text: await response.text() };
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error };
      throw new GitHubError(0, `${url.origin} cannot be reached: ${(cause ?? { message }).message}`);
    }
  }

  get #path(): string {
    return `/repos/${this.at.repository}/issues`;
  }

  /** The first comment that begins with `mark`. */
  async find(mark: string): Promise<Comment | undefined> {
    let page: string | undefined = `${this.#path}/${this.at.number}/comments?per_page=100`;
    while (page !== undefined) {
      const { value, next }: { value: unknown; next: string | undefined } = await this.call("GET", page);
      const { data } = comments.safeParse(value);
      if (!data)
        throw new ToolError(
          "cli/github",
          `${this.at.api} answers with something else than GitHub's comments: correct GITHUB_API_URL`,
        );
      const found = data.find((it) => it.body?.startsWith(mark) && isTrusted(it));
      if (found) return found;
      page = next;
    }
    return undefined;
  }

  create = (body: string) => this.call("POST", `${this.#path}/${this.at.number}/comments`, { body });
  update = ({ id }: Comment, body: string) => this.call("PATCH", `${this.#path}/comments/${id}`, { body });
}

const is = (error: unknown, ...status: number[]): boolean =>
  error instanceof GitHubError && status.includes(error.status);

/** One of a pull request for each of them. */
export interface Key {
  /** What several stacks of one repository differ in. */
  project: string;
  stack: string;
}

/**
 * Writes the comment of this key, over what it said before. `text` gives what fits into so many characters. Throws an
 * Error that says what to do.
 */
export async function comment(
  at: PullRequest,
  { project, stack }: Key,
  text: (limit: number) => string,
  limit: number,
): Promise<void> {
  const github = new GitHub(at);
  const mark = `<!-- overlay-report ${encodeURIComponent(`${project}/${stack}`)} -->`;
  const end = at.made === undefined ? "" : `\n${at.made}\n`;
  const body = (characters: number) => `${mark}\n${text(characters - mark.length - end.length - 1)}${end}`;
  const write = async (characters: number) => {
    const found = await github.find(mark);
    if (!found) return github.create(body(characters));
    return github.update(found, body(characters)).catch((error) => {
      // Somebody has removed it in between.
      if (is(error, 404)) return github.create(body(characters));
      throw error;
    });
  };
  for (let attempt = 1; ; attempt++) {
    try {
      await write(limit);
      return;
    } catch (error) {
      if (is(error, 422) && attempt === 1) limit = Math.floor(limit / 4);
      else if (attempt === ATTEMPTS || !is(error, 0, 500, 502, 503, 504)) throw error;
      // It looks for the comment anew: an answer that was lost may have made it.
      else await pause(attempt);
    }
  }
}

const event = z.object({
  number: z.number().optional(),
  pull_request: z.object({ number: z.number(), head: z.object({ sha: z.string() }).optional() }).optional(),
  issue: z.object({ number: z.number() }).optional(),
});
type Event = z.output<typeof event>;

type Environment = Record<string, string | undefined>;

/** What the comment is written with. Of the two the first: the other may be the program's own, which a preview needs. */
const TOKENS = ["OVERLAY_COMMENT_TOKEN", "GITHUB_TOKEN"] as const;
export const tokenIn = (environment: Environment): (typeof TOKENS)[number] | undefined =>
  TOKENS.find((name) => environment[name]);

/** From what GitHub Actions has in the environment of each step. Throws an Error that names what is missing. */
export function pullRequest(environment: Environment, number?: number): PullRequest {
  const { GITHUB_REPOSITORY: repository, GITHUB_API_URL: api, GITHUB_EVENT_PATH: path } = environment;
  const token = environment[tokenIn(environment) ?? ""];
  if (!token)
    throw new ToolError(
      "cli/github",
      "there is no OVERLAY_COMMENT_TOKEN to comment with: hand over `github.token` in `env` of the step",
    );
  if (!repository || !/^\w[\w-]*\/(?!\.\.?$)[\w.-]+$/.test(repository)) {
    throw new ToolError("cli/github", "GITHUB_REPOSITORY has to be owner/name, as GitHub Actions sets it");
  }
  const its = path ? eventIn(path) : undefined;
  const found = number ?? its?.pull_request?.number ?? its?.issue?.number ?? its?.number;
  if (found === undefined)
    throw new ToolError("cli/github", "this run is about no pull request: name it, --comment NUMBER");
  const made = madeBy(environment, repository, its);
  return {
    api: (api || "https://api.github.com").replace(/\/+$/, ""),
    repository,
    number: found,
    token,
    ...(made !== undefined && { made }),
  };
}

/** Of a pull request GITHUB_SHA is a merge that nobody has made. */
function madeBy(environment: Environment, repository: string, its: Event | undefined): string | undefined {
  const { GITHUB_SHA, GITHUB_SERVER_URL: server = "", GITHUB_RUN_ID: run = "" } = environment;
  const sha = its?.pull_request?.head?.sha ?? GITHUB_SHA ?? "";
  const isKnown = /^https?:\/\/[\w.:-]+$/.test(server) && /^\d+$/.test(run);
  const parts = [
    ...(/^[0-9a-f]{40,64}$/.test(sha) ? [`Of commit ${sha}`] : []),
    ...(isKnown ? [`by [this run](${server}/${repository}/actions/runs/${run})`] : []),
  ];
  return parts.length === 0 ? undefined : `<sub>${parts.join(", ")}</sub>`;
}

function eventIn(path: string): Event | undefined {
  try {
    return event.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
