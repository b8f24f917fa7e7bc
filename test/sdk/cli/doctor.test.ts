/** `overlay doctor`: what follows from what was seen, and how it is told. That it is seen, tests in the lab show. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OverlayNode, RosenpassPeer, WgLink } from "../../../components";
import { checksOf } from "../../../sdk/cli/doctor/checks";
import { concerns, type Examined } from "../../../sdk/cli/doctor/examine";
import { type Diagnosis, diagnosis, exitCode, told } from "../../../sdk/cli/doctor/text";
import { stackNetwork, stackResources } from "../../../sdk/cli/stack";
import { type Wanted, wanted } from "../../../sdk/cli/status/look";
import { parseTraced } from "../../../sdk/host/trace";
import { changes, type Snapshot } from "../../../sdk/kernel";
import { KernelModel } from "../../kernel-model";
import { expectGolden, golden } from "../golden";
import { deploymentOf } from "./deployment";
import { everything } from "./networks";

const NOW = 1_790_000_000;

/** Two nodes and a link that exchanges keys. */
function network(): void {
  const node = (name: string, id: number, endpoint: string) =>
    new OverlayNode(name, {
      id,
      connection: { host: endpoint },
      addresses: [`10.255.0.${id}`, `fd00:6f::${id}`],
      endpoints: [endpoint],
    });
  const link = new WgLink("lux-fra", { a: node("lux", 1, "203.0.113.5"), b: node("fra", 2, "198.51.100.9") });
  new RosenpassPeer("lux-fra", { link });
}

let text = "";
beforeAll(async () => {
  text = await deploymentOf(network);
});

/** The host as all of its resources have made it, with a session of a moment ago. */
function snapshotOf({ declared }: Wanted, key: string): Snapshot {
  const model = new KernelModel({ wireguard: "kernel" });
  model.run(
    changes(
      [],
      declared.flatMap(({ facts }) => facts),
      { wireguard: "kernel" },
    ).commands,
  );
  const seen = model.snapshot();
  const exchange = { exchanged: 30, psk: "5a", protected: true };
  return {
    ...seen,
    now: NOW,
    commands: { ip: true, nft: true, wg: true },
    keys: Object.fromEntries(Object.keys(seen.keys).map((path) => [path, key])),
    versions: { linux: "6.1.0-32-cloud-amd64" },
    exchanges: { "lux-fra": exchange },
    units: { ...seen.units, "overlay-rosenpass@lux-fra.service": { enabled: true, active: true, failed: false } },
    hooks: { input: [] },
    wg: seen.wg.map((device) => ({
      ...device,
      publicKey: key,
      peers: device.peers.map((peer) => ({ ...peer, latestHandshake: NOW - 12, presharedKey: true })),
    })),
  };
}

type Two = { fra: Examined; lux: Examined };

/** All well; `but`: what is not. */
function examined(but: (two: Two) => void = () => undefined, about = "lux-fra"): Diagnosis {
  const resources = stackResources(text);
  const stack = stackNetwork(resources);
  // The model of a kernel knows no Rosenpass.
  const all = wanted(resources, stack).map((host) => ({
    ...host,
    declared: host.declared.map((it) => (it.token.startsWith("overlay:rosenpass:") ? { ...it, facts: [] } : it)),
  }));
  const keyOf = (name: string): string => {
    const other = all.find(({ node }) => node.name !== name)?.declared.find(({ spec }) => spec.peer?.publicKey);
    return other?.spec.peer.publicKey ?? "";
  };
  const [fra, lux] = concerns(all, stack, about).map((concern): Examined => {
    const seen = snapshotOf(concern.wanted, keyOf(concern.wanted.node.name));
    const ways = concern.concerned.flatMap((declared) =>
      (declared.technology.paths?.(declared.spec, seen) ?? []).map((path) => ({
        declared,
        path,
        call: declared.technology.end?.(declared.spec).calls[0],
        carried: { bytes: path.mtu, outer: "inet" as const },
        outside: { asked: [64, 1480], answered: [64, 1480] },
      })),
    );
    return { ...concern, look: { seen, drift: [] }, clock: 0, ways: ways as Examined["ways"], dropped: [] };
  });
  if (!fra || !lux) throw new Error("another network");
  but({ fra, lux });
  return diagnosis(stack.stack, about, checksOf([fra, lux]));
}

