/** Whom `overlay status` logs in to before Pulumi answers, and what becomes of that. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StackNode } from "../../../sdk/cli/stack";
import { adopted, begin, end, fileOf, keep, type Reach, recall } from "../../../sdk/cli/status/early";
import { kept } from "../../../sdk/cli/status/look";
import { Connection } from "../../../sdk/host";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "early-"));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const reach = (name: string, more: object = {}): Reach => ({
  name,
  connection: Connection.parse({ host: `${name}.example`, user: "root", hostKey: "ssh-ed25519 AAAA", ...more }),
});

describe("the file", () => {
  const hosts = [reach("lux"), { ...reach("fra", { port: 2222, proxyJump: "ops@192.0.2.1" }), ssh: "ssh -F net" }];
  const file = () => join(folder, "cache/pulumi-overlay/hosts/a.json");
  const modes = () => [dirname(file()), file()].map((path) => statSync(path).mode & 0o777);

  test("is what was kept last, and its owner's alone", () => {
    expect(recall(file())).toEqual([]);
    keep(file(), [reach("hkg")]);
    keep(file(), hosts);
    expect(recall(file())).toEqual(hosts);
    expect(modes()).toEqual([0o700, 0o600]);
    expect(readdirSync(dirname(file()))).toEqual(["a.json"]);
  });

  const text = () => readFileSync(file(), "utf8");
  test.each<[string, () => void]>([
    ["broken off", () => writeFileSync(file(), text().slice(0, -9))],
    ["of another version", () => writeFileSync(file(), text().replace('"version":1', '"version":0'))],
    [
      "of hosts of whom it says more than is known",
      () => writeFileSync(file(), text().replace('"name"', '"a":1,"name"')),
    ],
    ["of a host that ssh would read as an option", () => writeFileSync(file(), text().replace("lux.example", "-oA=b"))],
    ["open to others", () => chmodSync(file(), 0o640)],
    ["somebody else's", () => jest.spyOn(process, "getuid").mockReturnValue(statSync(file()).uid + 1)],
    [
      "a link",
      () => {
        writeFileSync(join(folder, "other.json"), text(), { mode: 0o600 });
        rmSync(file());
        symlinkSync(join(folder, "other.json"), file());
      },
    ],
  ])("%s is none, and is written anew", (_, spoil) => {
    keep(file(), hosts);
    spoil();
    expect(recall(file())).toEqual([]);
    keep(file(), hosts);
    jest.restoreAllMocks();
    expect(recall(file())).toEqual(hosts);
    expect(modes()[1]).toBe(0o600);
  });

  test("where there is no room for it, nothing is kept, and nobody complains", () => {
    writeFileSync(join(folder, "cache"), "");
    keep(file(), hosts);
    expect(recall(file())).toEqual([]);
    expect(readdirSync(folder)).toEqual(["cache"]);
  });
});

test("of what is secret, encrypted or unknown in state, nothing is kept", () => {
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const node = (name: string, connection?: unknown): StackNode => ({ name, connection, foreign: false, addresses: [] });
  const nodes = [
    { ...node("lux", { host: "lux.example" }), ssh: "ssh -F net" },
    node("fra", { host: "fra.example", hostKey: secret }),
    node("hkg", secret),
    node("sgp", { host: "sgp.example", port: unknown }),
    node("nas"),
  ];
  expect(kept(nodes)).toEqual([
    { name: "lux", ssh: "ssh -F net", connection: { host: "lux.example", port: 22, connectTimeout: 10 } },
  ]);
});

describe("its name", () => {
  const environment = () => ({ HOME: folder, PWD: folder });
  const own = process.cwd();
  beforeEach(() => {
    writeFileSync(join(folder, "Pulumi.yaml"), "name: net\nruntime: nodejs\n");
    mkdirSync(join(folder, "sub"));
    process.chdir(folder);
  });
  afterEach(() => process.chdir(own));

  test("is the same in the whole project, and another for each stack, backend and home", () => {
    const names = () => [
      fileOf(undefined, environment()),
      fileOf("prod", environment()),
      fileOf(undefined, { ...environment(), PULUMI_STACK: "dev" }),
      fileOf(undefined, { ...environment(), PULUMI_BACKEND_URL: "s3://net" }),
      fileOf(undefined, { ...environment(), PULUMI_HOME: "/home" }),
    ];
    const here = names();
    expect(new Set(here).size).toBe(here.length);
    process.chdir("sub");
    expect(names()).toEqual(here);
  });

  test("is another when another stack is selected", () => {
    const before = fileOf(undefined, environment());
    mkdirSync(join(folder, ".pulumi/workspaces"), { recursive: true });
    const sha1 = createHash("sha1").update(join(folder, "Pulumi.yaml")).digest("hex");
    const workspace = join(folder, `.pulumi/workspaces/net-${sha1}-workspace.json`);
    writeFileSync(workspace, '{"stack":"prod"}');
    const prod = fileOf(undefined, environment());
    writeFileSync(workspace, '{"stack":"dev"}');
    expect(new Set([before, prod, fileOf(undefined, environment())]).size).toBe(3);
  });

  test("is in the user's cache, if there is one", () => {
    const name = expect.stringMatching(/^\/cache\/pulumi-overlay\/hosts\/[0-9a-f]{64}\.json$/);
    expect(fileOf("prod", { XDG_CACHE_HOME: "/cache" })).toEqual(name);
    expect(fileOf("prod", environment())).toContain(`${folder}/.cache/pulumi-overlay/hosts/`);
    expect(fileOf("prod", {})).toBeUndefined();
  });
});

test("a host that is reached as before goes on; one that has gone or is reached in another way ends at once", async () => {
  const [lux, fra, hkg, sgp] = ["lux", "fra", "hkg", "sgp"].map((name) => reach(name)) as [Reach, Reach, Reach, Reach];
  // Each says that it is there, and that it was told to end.
  const script = `shift $(($# - 2)); trap 'rm ${folder}/$1; exit' TERM; echo >${folder}/$1; while [ -e "$0" ]; do sleep 0.05; done`;
  const ssh = join(folder, "ssh");
  writeFileSync(ssh, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const there = () => readdirSync(folder).filter((name) => name !== "ssh");
  const logins = await begin([lux, fra, hkg, sgp], ssh);
  const until = async (count: number) => {
    while (there().length !== count) await sleep(20);
  };
  await until(4);
  const answer = [lux, reach("fra", { port: 2222 }), { ...hkg, ssh: "ssh -F net" }];
  expect(adopted(logins, answer).map((it) => it.reach.name)).toEqual(["lux"]);
  await until(1);
  expect(there()).toEqual(["lux.example"]);
  end(logins);
  await until(0);
});
