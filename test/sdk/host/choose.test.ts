/** Where a peer is called: the decision as a host makes it, in simulated time; and one round on what wg(8) and ip(8) print. */
import { execFile } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { agentPath } from "../../../sdk/host/agents";
import { publicKeys } from "../publicKeys";

const run = promisify(execFile);
const part = (name: string): string[] => ["-f", agentPath(`choose/${name}.awk`)];
const decision = [...part("prove"), ...part("decide")];

async function awk(args: string[]): Promise<string[]> {
  const { stdout } = await run("awk", args, { env: { ...process.env, LC_ALL: "C" } });
  return stdout.split("\n").filter(Boolean);
}

/** The same with these lines as standard input. */
async function awkOf(args: string[], lines: string[]): Promise<string[]> {
  const running = run("awk", args, { env: { ...process.env, LC_ALL: "C" } });
  running.child.stdin?.end(`${lines.join("\n")}\n`);
  return (await running).stdout.split("\n").filter(Boolean);
}

/** What is told, with the second of the run, and how it ended. */
async function simulated(settings: Record<string, string | number>): Promise<string[]> {
  const words = Object.entries({ seed: 1, ...settings }).flatMap(([name, value]) => ["-v", `${name}=${value}`]);
  return awk([...words, ...decision, "-f", join(__dirname, "choose/simulation.awk")]);
}

/** Seconds from a cut of the preferred endpoint to the switch, the most of many moments within a round. */
async function slowest(settings: Record<string, string | number>): Promise<number> {
  const took = Array.from({ length: 21 }, async (_, index) => {
    const at = 100 + index / 10;
    const [told = ""] = await simulated({ ...settings, seconds: 130, cuts: `b1 ${at} 300` });
    expect(told).toMatch(/ a: b1 -> b2: 3 probes failed$/);
    return Number.parseFloat(told) - at;
  });
  return Math.max(...(await Promise.all(took)));
}

const switches = (lines: string[]): number => Number(lines.find((line) => line.startsWith("switches "))?.slice(9));

