/** The stack that makes the buckets, against Cloudflare's own plugin; in the place of its API a server on loopback. */
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { counted } from "./output";
import { root, Workspace } from "./workspace";

jest.setTimeout(120_000);

const ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353";

/** What the preview asks for: ids of what tokens may do, GET /accounts/ID/tokens/permission_groups. */
async function cloudflare(): Promise<Server> {
  const server = createServer(({ url = "" }, response) => {
    const asked = new URL(url, "http://localhost").searchParams;
    const name = asked.get("name") ?? "";
    const scopes = ["com.cloudflare.edge.r2.bucket"];
    const named = decodeURIComponent(name);
    const all = [
      { id: "2efd5506f9c8494dacb1fa10a3e7d5b6", name: named, scopes },
      { id: "b4992e1108244f5d8bfbd5744320c2e1", name: `Not ${named}`, scopes },
    ];
    const result = Number(asked.get("page") ?? 1) > 1 ? [] : all;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describeWhere(["engine", "cloudflare"], "buckets by Cloudflare's plugin", () => {
  let workspace: Workspace;
  let server: Server;

  beforeAll(async () => {
    server = await cloudflare();
    const files = {
      "Pulumi.yaml": "name: net\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n",
      "index.js": `module.exports = require(${JSON.stringify(join(root, "dist/stacks/bootstrap.js"))});\n`,
    };
    workspace = await Workspace.make({ files });
    symlinkSync(
      join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins"),
      join(workspace.home, "plugins"),
    );
    workspace.configure({
      "cloudflare:apiToken": "t".repeat(40),
      "cloudflare:baseUrl": `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      "bootstrap:accountId": ACCOUNT,
      "bootstrap:networks": '["prod"]',
    });
  });
  afterAll(() => {
    workspace?.remove();
    server?.close();
  });

  test("it takes all that the stack asks for: two buckets, their rules and locks, two tokens", async () => {
    const { text } = await workspace.well("preview");
    expect(counted(text)).toEqual(["+ 9 to create"]);
    expect(text).toContain("https://023e105f4ecef8ad9ca31a8372d0c353.r2.cloudflarestorage.com");
  });
});
