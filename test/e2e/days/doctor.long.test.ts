/** `overlay doctor` on a network in which somebody has broken this and that: each is named, with what mends it. */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnosis } from "../../../sdk/cli/doctor/text";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { eventually, leaks, network, on, publicKey, rememberKeys } from "./network";
import type { Segment } from "./program";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

const overlay = resolve(__dirname, "../../../bin/overlay");
const FORGET = "nft delete table inet foreign";
const UNIT = "overlay-rosenpass@lux-fra.service";

/** In a bridge at one end. */
const LAN: Segment = {
  vni: 100,
  variant: "static-flood",
  members: { lux: { addresses: ["10.100.0.1/24"], bridge: {} }, fra: { addresses: ["10.100.0.2/24"] } },
};

/** By no link. */
const PLAIN: Segment = {
  ...{ vni: 7, variant: "static-flood", port: 4790, encrypted: false },
  members: { lux: { addresses: ["10.101.0.1/24"] }, fra: { addresses: ["10.101.0.2/24"] } },
};

describeWhere(["lab", "engine", "rosenpass"], "overlay doctor", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    const path = realpathSync(resolve(__dirname, "../../../dist/.bin/rosenpass"));
    const binary = { path, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
    lab = await Lab.up("lab", { name: "doctor", fresh: true });
    work = await Workspace.make(lab, {
      ...network(lab),
      rosenpass: { "lux-fra": { mode: "strict", binary } },
      segments: { lan: LAN, plain: PLAIN },
    });
    await work.up();
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("doctor");
  });

  async function doctor(words: string): Promise<{ code: number; text: string }> {
    const { text } = await work.shell(`COLUMNS=60 ${overlay} doctor ${words}; printf '\\036%s' $?`);
    const [told = "", code] = text.split("\x1e");
    return { code: Number(code), text: told };
  }
  /** A rule of somebody else's, which comes before all others. */
  const foreign = (host: string, hook: string, rule: string) =>
    on(
      lab,
      host,
      `nft add table inet foreign && nft 'add chain inet foreign ${hook} { type filter hook ${hook} priority -500 ; }' && ` +
        `nft 'add rule inet foreign ${hook} ${rule}'`,
    );
  async function diagnosed(name: string): Promise<Diagnosis & { code: number }> {
    const { code, text } = await doctor(`${name} --json`);
    return { ...(JSON.parse(text) as Diagnosis), code };
  }
  async function about(name: string): Promise<{ code: number; checks: string[]; cures: string[] }> {
    const { code, checks, cures } = await diagnosed(name);
    const wrong = checks.filter(({ state }) => state !== "ok");
    return { code, checks: wrong.map(({ of, name, state, says }) => `${of}, ${name} ${state}: ${says}`), cures };
  }
  const portOf = async (host: string, device: string) => (await on(lab, host, `wg show ${device} listen-port`)).trim();
  /** What is said of a rule of `foreign`, which drops a port that comes in. */
  const ruled = (host: string, port: string) =>
    `UDP ${port} arrives at ${host} and is dropped there by \`udp dport ${port} drop\` in chain inet foreign input: ` +
    "take that rule away (`nft -a list chain inet foreign input` there shows its handle, `nft delete rule inet foreign " +
    `input handle N\` deletes it), or let udp dport ${port} pass before it: \`nft insert rule inet foreign input udp ` +
    `dport ${port} accept\`. [doctor/dropped]`;

  test("nothing is wrong with a host, nor with a link", async () => {
    await eventually("there is no key yet", async () => (await about("lux-fra")).code === 0);
    expect(await about("lux")).toEqual({ code: 0, checks: [], cures: [] });
    const { code, text } = await doctor("lux-fra");
    expect(code).toBe(0);
    expect(work.logins).toEqual({ lux: 1, fra: 1 });
    expect(text.split("\n").filter((line) => line.length > 60)).toEqual([]);
    expect(text).toMatch(/^lux-fra of \S+: \d+ checks, 0 wrong, 0 unknown\n/);
    for (const line of [
      "  ok  path MTU, fra to lux: 1420 bytes in one piece",
      "  ok  path MTU, lux to fra: 1420 bytes in one piece",
      "  ok  UDP: arrives, both ways",
      "  ok  keys: each end has the other's",
      "  ok  Rosenpass: healthy",
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    expect(text).toMatch(/\nAll is well\.\n$/);
  });

  test("a narrow underlay that says nothing, and a daemon that was stopped", async () => {
    await foreign("fra", "prerouting", "udp length > 1400 drop");
    await on(lab, "lux", `systemctl stop ${UNIT}`);
    const { code, checks, cures } = await about("lux-fra");
    expect(code).toBe(2);
    expect(checks).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^lux-fra: fra and lux, path MTU, fra to lux wrong: 13\d\d bytes in one piece, and 1420 are declared$/,
        ),
        expect.stringMatching(
          /^lux-fra: fra and lux, path MTU, lux to fra wrong: 13\d\d bytes in one piece, and 1420 are declared$/,
        ),
        "lux-fra: fra and lux, Rosenpass wrong: the daemon of lux does not run",
      ]),
    );
    expect(cures).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^The path lux-fra to fra carries 13\d\d bytes in one piece, and its MTU is 1420: raise the MTU of the underlay all the way .*, or say mtu: 13\d\d\. \[doctor\/narrow\]$/,
        ),
        expect.stringContaining(
          `${UNIT} does not run on lux, and without it there are no new keys: \`systemctl restart ${UNIT}\``,
        ),
      ]),
    );
    await on(lab, "fra", FORGET);
    await on(lab, "lux", `systemctl start ${UNIT}`);
  });

  test("UDP that a table of somebody else's drops: the rule is named, and what deletes it", async () => {
    const port = await portOf("hkg", "inter-lux");
    await foreign("hkg", "input", `udp dport ${port} drop`);
    const { code, checks, cures } = await about("lux-hkg");
    expect({ code, cures }).toEqual({ code: 2, cures: [ruled("hkg", port)] });
    expect(checks).toContain("lux-hkg: hkg and lux, UDP wrong: what lux sends arrives at hkg, and is dropped there");
    expect(await on(lab, "hkg", "nft list tables")).not.toContain("overlay-trace");
    await on(lab, "hkg", FORGET);
  });

  test("a peer whose key somebody has replaced: both keys are named, and the link alone is wrong", async () => {
    const key = await publicKey(lab, "hkg");
    const other = (await on(lab, "fra", "wg genkey | wg pubkey")).trim();
    await on(lab, "fra", `wg set inter-hkg peer ${key} remove peer ${other} allowed-ips 10.255.0.3/32`);
    const { code, checks, cures } = await about("fra-hkg");
    expect(code).toBe(2);
    expect(checks).toContain("fra-hkg: fra and hkg, keys wrong: what the two ends have does not fit together");
    expect(checks).toContain("fra-hkg: fra and hkg, UDP wrong: nobody answers, because of the keys");
    expect(cures).toContain(
      `inter-hkg of fra has no peer with hkg's key ${key}, but one with the key ${other}: somebody has changed it there; ` +
        "`pulumi refresh`, then `pulumi up`, puts back the declared one. [doctor/key]",
    );
    expect((await about("lux-fra")).cures).toEqual([]);
  });

  test("a device that somebody has deleted is not there: no key is blamed", async () => {
    await on(lab, "lux", "ip link del dev inter-hkg");
    const { code, checks, cures } = await about("lux-hkg");
    expect(code).toBe(2);
    expect(checks).toContain("lux-hkg: hkg and lux, keys wrong: inter-hkg of lux is not there");
    expect(checks).toContain("lux-hkg: hkg and lux, UDP wrong: nobody answers: inter-hkg of lux is not there");
    expect(cures).toContain(
      "lux has no WireGuard device inter-hkg: `pulumi refresh`, then `pulumi up`, makes it again. [doctor/drift]",
    );
    expect(cures.join("\n")).not.toContain("[doctor/key]");
  });

  test("what is cured is well", async () => {
    await work.refresh();
    await work.up();
    await eventually("it is not well again", async () => (await about("hkg")).code === 0);
  });

  test("another address of a peer's was taken: it is the one that is asked", async () => {
    const [key, port] = [await publicKey(lab, "hkg"), await portOf("hkg", "inter-lux")];
    await on(lab, "lux", `wg set inter-hkg peer ${key} endpoint [2001:db8:3::7]:${port}`);
    const { code, checks } = await diagnosed("lux-hkg");
    expect(code).toBe(0);
    expect(checks.map(({ name, says }) => `${name}: ${says}`)).toContain(
      "outside, lux to hkg: pings are answered, of 1500 bytes, too",
    );
  });

  test("a host without ping is told so, and nobody else is blamed", async () => {
    await on(lab, "fra", "mv $(command -v ping) /root/ping.away");
    const { code, unknown, cures } = await diagnosed("lux-fra");
    await on(lab, "fra", "mv /root/ping.away /usr/bin/ping");
    expect({ code, cures }).toEqual({ code: 1, cures: [] });
    expect(unknown).toEqual([expect.stringMatching(/it has no ping: apt-get install iputils-ping.* \[host\/agent\]$/)]);
  });

  test("a segment that is well, with the link that carries it", async () => {
    const { code, text } = await doctor("lan");
    expect(code).toBe(0);
    for (const line of [
      "lan: fra and lux",
      "  ok  VXLAN: arrives, both ways",
      "  ok  path MTU, fra to lux: 1370 bytes in one piece",
      "lux-fra: fra and lux",
      "  ok  UDP: arrives, both ways",
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  });

  test("a segment whose link is dead: the link's rule is named, and its cure alone", async () => {
    const port = await portOf("fra", "inter-lux");
    await foreign("fra", "input", `udp dport ${port} drop`);
    const { code, checks, cures } = await about("lan");
    await on(lab, "fra", FORGET);
    expect({ code, cures }).toEqual({ code: 2, cures: [ruled("fra", port)] });
    expect(checks).toContain("lan: fra and lux, VXLAN wrong: nobody answers, nor by lux-fra, which carries it");
  });

  test("a segment of which one end drops what a link brings", async () => {
    await foreign("fra", "input", "udp dport 4789 drop");
    const { code, checks, cures } = await about("lan");
    await on(lab, "fra", FORGET);
    expect({ code, cures }).toEqual({ code: 2, cures: [ruled("fra", "4789")] });
    expect(checks).toContain("lan: fra and lux, VXLAN wrong: what lux sends arrives at fra, and is dropped there");
  });

  test("a segment by no link, at a host that drops what no rule lets in", async () => {
    expect(await about("plain")).toEqual({ code: 0, checks: [], cures: [] });
    await on(
      lab,
      "fra",
      "nft add table inet foreign && nft 'add chain inet foreign input { type filter hook input priority -500 ; policy drop ; }' && " +
        "nft add rule inet foreign input meta l4proto != udp accept && nft add rule inet foreign input udp dport != 4790 accept",
    );
    const { code, checks, cures } = await about("plain");
    await on(lab, "fra", FORGET);
    expect({ code, cures }).toEqual({
      code: 2,
      cures: [
        "UDP 4790 arrives at fra and is dropped there by the policy of chain inet foreign input: " +
          "`nft insert rule inet foreign input udp dport 4790 accept` there. [doctor/dropped]",
      ],
    });
    expect(checks).toContain(
      "fra, firewall unknown: inet foreign input drops what no rule lets in, and nothing shows that it lets in UDP 4790 of plain",
    );
  });

  test("a bridge that somebody has changed is the segment's business", async () => {
    await on(lab, "lux", "ip link set dev br-lan type bridge stp_state 1");
    const { code, checks } = await diagnosed("lan");
    await on(lab, "lux", "ip link set dev br-lan type bridge stp_state 0");
    expect(code).toBe(2);
    const drift = checks.find(({ of, name }) => of === "lux" && name === "drift");
    expect(drift?.lines).toEqual(expect.arrayContaining([expect.stringMatching(/^\+ .*br-lan.* stp_state 1/)]));
  });

  test("a mesh of which one host drops what comes: both of its pairs are told, and what they have in common", async () => {
    const { nodes } = network(lab);
    Object.assign(work.declared, {
      links: {},
      rosenpass: {},
      segments: {},
      meshes: { tri: { nodes: Object.keys(nodes) } },
    });
    await work.up();
    await eventually("the mesh is not well", async () => (await about("tri")).code === 0);
    const port = await portOf("hkg", "tri");
    await foreign("hkg", "input", `udp dport ${port} drop`);
    const { code, checks, cures } = await about("tri");
    await on(lab, "hkg", FORGET);
    expect({ code, cures }).toEqual({ code: 2, cures: [ruled("hkg", port)] });
    expect(checks).toContain("tri: fra and hkg, UDP wrong: what fra sends arrives at hkg, and is dropped there");
    expect(checks).toContain("tri: hkg and lux, UDP wrong: what lux sends arrives at hkg, and is dropped there");
    expect(checks.filter((it) => it.startsWith("tri: fra and lux"))).toEqual([]);
  });

  test("one host that is away is named, and no key was seen", async () => {
    await rememberKeys(lab);
    await lab.powerOff("fra");
    const { code, text } = await doctor("lux");
    expect(code).not.toBe(0);
    expect(text).toMatch(/\nfra\n {2}unknown {2}SSH: could not be looked at\n/);
    expect(text).toContain("\nWHAT IS NOT KNOWN, AND WHY\n1. root@198.51.100.9 cannot be reached");
    expect(text).toContain("\ntri: hkg and lux\n");
    expect(leaks()).toEqual([]);
  });
});