describe("in simulated time", () => {
  test.each([
    ["idle", 0],
    ["that carries little", 3],
    ["busy", 100],
  ])(
    "a link %s is on the next endpoint within 7 s of a cut, and within 2.5 s where it is asked each half second",
    async (_, busy) => {
      expect(await slowest({ busy })).toBeLessThan(7);
      expect(await slowest({ busy, probe: 0.5 })).toBeLessThan(2.5);
    },
  );

  test.each([0, 100])(
    "10 % loss each way on the preferred path: at most one switch in each of 10 runs of 30 minutes, %d packets a second",
    async (busy) => {
      const runs = Array.from({ length: 10 }, (_, seed) => simulated({ seed, busy, loss: 0.1, seconds: 1800 }));
      for (const lines of await Promise.all(runs)) expect(switches(lines)).toBeLessThanOrEqual(1);
    },
  );

  test("an outage shorter than three probes switches nothing, at whatever moment it begins", async () => {
    const runs = Array.from({ length: 21 }, (_, index) =>
      simulated({ cuts: `b1 ${100 + index / 10} ${103.9 + index / 10}` }),
    );
    for (const lines of await Promise.all(runs)) expect(lines.slice(0, 2)).toEqual(["switches 0", "at b1"]);
  });

  test("it returns by a trial after two minutes, after twice as long where that fails; one that fails again at once is not preferred as soon", async () => {
    expect((await simulated({ cuts: "b1 100 300", seconds: 1200 })).slice(0, -1)).toEqual([
      "104.8 a: b1 -> b2: 3 probes failed",
      "226.2 a: a trial of b1 failed: it stays with b2 for 240 s",
      "467.5 a: b2 -> b1: it is preferred, and answers",
      "switches 2",
      "at b1",
    ]);
    // It answers for 20 s of every two minutes.
    const cuts = Array.from({ length: 90 }, (_, index) => `b1 ${20 + 120 * index} ${120 + 120 * index}`).join();
    expect(switches(await simulated({ cuts, seconds: 3 * 3600 }))).toBeLessThan(14);
  });

  test("what is lost in one direction alone is seen: at once, or where the other end goes on sending when no handshake comes", async () => {
    const cuts = "b1 100 330";
    for (const oneway of ["in", "out"]) {
      expect((await simulated({ cuts, oneway }))[0]).toBe("104.8 a: b1 -> b2: 3 probes failed");
    }
    expect((await simulated({ cuts, oneway: "in", busy: 50 }))[0]).toBe("104.8 a: b1 -> b2: 3 probes failed");
    const [told = ""] = await simulated({ cuts, oneway: "out", busy: 50 });
    expect(told).toMatch(/ a: b1 -> b2: 3 probes failed$/);
    expect(Number.parseFloat(told)).toBeLessThan(100 + 135 + 8);
  });

  test("all endpoints dead: each is tried, one line says so, and the first that answers is taken", async () => {
    const lines = await simulated({ cuts: "b1 100 400,b2 100 410" });
    expect(lines.filter((line) => line.includes(" a: "))).toEqual([
      "104.8 a: b1 -> b2: 3 probes failed",
      "110.1 a: none of its endpoints answers; they are tried in turn",
      expect.stringMatching(/^40\d\.\d a: answers again at b1$/),
    ]);
  });

  test("without a session a candidate gets 7 s", async () => {
    const lines = await simulated({ old: 1, cuts: "b1 0 60,b2 0 60" });
    expect(lines.filter((line) => line.includes(" a: "))).toEqual([
      "4.8 a: b1 -> b2: 3 probes failed",
      expect.stringMatching(/^1[23]\.\d a: none of its endpoints answers; they are tried in turn$/),
      expect.stringMatching(/^6[0-9]\.\d a: answers again at b[12]$/),
    ]);
  });

  test("who answers no echo is alive while anything comes, and not brought back by trials", async () => {
    expect(await simulated({ mute: 1, seconds: 1800 })).toEqual(["switches 0", "at b1", "silent 0.0"]);
    expect((await simulated({ mute: 1, cuts: "b1 100 300" })).slice(0, -1)).toEqual([
      "112.8 a: b1 -> b2: nothing came from there for 15 s",
      "switches 1",
      "at b2",
    ]);
  });

  test.each([86_400, -86_400])("the host's clock set by %d s changes nothing", async (jump) => {
    expect((await simulated({ jump })).slice(0, 2)).toEqual(["switches 0", "at b1"]);
    expect((await simulated({ jump, cuts: "b1 100 300" }))[0]).toBe("104.8 a: b1 -> b2: 3 probes failed");
  });

  test("two ends that both choose do not flap: one of them gives way", async () => {
    const lines = await simulated({ run: "both", seconds: 3600 });
    expect(lines.filter((line) => line.includes("the other end chooses as well"))).toHaveLength(1);
    expect(switches(lines)).toBeLessThanOrEqual(4);
    const wanted = lines.filter((line) => line.includes(" -> ")).map((line) => Number.parseFloat(line));
    expect(Math.max(...wanted)).toBeLessThan(900); // for the rest of the hour there is peace
  });
});