const way = ({ ways: [first] }: Examined) => {
  if (!first) throw new Error("there is no way");
  return first;
};
const seenOf = ({ look: { seen } }: Examined): Snapshot => {
  if (!seen) throw new Error("nothing was seen");
  return seen;
};
/** Nobody answers by the link, and this became of the UDP of the two. */
function silent({ fra, lux }: Two, counted: { lux: number[]; fra: number[] }): void {
  for (const [it, [out = 0, gone = 0, come = 0, within = 0]] of [
    [lux, counted.lux],
    [fra, counted.fra],
  ] as const) {
    delete way(it).carried;
    way(it).counted = { out, gone, come, in: within };
  }
}

const cases: Record<string, (two: Two) => void> = {
  well: () => undefined,
  mtu: ({ fra, lux }) => {
    way(lux).carried = { bytes: 1336, outer: "inet" };
    way(lux).pieces = true;
    way(lux).outside = { asked: [64, 1480], answered: [64] };
    way(fra).carried = { bytes: 1336, outer: "inet" };
  },
  lowered: ({ fra, lux }) => {
    for (const link of seenOf(lux).links) if (link.ifname === "inter-fra") link.mtu = 1300;
    way(fra).carried = { bytes: 1296, outer: "inet" };
  },
  dropped: (two) => {
    silent(two, { lux: [2, 2, 1, 1], fra: [1, 1, 2, 0] });
    two.fra.dropped = ["inet foreign input rule udp dport 11001 drop (verdict drop)"];
  },
  "policy-out": (two) => {
    silent(two, { lux: [2, 0, 2, 2], fra: [2, 2, 0, 0] });
    two.lux.dropped = ["inet mine output policy drop"];
  },
  "on-the-way": (two) => silent(two, { lux: [2, 2, 0, 0], fra: [2, 2, 0, 0] }),
  clock: (two) => {
    silent(two, { lux: [2, 2, 2, 2], fra: [2, 2, 2, 2] });
    two.fra.clock = -86_400;
    for (const it of [two.lux, two.fra])
      for (const { peers } of seenOf(it).wg) for (const peer of peers) peer.latestHandshake = NOW - 600;
  },
  keys: (two) => {
    silent(two, { lux: [2, 2, 2, 2], fra: [2, 2, 2, 2] });
    for (const device of seenOf(two.fra).wg) for (const peer of device.peers) peer.publicKey = `${"A".repeat(42)}E=`;
  },
  rosenpass: ({ fra, lux }) => {
    seenOf(lux).units["overlay-rosenpass@lux-fra.service"] = { enabled: true, active: false, failed: true };
    seenOf(fra).exchanges["lux-fra"] = { exchanged: 400, psk: "5a", protected: true };
  },
  session: ({ lux }) => {
    seenOf(lux).exchanges["lux-fra"] = { exchanged: 30, psk: "5a", protected: false };
  },
  icmp: (two) => silent(two, { lux: [2, 2, 2, 2], fra: [2, 2, 2, 2] }),
  host: (two) => {
    silent(two, { lux: [2, 2, 0, 0], fra: [0, 0, 2, 0] });
    seenOf(two.fra).hooks.input = [{ by: "nftables", chain: "inet filter input", verdict: "policy drop" }];
    two.fra.dropped = ["inet filter input policy drop"];
    for (const { peers } of seenOf(two.lux).wg) for (const peer of peers) peer.presharedKey = false;
    const counters = (seenOf(two.lux).nft["inet overlay"] ?? []) as { counter?: { name: string; packets: number } }[];
    for (const { counter } of counters) if (counter?.name === "link-inter-fra") counter.packets = 17;
    seenOf(two.lux).host = { wireguard: "none" };
  },
  away: ({ fra, lux }) => {
    fra.look = { fault: "root@198.51.100.9 cannot be reached: look whether it is up.", drift: [] };
    fra.ways = [];
    delete way(lux).carried;
    way(lux).counted = { out: 2, gone: 2, come: 0, in: 0 };
    for (const { peers } of seenOf(lux).wg) for (const peer of peers) peer.latestHandshake = NOW - 7200;
  },
};

