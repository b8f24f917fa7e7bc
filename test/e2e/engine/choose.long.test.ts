/** Hosts that choose where they call each other, by documents that a stack puts into a bucket and hands them the token for. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../../sdk/truth/store";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { Writers } from "../../sdk/truth/keys";
import { type Access, use } from "../../sdk/truth/minio";
import { within } from "../days/choose";
import { on } from "../days/network";
import { Bucket } from "./bucket";
import { changed, counted } from "./output";
import { compiled, NODE, Workspace } from "./workspace";

jest.setTimeout(240_000);

const program = (settings: object): string => `
import { fullMesh, OverlayNode, SourceOfTruth } from "pulumi-overlay";
${NODE}
const nodes = [node("lux", 1), node("fra", 2)];
fullMesh(nodes);
new SourceOfTruth("truth", { ...${JSON.stringify(settings)}, nodes });
`;

describeWhere(["lab", "engine", "minio"], "hosts that choose by what is in a bucket", () => {
  let lab: Lab;
  let bucket: Bucket;
  let work: Workspace;
  let reader: Access;
  const writers = new Writers();
  const seen: string[] = [];
  const environment: Record<string, string> = {};

  /** Hosts read with what is in this file from the next run on. */
  const hand = (access: Access): void =>
    writeFileSync(
      environment.AWS_SHARED_CREDENTIALS_FILE ?? "",
      `[hosts]\naws_access_key_id = ${access.accessKeyId}\naws_secret_access_key = ${access.secretAccessKey}\n` +
        (access.sessionToken === undefined ? "" : `aws_session_token = ${access.sessionToken}\n`),
    );
  const run = async (...command: string[]): Promise<string> => {
    const { text } = await work.well(...command);
    seen.push(text);
    return text;
  };
  const endpoint = async (host: string, device: string): Promise<string> =>
    (await on(lab, host, `wg show ${device} endpoints`)).trim().split("\t")[1] ?? "";
  const journal = (host: string): Promise<string> => on(lab, host, "journalctl -q -o cat -u overlay-choose");
  const chosen = (host: string): Promise<string> => on(lab, host, "cat /run/overlay/choice 2>/dev/null || :");

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "bucket", fresh: true });
    bucket = await Bucket.start(lab);
    use(bucket.minio.root);
    reader = await bucket.minio.token("s3:GetObject");
    environment.AWS_SHARED_CREDENTIALS_FILE = join(writers.folder, "credentials");
    hand(reader);
    work = await Workspace.make({ lab, files: compiled(), environment });
    const { key, publicKey } = writers.make("net");
    work.write(
      program({
        network: "prod",
        store: bucket.minio.address(),
        key,
        signers: { "net/dev": [publicKey] },
        choose: { stores: [bucket.forHosts], profile: "hosts", probe: 0.5, hold: 10, fetch: 1 },
      }),
    );
  });
  afterAll(async () => {
    work?.remove();
    writers.remove();
    await bucket?.remove();
    await Lab.down("bucket");
  });

  test("the preview shows what hosts are told, and the first `up` has them read, verify and choose", async () => {
    const preview = await run("preview");
    expect(preview).toMatch(/^ +install -m 0600 sha256:[0-9a-f]{12} \/etc\/overlay\/keys\/truth$/m);
    expect(preview).toMatch(/^ +systemctl enable --now overlay-choose\.service$/m);
    await run("up", "--yes", "--skip-preview");
    await within(15, "lux has chosen", async () => (await chosen("lux")).includes(" fra good\n"));
    expect((await journal("lux")).split("\n")).toContain("of net/dev: serial 1");
    expect(await on(lab, "lux", "stat -c '%a %U' /etc/overlay/keys/truth")).toBe("600 root\n");
    const kept = () => on(lab, "fra", "cat /var/lib/overlay/truth/net.dev 2>/dev/null || :");
    await within(15, "fra has read", async () => (await kept()) !== "");
    expect(await kept()).toMatch(/^peer \S+ inter-lux lux follower$/m);
  });

  test("an endpoint that is cut off is left for the next, which is no drift", async () => {
    const [v4 = "", v6 = ""] = lab.json.hosts.fra?.addresses ?? [];
    expect(await endpoint("lux", "inter-fra")).toBe(`${v4}:11001`);
    await on(lab, "fra", `nft 'add table ip cut; add chain ip cut in { type filter hook input priority -200; }'`);
    await on(lab, "fra", "nft add rule ip cut in udp dport 11001 drop");
    await within(10, "lux calls fra by IPv6", async () => (await endpoint("lux", "inter-fra")) === `[${v6}]:11001`);
    await on(lab, "lux", "ping -n -q -c 3 -i 0.2 -W 2 10.255.0.2");
    await run("preview", "--refresh", "--expect-no-changes");
    await on(lab, "fra", "nft delete table ip cut");
  });

  test("a revoked token is told once and changes nothing; the new one is one line, and reads on", async () => {
    const preferred = `${lab.json.hosts.fra?.addresses[0]}:11001`;
    await within(30, "lux is back", async () => (await endpoint("lux", "inter-fra")) === preferred);
    const before = await on(lab, "lux", "wg show all endpoints");
    const root = { accessKeyId: "overlay-other", secretAccessKey: "overlay-other-secret" };
    await bucket.minio.restart(root);
    await within(15, "lux is refused", async () => (await journal("lux")).includes("(HTTP 403): what is known stays"));
    hand(await bucket.minio.token("s3:GetObject"));
    expect(await on(lab, "lux", "wg show all endpoints")).toBe(before);
    use(root);
    expect(changed(await run("preview", "--diff"))).toEqual([]);
    const text = await run("up", "--yes", "--skip-preview", "--diff");
    expect(counted(text)).toEqual(["~ 2 updated", "10 unchanged"]);
    expect(text.match(/^ +[-+] install .*keys\/truth$/gm)).toHaveLength(4);
    await within(15, "lux reads", async () => (await journal("lux")).trimEnd().endsWith("of net/dev: serial 1"));
    const told = (await journal("lux")).split("\n").filter((line) => line.includes("HTTP 403"));
    expect(told).toHaveLength(1);
  });

  test("the hosts' token is in no state, output, log or list of processes, and cannot write", async () => {
    const { secretAccessKey: secret, sessionToken = "" } = reader;
    const grep = (word: string) => execFileSync("sh", ["-c", `grep -rlF -e '${word}' ${work.folder} || :`]).toString();
    expect(grep(secret) + grep(sessionToken)).toBe("");
    for (const text of [...seen, await journal("lux"), await on(lab, "lux", "journalctl -q -o cat; ps axww")]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(sessionToken);
    }
    const words = "--config /etc/overlay/keys/truth --aws-sigv4 aws:amz:us-east-1:s3 -s -o /dev/null -w %{http_code}";
    const there = `http://198.18.0.2:9000/truth/prod/hosts/lux/net.dev`;
    expect(await on(lab, "lux", `curl -q ${words} ${there}; echo; curl -q ${words} -T /etc/os-release ${there}`)).toBe(
      "200\n403",
    );
  });

  test("with the stack goes all of it", async () => {
    await run("destroy", "--yes", "--skip-preview");
    expect(await on(lab, "lux", "ls -d /etc/overlay /var/lib/overlay/truth /run/overlay/choice 2>/dev/null || :")).toBe(
      "",
    );
    expect((await openStore(bucket.minio.address()).get("prod/document.json"))?.text).toContain('"stacks":{}');
  });
});