describe("candidates", () => {
  const KEY = `${"F".repeat(43)}=`;
  /** Of a peer's endpoints, by what ip(8) says of the ways to them. */
  async function candidates(endpoints: string[], ways: string[], more: string[] = []): Promise<string[]> {
    const lines = [
      "never 10.255.0.0/24",
      "never 100.64.0.0/10",
      "tunnel tun",
      "tunnel wireguard",
      ...more,
      `of ${KEY} net/prod fe80::2`,
      `peer ${KEY} inter-fra fra chooser`,
      ...endpoints.map((it) => (it.startsWith("name ") ? it.replace("KEY", KEY) : `endpoint ${KEY} ${it} 10`)),
      ...ways,
      "/sys/class/net/eth0/mtu:1500",
      "/sys/class/net/inter-fra/mtu:1420",
    ];
    return (await judged(lines)).map((line) => line.replace(KEY, "KEY"));
  }
  const judged = (lines: string[]) => awkOf([...part("prefix"), ...part("fit")], lines);
  const by = (address: string, rest: string) => `${address} ${rest} mark 0x6f uid 0 \\    cache `;
  const eth0 = "via 203.0.113.1 dev eth0 src 203.0.113.5";

  test("in their order, alsoPorts with their endpoint; what is in an overlay, or nowhere, or this host's own, is none", async () => {
    expect(
      await candidates(
        [
          "198.51.100.9 11001",
          "198.51.100.9 443",
          "2001:db8:2::9 11001",
          "10.255.0.2 11001",
          "::ffff:10.255.0.2 1",
          "::ffff:aff:2 11001",
          "100.100.1.1 11001",
          "192.0.2.77 11001",
          "203.0.113.5 11001",
        ],
        [
          by("198.51.100.9", eth0),
          "2001:db8:2::9 from :: via 2001:db8:1::1 dev eth0 src 2001:db8:1::5 metric 1024 mark 0x6f pref medium",
          by("10.255.0.2", "dev inter-fra src 10.255.0.1"),
          by("100.100.1.1", eth0),
          by("local 203.0.113.5", "dev lo src 203.0.113.5"),
        ],
      ),
    ).toEqual([
      "peer inter-fra KEY fra chooser fe80::2%inter-fra",
      "candidate inter-fra KEY 198.51.100.9:11001 fit",
      "candidate inter-fra KEY 198.51.100.9:443 fit",
      "candidate inter-fra KEY [2001:db8:2::9]:11001 fit",
      "candidate inter-fra KEY 10.255.0.2:11001 lies in 10.255.0.0/24",
      "candidate inter-fra KEY [::ffff:10.255.0.2]:1 has no way",
      "candidate inter-fra KEY [::ffff:aff:2]:11001 lies in 10.255.0.0/24",
      "candidate inter-fra KEY 100.100.1.1:11001 lies in 100.64.0.0/10",
      "candidate inter-fra KEY 192.0.2.77:11001 has no way",
      "candidate inter-fra KEY 203.0.113.5:11001 is this host's own",
    ]);
  });

  test("what is behind a tunnel, ours or of others, is none, unless the node names it as its underlay", async () => {
    const ways = [
      by("198.51.100.9", "dev tun0 src 10.9.0.1"),
      by("192.0.2.7", "dev inter-hkg src 10.255.0.1"),
      '[{"ifindex":7,"ifname":"tun0","flags":["UP"],"mtu":1500,"group":"0","linkinfo":{"info_kind":"tun"}}]',
      '[{"ifindex":8,"ifname":"inter-hkg","mtu":1420,"group":"28417","linkinfo":{"info_kind":"wireguard"}}]',
      "/sys/class/net/tun0/mtu:1500",
    ];
    const endpoints = ["198.51.100.9 11001", "192.0.2.7 11001"];
    expect((await candidates(endpoints, ways)).slice(1)).toEqual([
      "candidate inter-fra KEY 198.51.100.9:11001 is reached by tun0, a tunnel (tun)",
      "candidate inter-fra KEY 192.0.2.7:11001 is reached by inter-hkg, a tunnel of this network",
    ]);
    expect((await candidates(endpoints, ways, ["underlay tun0"]))[1]).toBe(
      "candidate inter-fra KEY 198.51.100.9:11001 fit",
    );
  });

  test("what would lower the MTU of the link is none, by its device or by what the kernel has learned of the way", async () => {
    expect(
      (
        await candidates(
          [
            "198.51.100.9 11001",
            "198.51.100.10 11001",
            "192.0.2.7 11001",
            "192.0.2.8 11001",
            "2001:db8:2::9 11001",
            "2001:db8:3::7 11001",
          ],
          [
            by("198.51.100.10", "via 203.0.113.1 dev eth0 src 203.0.113.5 mtu lock 1480"),
            by("192.0.2.8", "via 203.0.113.1 dev eth0 src 203.0.113.5 mtu lock 1400"),
            by("198.51.100.9", "via 203.0.113.1 dev eth0 src 203.0.113.5 mtu 1480"),
            by("192.0.2.7", "via 203.0.113.1 dev eth0 src 203.0.113.5 mtu 1400"),
            "2001:db8:2::9 from :: via 2001:db8:1::1 dev eth0 src 2001:db8:1::5 metric 1024 mtu 1492 pref medium",
            "2001:db8:3::7 from :: via 2001:db8:1::1 dev eth0 src 2001:db8:1::5 metric 1024 pref medium",
          ],
        )
      ).slice(1),
    ).toEqual([
      "candidate inter-fra KEY 198.51.100.9:11001 fit",
      "candidate inter-fra KEY 198.51.100.10:11001 fit",
      "candidate inter-fra KEY 192.0.2.7:11001 carries 1400 bytes at most, too few for the MTU of inter-fra, 1420",
      "candidate inter-fra KEY 192.0.2.8:11001 carries 1400 bytes at most, too few for the MTU of inter-fra, 1420",
      "candidate inter-fra KEY [2001:db8:2::9]:11001 carries 1492 bytes at most, too few for the MTU of inter-fra, 1420",
      "candidate inter-fra KEY [2001:db8:3::7]:11001 fit",
    ]);
  });

  test("what a stack says to be of an overlay is no candidate of its own nodes; another's are its own business", async () => {
    const ways = [by("198.51.100.9", eth0), by("192.0.2.7", eth0)];
    const said = ["overlay 0.0.0.0/0 edge/prod", "overlay 192.0.2.0/24 net/prod"];
    expect((await candidates(["198.51.100.9 11001", "192.0.2.7 11001"], ways, said)).slice(1)).toEqual([
      "candidate inter-fra KEY 198.51.100.9:11001 fit",
      "candidate inter-fra KEY 192.0.2.7:11001 lies in 192.0.2.0/24",
    ]);
  });

  test("a name is what it was resolved to, of the family that is wanted", async () => {
    const ways = [
      by("198.51.100.20", eth0),
      "2001:db8:2::20 from :: dev eth0 src 2001:db8:1::5 metric 1024 pref medium",
    ];
    const resolved = "resolved home.example.net 2001:db8:2::20 198.51.100.20 10.255.0.9";
    for (const [family, wanted] of [
      ["4", ["198.51.100.20:11001 fit", "10.255.0.9:11001 lies in 10.255.0.0/24"]],
      ["6", ["[2001:db8:2::20]:11001 fit"]],
    ] as const) {
      expect((await candidates([`name KEY home.example.net 11001 10 ${family}`], ways, [resolved])).slice(1)).toEqual([
        "name inter-fra KEY home.example.net",
        ...wanted.map((it) => `candidate inter-fra KEY ${it}`),
      ]);
    }
  });
});

