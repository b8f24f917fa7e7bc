/** State in a bucket, as docs/state.md has it: a network's life on the S3 backend, a run that crashed, and an older state. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../../sdk/truth/store";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { Writers } from "../../sdk/truth/keys";
import { Minio, use } from "../../sdk/truth/minio";
import { counted } from "./output";
import { compiled, type Options, Workspace } from "./workspace";

jest.setTimeout(240_000);

const program = (truth: object, keepalive: number) => `
import { readFileSync } from "node:fs";
import { OverlayNode, SourceOfTruth, WgLink } from "pulumi-overlay";

const { hosts } = JSON.parse(readFileSync("lab.json", "utf8"));
const node = (name: string, id: number) =>
  new OverlayNode(name, {
    id,
    connection: { host: hosts[name].addresses[0], hostKey: hosts[name].hostKey },
    addresses: [\`10.255.0.\${id}\`],
    endpoints: hosts[name].addresses,
  });
const [lux, fra] = [node("lux", 1), node("fra", 2)];
new WgLink("lux-fra", { a: lux, b: fra, keepalive: ${keepalive} });
new SourceOfTruth("truth", { ...${JSON.stringify(truth)}, nodes: [lux, fra] });
export const keepalive = ${keepalive};
`;
/** One that kills the engine that runs it. */
const killing = `process.kill(Number(require("node:fs").readFileSync("engine.pid", "utf8")), "SIGKILL"); process.exit();`;

describeWhere(["lab", "engine", "minio"], "state in a bucket", () => {
  let lab: Lab;
  let minio: Minio;
  let workspace: Workspace;
  const writers = new Writers();
  const options: Options = { files: compiled(), around: [] };
  let truth: object;

  beforeAll(async () => {
    [lab, minio] = await Promise.all([Lab.up("lab", { name: "state", fresh: true }), Minio.start()]);
    await minio.makeBucket("state");
    use(minio.root);
    const { key, publicKey } = writers.make("net");
    truth = { network: "prod", store: minio.address(), key, signers: { "net/dev": [publicKey] } };
    // Those of a bucket of R2, and that its server is on loopback.
    const backend = `s3://state?endpoint=${minio.endpoint}&region=auto&s3ForcePathStyle=true&disable_https=true`;
    Object.assign(options, {
      lab,
      environment: {
        PULUMI_BACKEND_URL: backend,
        AWS_ACCESS_KEY_ID: minio.root.accessKeyId,
        AWS_SECRET_ACCESS_KEY: minio.root.secretAccessKey,
      },
    });
    workspace = await Workspace.make(options);
  });
  afterAll(async () => {
    workspace?.remove();
    writers.remove();
    await minio?.remove();
    await Lab.down("state");
  });
  const write = (text: string) => workspace.write(text);

  test("up, nothing more to do, and a change: as with a folder", async () => {
    write(program(truth, 25));
    expect(counted((await workspace.well("up", "--yes", "--skip-preview")).text)).toEqual(["+ 10 created"]);
    expect(await lab.exec("lux", ["ping", "-n", "-q", "-c", "1", "-W", "5", "10.255.0.2"])).toMatchObject({ code: 0 });
    await workspace.well("preview", "--expect-no-changes", "--refresh");
    write(program(truth, 15));
    expect(counted((await workspace.well("up", "--yes", "--skip-preview")).text)).toContain("~ 2 updated");
    const extract = await openStore(minio.address()).get("prod/hosts/lux/net.dev");
    expect(extract?.text).toMatch(/^peer \S+ inter-fra fra chooser$/m);
  });

  test("a run that was killed leaves a lock, which `pulumi cancel` takes away", async () => {
    write(killing);
    options.around = ["sh", "-c", 'echo $$ >engine.pid && exec "$@"', "sh"];
    expect((await workspace.run("up", "--yes", "--skip-preview")).code).not.toBe(0);
    options.around = [];
    write(program(truth, 15));
    const locked = await workspace.run("up", "--yes", "--skip-preview");
    expect([locked.code === 0, locked.text]).toEqual([
      false,
      expect.stringContaining("the stack is currently locked by 1 lock(s)"),
    ]);
    await workspace.well("cancel", "--yes");
    expect(counted((await workspace.well("up", "--yes", "--skip-preview")).text)).toEqual(["10 unchanged"]);
  });

  test("an older state is had back from what the backend keeps, and the next run brings it up to date", async () => {
    const folder = join(minio.folder, "state/.pulumi/history/net/dev");
    const [first] = readdirSync(folder)
      .filter((name) => name.endsWith(".checkpoint.json"))
      .sort();
    const store = openStore(`s3://state?endpoint=${minio.endpoint}&region=auto`);
    const kept = JSON.parse((await store.get(`.pulumi/history/net/dev/${first}`))?.text ?? "");
    const file = join(workspace.folder, "older.json");
    writeFileSync(file, JSON.stringify({ version: kept.version, deployment: kept.checkpoint.latest }));
    await workspace.well("stack", "import", "--file", file);
    expect((await workspace.well("stack", "output", "keepalive")).text.trim()).toMatch(/25$/);
    await workspace.well("refresh", "--yes", "--skip-preview");
    await workspace.well("up", "--yes", "--skip-preview");
    expect((await workspace.well("stack", "output", "keepalive")).text.trim()).toMatch(/15$/);
    await workspace.well("destroy", "--yes", "--skip-preview");
    expect((await openStore(minio.address()).get("prod/document.json"))?.text).toContain('"stacks":{}');
  });
});
