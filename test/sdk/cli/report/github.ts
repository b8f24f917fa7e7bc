/** As much of GitHub's REST API as a comment needs, on loopback: docs.github.com/en/rest/issues/comments. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Comment {
  id: number;
  body: string;
  user: { login: string; type: "Bot" | "User" };
  author_association: "NONE" | "CONTRIBUTOR" | "COLLABORATOR" | "MEMBER" | "OWNER";
}

/** What it answers once in place of what was asked for. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: object;
  /** The answer is lost, and what was asked for is done. */
  lost?: true;
  /** It breaks off in its middle. */
  cut?: true;
}

/** Characters of a comment, as its API says where there are more. */
const MOST = 65_536;
const PATH = /^\/repos\/([^/]+\/[^/]+)\/issues(?:\/(\d+))?\/comments(?:\/(\d+))?$/;

export class GitHub {
  readonly comments: Comment[] = [];
  /** METHOD PATH of each request. */
  readonly asked: string[] = [];
  readonly #server: Server;
  /** What comes next, by METHOD. */
  readonly #next: { method: string; answer: Answer }[] = [];
  most = MOST;

  private constructor(
    readonly token: string,
    readonly repository: string,
    readonly number: number,
  ) {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(token: string, repository = "net/infra", number = 7): Promise<GitHub> {
    const github = new GitHub(token, repository, number);
    github.#server.listen(0, "127.0.0.1");
    await once(github.#server, "listening");
    return github;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Others, or its own, that are there already. */
  add(body: string, by: Partial<Comment> = {}): Comment {
    const comment: Comment = {
      id: 1000 + this.comments.length,
      body,
      user: { login: "github-actions[bot]", type: "Bot" },
      author_association: "NONE",
      ...by,
    };
    this.comments.push(comment);
    return comment;
  }

  fail(method: string, ...answers: Answer[]): void {
    this.#next.push(...answers.map((answer) => ({ method, answer })));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let sent = "";
    for await (const chunk of request.setEncoding("utf8")) sent += chunk;
    const { method = "", url = "" } = request;
    this.asked.push(`${method} ${url}`);
    const say = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
    const planned = this.#next.findIndex((it) => it.method === method);
    const [next] = planned < 0 ? [] : this.#next.splice(planned, 1);
    if (next?.answer.cut) {
      response.writeHead(next.answer.status, { "Content-Length": "1000" }).write("[");
      return void setTimeout(() => request.socket.destroy(), 50);
    }
    if (next && !next.answer.lost) return void say(next.answer.status, next.answer.body ?? {}, next.answer.headers);
    const { status, body, headers } = this.#answer(request, sent);
    if (next) return void request.socket.destroy();
    say(status, body, headers);
  }

  #answer(
    { method, url = "", headers }: IncomingMessage,
    sent: string,
  ): Required<Pick<Answer, "status">> & { body: unknown; headers?: Record<string, string> } {
    if (headers.authorization !== `Bearer ${this.token}`) return { status: 401, body: { message: "Bad credentials" } };
    if (!headers["user-agent"] || headers["x-github-api-version"] !== "2022-11-28") {
      return { status: 400, body: { message: "Request forbidden by administrative rules" } };
    }
    const at = new URL(url, this.url);
    const [, repository, issue, id] = PATH.exec(at.pathname) ?? [];
    const there = repository === this.repository && (issue === undefined || Number(issue) === this.number);
    if (!there) return { status: 404, body: { message: "Not Found" } };
    const text = sent === "" ? "" : (JSON.parse(sent) as { body: string }).body;
    const tooLong = {
      status: 422,
      body: {
        message: "Validation Failed",
        errors: [{ message: `body is too long (maximum is ${this.most} characters)` }],
      },
    };
    if (method === "GET") return this.#page(at);
    if (text.length > this.most) return tooLong;
    if (method === "POST") return { status: 201, body: this.add(text) };
    const found = this.comments.find((it) => it.id === Number(id));
    if (method !== "PATCH" || !found) return { status: 404, body: { message: "Not Found" } };
    found.body = text;
    return { status: 200, body: found };
  }

  #page(at: URL) {
    const size = Math.min(100, Number(at.searchParams.get("per_page") ?? 30));
    const page = Number(at.searchParams.get("page") ?? 1);
    const last = Math.max(1, Math.ceil(this.comments.length / size));
    const link = (to: number, rel: string) => {
      const url = new URL(at);
      url.searchParams.set("page", String(to));
      return `<${url}>; rel="${rel}"`;
    };
    const links = [
      ...(page > 1 ? [link(page - 1, "prev"), link(1, "first")] : []),
      ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
    ];
    return {
      status: 200,
      body: this.comments.slice((page - 1) * size, page * size),
      ...(links.length > 0 && { headers: { Link: links.join(", ") } }),
    };
  }
}