describe("one round on a host", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-choose-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const at = (name: string): string => join(folder, name);
  const [FRA, HKG, OWN] = ["F", "H", "O"].map((letter) => `${letter.repeat(43)}=`) as [string, string, string];

  /** What is to be done after one look and, where somebody is asked, the answers of these targets. */
  async function round(now: number, dump: string[], answers: string[], counters: string[] = []): Promise<string[]> {
    for (const name of ["conf", "peers", "state", "none"]) writeFileSync(at(name), "", { flag: "a" });
    const settings = { now, wall: 1_000_000 + now, state: at("state"), targets: at("targets"), status: at("choice") };
    const step = (name: string, more: object = {}) =>
      Object.entries({ ...settings, step: name, watch_file: at("watched"), ...more }).flatMap(([key, value]) => [
        "-v",
        `${key}=${value}`,
      ]);
    writeFileSync(at("counters"), `${counters.join("\n")}\n`);
    const files = [at("conf"), at("peers"), at("state")];
    const program = [...decision, ...part("round")];
    writeFileSync(at("targets"), "");
    const looked = await awkOf(
      [...step("look"), ...program, ...files, at("none"), at("none"), at("none"), at("counters"), "-"],
      dump,
    );
    if (looked[0] !== "ask") return looked;
    writeFileSync(at("answers"), `${answers.join("\n")}\n`);
    const decided = await awk([...step("decide", { now: now + 0.5 }), ...program, ...files, at("answers")]);
    if (decided.includes("status")) renameSync(at("choice.new"), at("choice"));
    return decided;
  }
  const dumped = (fra: string, age: number, now: number) =>
    [
      ["inter-fra", "PRIVATE", OWN, "11002", "0x6f"],
      ["inter-fra", FRA, "SHARED", fra, "0.0.0.0/0,::/0", `${1_000_000 + now - age}`, "5000", "9000", "25"],
      ["inter-hkg", "PRIVATE", OWN, "11003", "0x6f"],
      ["inter-hkg", HKG, "(none)", "192.0.2.7:11001", "0.0.0.0/0,::/0", "0", "0", "0", "off"],
    ].map((fields) => fields.join("\t"));
  const all = (name: string): string => readFileSync(at(name), "utf8");

  beforeAll(() => {
    writeFileSync(at("conf"), "probe 2\ncount 3\nhold 120\n");
    writeFileSync(
      at("peers"),
      `peer inter-fra ${FRA} fra chooser fe80::2%inter-fra
candidate inter-fra ${FRA} 198.51.100.9:11001 fit
candidate inter-fra ${FRA} 10.255.0.2:11001 lies in 10.255.0.0/24
candidate inter-fra ${FRA} [2001:db8:2::9]:11001 fit
peer inter-hkg ${HKG} hkg follower fe80::3%inter-hkg
peer inter-sin ${"S".repeat(43)}= sin chooser fe80::4%inter-sin
candidate inter-sin ${"S".repeat(43)}= 203.0.113.7:11001 fit
`,
    );
  });

  test("who may be silent is asked, and after three probes in vain the next that is fit is called, with the keepalive that it had", async () => {
    expect(await round(100, dumped("198.51.100.9:11001", 10, 100), ["fe80::2%inter-fra"])).toEqual([
      "status",
      "wait 1.50",
    ]);
    expect(all("targets")).toBe("fe80::2%inter-fra\n");
    for (const now of [102, 104]) {
      expect(await round(now, dumped("198.51.100.9:11001", now - 90, now), [])).toEqual(["watch", "wait 1.50"]);
    }
    expect(await round(106, dumped("198.51.100.9:11001", 16, 106), [])).toEqual([
      "log fra (inter-fra): 198.51.100.9:11001 -> [2001:db8:2::9]:11001: 3 probes failed",
      `set inter-fra ${FRA} [2001:db8:2::9]:11001 25`,
      "watch",
      "status",
      "wait 0.50",
    ]);
  });

  test("the status says where each peer is called, what else there is, and whom this end follows", () => {
    expect(
      all("choice").replaceAll(FRA, "FRA").replaceAll(HKG, "HKG"),
    ).toBe(`chosen inter-fra FRA [2001:db8:2::9]:11001 fra trying
candidate inter-fra FRA 198.51.100.9:11001 fit
candidate inter-fra FRA 10.255.0.2:11001 lies in 10.255.0.0/24
candidate inter-fra FRA [2001:db8:2::9]:11001 fit
follows inter-hkg HKG 192.0.2.7:11001 hkg
`);
  });

  test("packets that were about to leave by a tunnel are an alarm, and at once a failed candidate", async () => {
    const guard = (packets: number) => [
      "table inet overlay {",
      "counter link-inter-fra {",
      `packets ${packets} bytes 0`,
      "}",
      "}",
    ];
    await round(107, dumped("[2001:db8:2::9]:11001", 17, 107), ["fe80::2%inter-fra"], guard(4));
    expect(await round(110, dumped("[2001:db8:2::9]:11001", 20, 110), [], guard(9))).toEqual([
      "log ALARM: encrypted packets of inter-fra were about to be sent into a tunnel, and were dropped",
      "log fra (inter-fra): [2001:db8:2::9]:11001 -> 198.51.100.9:11001: packets to it were about to leave by a tunnel",
      `set inter-fra ${FRA} 198.51.100.9:11001 25`,
      "watch",
      "status",
      "wait 0.50",
    ]);
  });

  test("a peer that the document names and the host has not is nobody; keys are in no file and no line", async () => {
    expect(await round(113, dumped("198.51.100.9:11001", 23, 113), ["fe80::2%inter-fra"], [])).toEqual([
      "status",
      "wait 1.50",
    ]);
    const written = ["state", "choice", "targets", "watched"].map(all).join("");
    expect(written).not.toMatch(/PRIVATE|SHARED|inter-sin/);
  });

  test("devices are watched by their counters alone while that tells of all whom this end calls", async () => {
    await round(115, dumped("198.51.100.9:11001", 25, 115), ["fe80::2%inter-fra"]);
    expect(all("watched")).toBe("watched inter-fra\n");
    const mesh = ["M", "N"].map((letter) => `${letter.repeat(43)}=`);
    for (const key of mesh) {
      appendFileSync(
        at("peers"),
        `peer mesh ${key} ams chooser 10.255.0.9\ncandidate mesh ${key} 192.0.2.9:11001 fit\n`,
      );
    }
    const meshed = (now: number) => [
      ...dumped("198.51.100.9:11001", now - 90, now),
      ["mesh", "PRIVATE", OWN, "11004", "0x6f"].join("\t"),
      ...mesh.map((key) =>
        ["mesh", key, "(none)", "192.0.2.9:11001", "10.255.0.9/32", `${1_000_000 + now}`, "1", "1", "0"].join("\t"),
      ),
    ];
    await round(117, meshed(117), ["fe80::2%inter-fra", "10.255.0.9"]);
    await round(119, meshed(119), ["fe80::2%inter-fra", "10.255.0.9"]);
    expect(all("watched")).toBe("");
  });
});