test.each(Object.entries(cases))("%s, in 60 columns", (name, but) => {
  const found = examined(but);
  // Keys are others in each run.
  const said = told(found, 60).replace(/(?<![A-Za-z0-9+/])(?!AAAA)[A-Za-z0-9+/]{43}=/g, `${"key".padEnd(43, "-")}=`);
  expectGolden(join(golden, "doctor", `${name}.txt`), said);
  expect(said.split("\n").filter((line) => line.length > 60)).toEqual([]);
  expect(exitCode(found)).toBe(name === "well" ? 0 : ["away", "icmp", "session"].includes(name) ? 1 : 2);
  expect(found.checks.filter(({ state }) => state === "wrong").length > 0).toBe(found.cures.length > 0);
});

test("a host is about its links and those at their other ends, a link about its ends", async () => {
  const resources = stackResources(await deploymentOf(everything));
  const stack = stackNetwork(resources);
  const all = wanted(resources, stack);
  const about = (name: string) =>
    concerns(all, stack, name).map(({ wanted: { node }, concerned, asks }) => {
      const devices = concerned
        .filter(({ token }) => /:Interface$|:Member$/.test(token))
        .map(({ spec }) => spec.device);
      return `${node.name}: ${devices.sort().join(" ")}; ${stack.nodes.flatMap((it) => (asks(it.name) ? it.name : [])).join(" ")}`;
    });
  const everybody = "fra hkg lux nas phone sgp";
  expect({ fra: about("fra"), asia: about("asia"), lan: about("lan"), phone: about("lux-phone") }).toEqual({
    fra: [`fra: inter-lux inter-nas vx-lan; ${everybody}`, "lux: inter-fra vx-lan; fra", "nas: inter-fra vx-lan; fra"],
    asia: ["hkg", "lux", "sgp"].map((name) => `${name}: asia; ${everybody}`),
    lan: ["fra", "lux", "nas"].map((name) => `${name}: vx-lan; ${everybody}`),
    phone: [`lux: inter-phone; ${everybody}`],
  });
});

test("a name of a terminal's words is shown, and not obeyed", () => {
  const found = examined();
  const [check] = found.checks;
  const named = { ...found, checks: [{ ...check, of: "\x1b[2Jlux\u0007" } as Diagnosis["checks"][number]] };
  expect(told(named, 60)).not.toMatch(/(?!\n)\p{Cc}/u);
});

test("what agents/trace.sh printed", () => {
  const said = [
    "\x1ecount\n11002 - come 3\n11002 - in 0\n11002 - out 2\n11002 - gone 2\n11003 2001:db8::9 come 1\n",
    "\x1edropped\ninet foreign input rule udp dport 11002 drop (verdict drop)\n\x1eend\n",
  ].join("");
  const [one, other] = [
    { device: "inter-fra", address: "fe80::2", port: 11002 },
    { device: "mesh", address: "10.255.0.2", port: 11003, from: "2001:db8::9" },
  ];
  expect(parseTraced(said, [one, other])).toEqual({
    counted: [
      { come: 3, in: 0, out: 2, gone: 2 },
      { come: 1, in: 0, out: 0, gone: 0 },
    ],
    dropped: ["inet foreign input rule udp dport 11002 drop (verdict drop)"],
  });
});

describe("the command", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-doctor-"));
  const file = join(folder, "state.json");
  beforeAll(() => writeFileSync(file, text));
  afterAll(() => rmSync(folder, { recursive: true }));
  const bin = join(__dirname, "../../../bin/overlay");
  const run = (...words: string[]) =>
    spawnSync(bin, ["doctor", "--state", file, "--ssh", "false", ...words], { encoding: "utf8" });

  test("hosts that cannot be reached are named, and it ends with 1", () => {
    const { status, stdout, stderr } = run("--json", "lux");
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    const { checks, unknown } = JSON.parse(stdout) as Diagnosis;
    expect(checks.map(({ of, state }) => `${of} ${state}`)).toEqual(["fra unknown", "lux unknown"]);
    expect(unknown).toEqual([expect.stringContaining("198.51.100.9"), expect.stringContaining("203.0.113.5")]);
  });

  test("a name that the stack has not", () => {
    expect(run("tyo")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "overlay: the stack has no host and no link tyo, only fra, lux, lux-fra [cli/host]\n",
    });
  });
});
