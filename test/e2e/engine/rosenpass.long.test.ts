/** Post-quantum keys of a link whose hosts choose where they call each other: the daemons go where WireGuard went. */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { Writers } from "../../sdk/truth/keys";
import { use } from "../../sdk/truth/minio";
import { within } from "../days/choose";
import { on } from "../days/network";
import { Bucket } from "./bucket";
import { NODE, Workspace } from "./workspace";

jest.setTimeout(240_000);

const program = (binary: object, settings: object): string => `
import { OverlayNode, RosenpassPeer, SourceOfTruth, WgLink } from "pulumi-overlay";
${NODE}
const [a, b] = [node("lux", 1), node("fra", 2)];
const link = new WgLink("lux-fra", { a, b });
new RosenpassPeer("lux-fra", { link, mode: "strict", binary: ${JSON.stringify(binary)} });
new SourceOfTruth("truth", { ...${JSON.stringify(settings)}, nodes: [a, b] });
`;

describeWhere(["lab", "engine", "minio", "rosenpass"], "post-quantum keys where hosts choose", () => {
  let lab: Lab;
  let bucket: Bucket;
  let work: Workspace;
  const writers = new Writers();
  const nodes = ["lux", "fra"];
  const address = (host: string, family: 0 | 1): string => lab.json.hosts[host]?.addresses[family] ?? "";
  const psks = (): Promise<string[]> =>
    Promise.all(nodes.map((node) => on(lab, node, "wg show all preshared-keys | cut -f 3")));
  /** Where both daemons call. */
  const called = (): Promise<string[]> =>
    Promise.all(nodes.map((node) => on(lab, node, "sed -n 's/^endpoint = //p' /run/overlay/rosenpass/*/config.toml")));

  beforeAll(async () => {
    const path = realpathSync(resolve(__dirname, "../../../dist/.bin/rosenpass"));
    const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
    lab = await Lab.up("lab", { name: "pqchoose", fresh: true });
    bucket = await Bucket.start(lab);
    use(bucket.minio.root);
    const reader = await bucket.minio.token("s3:GetObject");
    const AWS_SHARED_CREDENTIALS_FILE = join(writers.folder, "credentials");
    const { accessKeyId, secretAccessKey, sessionToken } = reader;
    const lines = [`aws_access_key_id = ${accessKeyId}`, `aws_secret_access_key = ${secretAccessKey}`];
    const session = sessionToken === undefined ? [] : [`aws_session_token = ${sessionToken}`];
    writeFileSync(AWS_SHARED_CREDENTIALS_FILE, ["[hosts]", ...lines, ...session, ""].join("\n"));
    work = await Workspace.make({ lab, files: {}, environment: { AWS_SHARED_CREDENTIALS_FILE } });
    const { key, publicKey } = writers.make("net");
    const choose = { stores: [bucket.forHosts], profile: "hosts", probe: 0.5, hold: 10, fetch: 1 };
    const settings = {
      network: "prod",
      store: bucket.minio.address(),
      key,
      signers: { "net/dev": [publicKey] },
      choose,
    };
    writeFileSync(join(work.folder, "index.ts"), program({ path, sha256 }, settings));
  });
  afterAll(async () => {
    work?.remove();
    writers.remove();
    await bucket?.remove();
    await Lab.down("pqchoose");
  });

  test("the path in use is cut: the link goes on by the other, and so do both daemons, with a new key at once", async () => {
    await work.well("up", "--yes", "--skip-preview");
    await within(15, "lux has chosen", () =>
      on(lab, "lux", "cat /run/overlay/choice 2>/dev/null || :").then((text) => text.includes(" fra good\n")),
    );
    const before = await psks();
    expect(new Set(before).size).toBe(1);
    await on(lab, "fra", `nft 'add table ip cut; add chain ip cut in { type filter hook input priority -500; }'`);
    await on(lab, "fra", `nft add rule ip cut in ip saddr ${address("lux", 0)} drop`);
    await within(15, "lux calls fra by IPv6", async () =>
      (await on(lab, "lux", "wg show inter-fra endpoints")).includes(`[${address("fra", 1)}]:`),
    );
    await on(lab, "lux", "ping -n -q -c 3 -i 0.2 -W 2 10.255.0.2");
    await within(60, "both daemons call by IPv6", async () =>
      (await called()).every((at) => /^("\[.*\]:\d+"\n)?$/.test(at)),
    );
    await within(10, "both have a new key", async () => {
      const now = await psks();
      return new Set(now).size === 1 && now[0] !== before[0];
    });
    await on(lab, "lux", "ping -n -q -c 3 -i 0.2 -W 2 10.255.0.2");
  });
});
