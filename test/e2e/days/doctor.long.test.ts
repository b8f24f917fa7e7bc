/** `overlay doctor` on a network in which somebody has broken this and that: each is named, with what mends it. */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnosis } from "../../../sdk/cli/doctor/text";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { eventually, leaks, network, on, publicKey, rememberKeys } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

const overlay = resolve(__dirname, "../../../bin/overlay");
const FORGET = "nft delete table inet foreign";
const UNIT = "overlay-rosenpass@lux-fra.service";

describeWhere(["lab", "engine", "rosenpass"], "overlay doctor", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    const path = realpathSync(resolve(__dirname, "../../../dist/.bin/rosenpass"));
    const binary = { path, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
    lab = await Lab.up("lab", { name: "doctor", fresh: true });
    work = await Workspace.make(lab, { ...network(lab), rosenpass: { "lux-fra": { mode: "strict", binary } } });
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
  async function about(name: string): Promise<{ code: number; checks: string[]; cures: string[] }> {
    const { code, text } = await doctor(`${name} --json`);
    const { checks, cures } = JSON.parse(text) as Diagnosis;
    const wrong = checks.filter(({ state }) => state !== "ok");
    return { code, checks: wrong.map(({ of, name, state, says }) => `${of}, ${name} ${state}: ${says}`), cures };
  }

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
          /^The path lux-fra to fra carries 13\d\d bytes in one piece, and its MTU is 1420: raise the MTU of the underlay all the way .*, or say mtu: 13\d\d\.$/,
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
    const port = (await on(lab, "hkg", "wg show inter-lux listen-port")).trim();
    await foreign("hkg", "input", `udp dport ${port} drop`);
    const { code, checks, cures } = await about("lux-hkg");
    expect({ code, cures }).toEqual({
      code: 2,
      cures: [
        `UDP ${port} from lux arrives at hkg and is dropped there by \`udp dport ${port} drop\` in chain inet foreign input: ` +
          "take that rule away (`nft -a list chain inet foreign input` there shows its handle, `nft delete rule inet foreign " +
          `input handle N\` deletes it), or let udp dport ${port} pass before it: \`nft insert rule inet foreign input udp ` +
          `dport ${port} accept\`.`,
      ],
    });
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
        "`pulumi refresh`, then `pulumi up`, puts back the declared one.",
    );
    expect((await about("lux-fra")).cures).toEqual([]);
  });

  test("what is cured is well, one host that is away is named, and no key was seen", async () => {
    await work.refresh();
    await work.up();
    await eventually("it is not well again", async () => (await about("hkg")).code === 0);
    await rememberKeys(lab);
    await lab.powerOff("fra");
    const { code, text } = await doctor("lux");
    expect(code).not.toBe(0);
    expect(text).toMatch(/\nfra\n {2}unknown {2}SSH: could not be looked at\n/);
    expect(text).toContain("\nWHAT IS NOT KNOWN, AND WHY\n1. root@198.51.100.9 cannot be reached");
    expect(text).toContain("\nlux-hkg: hkg and lux\n");
    expect(leaks()).toEqual([]);
  });
});