test("what a host is told of 999 peers is verified and decided in a second of its processor, in 64 MB", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-choose-"));
  try {
    const keys = publicKeys(999);
    const v4 = (index: number) => `198.51.${Math.floor(index / 250)}.${(index % 250) + 1}`;
    const v6 = (index: number) => `2001:db8:2::${(index + 1).toString(16)}`;
    const write = (name: string, lines: string[]) => writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
    const said = [
      "overlay-extract 1",
      "network lab",
      "stack net/prod",
      "serial 7",
      "node lux",
      "overlay 10.255.0.0/16",
      ...keys.flatMap((key, index) => [
        `peer ${key} inter-n${index} n${index} chooser`,
        `endpoint ${key} ${v4(index)} 11001 10`,
        `endpoint ${key} ${v6(index)} 11001 20`,
      ]),
    ];
    write("extract", [...said, `end ${said.length}`]);
    write("conf", [
      "network lab",
      "node lux",
      "probe 2",
      ...keys.map((key, index) => `of ${key} net/prod fe80::${(index + 2).toString(16)}`),
      ...["10.255.0.0/16", "fd00:6f::/48", "100.64.0.0/10", "127.0.0.0/8", "fe80::/10"].map((it) => `never ${it}`),
    ]);
    write("ways", [
      "/sys/class/net/eth0/mtu:1500",
      ...keys.flatMap((_, index) => [
        `/sys/class/net/inter-n${index}/mtu:1420`,
        `${v4(index)} via 203.0.113.1 dev eth0 src 203.0.113.5 mark 0x6f uid 0 \\    cache `,
        `${v6(index)} from :: via 2001:db8:1::1 dev eth0 src 2001:db8:1::5 metric 1024 mark 0x6f pref medium`,
      ]),
    ]);
    write(
      "dump",
      keys.flatMap((key, index) => [
        ["inter-n", index, "\tPRIVATE\tOWN=\t11001\t0x6f"].join(""),
        `inter-n${index}\t${key}\t(none)\t${v4(index)}:11001\t0.0.0.0/0,::/0\t1000\t5000\t5000\t25`,
      ]),
    );
    const script = `
      cd "$1" && : >state && : >none && : >targets
      ssh-keygen -q -t ed25519 -N "" -C "" -f key && ssh-keygen -q -Y sign -n overlay-truth -f key extract
      echo "net/prod namespaces=\\"overlay-truth\\" $(cat key.pub)" >signers
      round() { step=$1; shift
        awk -v step=$step -v now=100 -v wall=1050 -v state=state -v targets=targets -v status=choice -v watch_file=watched \
          -f "$lib/prove.awk" -f "$lib/decide.awk" -f "$lib/round.awk" conf peers state "$@" >said; }
      ( lib=$2; ulimit -v 65536
        ssh-keygen -Y verify -f signers -I net/prod -n overlay-truth -s extract.sig <extract >/dev/null &&
        awk -v stack=net/prod -f "$lib/prefix.awk" -f "$lib/extract.awk" conf extract >known &&
        awk -f "$lib/prefix.awk" -f "$lib/fit.awk" conf known ways >peers &&
        round look none none none none - <dump && round decide targets && times >took )
      grep -c "^chosen.* good" choice.new && tail -n 1 took`;
    const { stdout } = await run("sh", ["-euc", script, "sh", folder, agentPath("choose")]);
    const [peers, took = ""] = stdout.trim().split("\n");
    expect(peers).toBe("999");
    const seconds = [...took.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
      (sum, [, m, s]) => sum + 60 * Number(m) + Number(s),
      0,
    );
    expect(seconds).toBeGreaterThan(0.01);
    expect(seconds).toBeLessThan(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
