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

/** Seconds until the rate limit lets somebody in again; undefined where it is something else. */
function closedFor({ status, headers }: Response): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(headers.get("retry-after") ?? Number.NaN);
  if (after >= 0) return after;
  if (headers.get("x-ratelimit-remaining") !== "0") return status === 429 ? PATIENCE : undefined;
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
    const response = await fetch(url, {
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
    }).catch((error: Error & { cause?: Error }) => {
      throw new GitHubError(0, `${url.origin} cannot be reached: ${(error.cause ?? error).message}`);
    });
    const text = await response.text();
    if (response.ok) return { value: json(text), next: nextOf(response.headers.get("link")) };
    const closed = closedFor(response);
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

/**
 * Writes the comment of this key, over what it said before. `text` gives what fits into so many characters. Throws an
 * Error that says what to do.
 */
export async function comment(
  at: PullRequest,
  key: string,
  text: (limit: number) => string,
  limit: number,
): Promise<void> {
  const github = new GitHub(at);
  const mark = `<!-- overlay-report ${encodeURIComponent(key)} -->`;
  const body = (characters: number) => `${mark}\n${text(characters - mark.length - 1)}`;
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
  pull_request: z.object({ number: z.number() }).optional(),
  issue: z.object({ number: z.number() }).optional(),
});

/** From what GitHub Actions has in the environment of each step. Throws an Error that names what is missing. */
export function pullRequest(environment: Record<string, string | undefined>, number?: number): PullRequest {
  const {
    GITHUB_TOKEN: token,
    GITHUB_REPOSITORY: repository,
    GITHUB_API_URL: api,
    GITHUB_EVENT_PATH: path,
  } = environment;
  if (!token)
    throw new ToolError(
      "cli/github",
      "there is no GITHUB_TOKEN to comment with: hand over `github.token` in `env` of the step",
    );
  if (!repository || !/^\w[\w-]*\/(?!\.\.?$)[\w.-]+$/.test(repository)) {
    throw new ToolError("cli/github", "GITHUB_REPOSITORY has to be owner/name, as GitHub Actions sets it");
  }
  const found = number ?? (path ? numberIn(path) : undefined);
  if (found === undefined)
    throw new ToolError("cli/github", "this run is about no pull request: name it, --comment NUMBER");
  return { api: (api || "https://api.github.com").replace(/\/+$/, ""), repository, number: found, token };
}

function numberIn(path: string): number | undefined {
  try {
    const { pull_request: pull, issue, number } = event.parse(JSON.parse(readFileSync(path, "utf8")));
    return pull?.number ?? issue?.number ?? number;
  } catch {
    return undefined;
  }
}
