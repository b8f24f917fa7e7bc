/** `overlay doctor`: what follows from what was seen, and how it is told. That it is seen, tests in the lab show. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OverlayNode, RosenpassPeer, VxlanSegment, WgLink, WgMesh } from "../../../components";
import { checksOf } from "../../../sdk/cli/doctor/checks";
import { concerns, nameOf, peersOf } from "../../../sdk/cli/doctor/concerns";
import { type Examined, waylessOf, waysOf } from "../../../sdk/cli/doctor/examine";
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

const node = (name: string, id: number, endpoint: string) =>
  new OverlayNode(name, {
    id,
    connection: { host: endpoint },
    addresses: [`10.255.0.${id}`, `fd00:6f::${id}`],
    endpoints: [endpoint],
  });
const two = () => [node("lux", 1, "203.0.113.5"), node("fra", 2, "198.51.100.9")] as const;

/** Two nodes and a link that exchanges keys. */
function network(): void {
  const [lux, fra] = two();
  const link = new WgLink("lux-fra", { a: lux, b: fra });
  new RosenpassPeer("lux-fra", { link });
}

/** A segment by a link, in a bridge at one end, and one that goes by no link. */
function segments(): void {
  const [lux, fra] = two();
  new WgLink("lux-fra", { a: lux, b: fra });
  const members = (net: number) => [lux, fra].map((node, at) => ({ node, addresses: [`10.${net}.0.${at + 1}/24`] }));
  const [first = { node: lux }, ...others] = members(100);
  const bridge = { ports: ["eth1"], loopFree: true };
  new VxlanSegment("lan", { vni: 100, variant: "static-flood", members: [{ ...first, bridge }, ...others] });
  const plain = { vni: 7, variant: "static-flood", port: 4790, encrypted: false } as const;
  new VxlanSegment("plain", { ...plain, members: members(101) });
}

const TEN = Array.from({ length: 10 }, (_, at) => `node-${at + 1}`);

function mesh(): void {
  new WgMesh("ten", { nodes: TEN.map((name, at) => node(name, at + 1, `203.0.113.${at + 1}`)) });
}

let text = "";
const states: Record<string, string> = {};
beforeAll(async () => {
  text = await deploymentOf(network);
  states.segments = await deploymentOf(segments);
  states.mesh = await deploymentOf(mesh);
});

/** The host as all of its resources have made it, with a session of a moment ago. */
function snapshotOf({ declared }: Wanted, key: string): Snapshot {
  const model = new KernelModel({ wireguard: "kernel" });
  model.run(["ip link add dev eth1 type dummy", "ip link set dev eth1 mtu 1280"]);
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

/** All well; `but`: what is not. */
function diagnosed(state: string, about: string, but: (host: (name: string) => Examined) => void): Diagnosis {
  const resources = stackResources(state);
  const stack = stackNetwork(resources);
  // The model of a kernel knows no Rosenpass, and of nft(8) not every rule.
  const all = wanted(resources, stack).map((host) => ({
    ...host,
    declared: host.declared.map((it) => ({
      ...it,
      facts: it.facts.filter(({ kind }) =>
        it.token === "overlay:vxlan:Member" ? kind !== "nftTable" : !it.token.startsWith("overlay:rosenpass:"),
      ),
    })),
  }));
  const keys = new Map(
    all.flatMap(({ declared }) =>
      declared
        .filter(({ token }) => token === "overlay:wireguard:Interface")
        .flatMap(({ spec }) => [spec.peer ?? [], spec.peers ?? []].flat())
        .map(({ name, publicKey }): [string, string] => [name, publicKey]),
    ),
  );
  const found = concerns(all, stack, about).map((concern): Examined => {
    const seen = snapshotOf(concern.wanted, keys.get(concern.wanted.node.name) ?? "");
    const ways = waysOf(concern, seen);
    for (const way of ways) {
      way.carried = { bytes: way.path.mtu, outer: "inet" };
      if (way.path.layer === "WireGuard") way.outside = { asked: [64, 1480], answered: [64, 1480] };
    }
    const { wanted, concerned } = concern;
    return { wanted, concerned, look: { seen, drift: [] }, clock: 0, ways, wayless: waylessOf(concern, ways) };
  });
  but((name) => {
    const host = found.find(({ wanted }) => wanted.node.name === name);
    if (!host) throw new Error(`it is not about ${name}`);
    return host;
  });
  return diagnosis(stack.stack, about, checksOf(found));
}

type Two = { fra: Examined; lux: Examined };

const examined = (but: (two: Two) => void = () => undefined, about = "lux-fra"): Diagnosis =>
  diagnosed(text, about, (host) => but({ fra: host("fra"), lux: host("lux") }));

const way = ({ ways, wanted: { node } }: Examined, of?: string, to?: string) => {
  const found = ways.find(({ path }) => (of ?? path.of) === path.of && (to ?? path.to) === path.to);
  if (!found) throw new Error(`${node.name} has no such way`);
  return found;
};
const seenOf = ({ look: { seen } }: Examined): Snapshot => {
  if (!seen) throw new Error("nothing was seen");
  return seen;
};
/** Nobody answers by the link, and this became of the UDP of the two. */
function silent({ fra, lux }: Two, counted: { lux: number[]; fra: number[] }, of = "lux-fra"): void {
  for (const [it, [out = 0, gone = 0, come = 0, within = 0]] of [
    [lux, counted.lux],
    [fra, counted.fra],
  ] as const) {
    delete way(it, of).carried;
    way(it, of).counted = { out, gone, come, in: within, droppedIn: [], droppedOut: [] };
  }
}

const dropping = (it: Examined, lines: { droppedIn?: string[]; droppedOut?: string[] }, of = "lux-fra"): void => {
  Object.assign(way(it, of).counted ?? {}, lines);
};

const closed = (it: Examined): void => {
  seenOf(it).hooks.input = [{ by: "nftables", chain: "inet filter input", verdict: "policy drop" }];
};

const old = (it: Examined): void => {
  for (const { peers } of seenOf(it).wg) for (const peer of peers) peer.latestHandshake = NOW - 600;
};

const declares = (it: Examined, firewall: string): void => {
  for (const { token, spec } of it.concerned) if (token === "overlay:wireguard:Interface") spec.firewall = firewall;
};

const NO_PING =
  "root@203.0.113.5: the attempt to send packets from it ended with code 127 (it has no ping: apt-get install iputils-ping). [host/agent]";
const NO_NFT =
  "root@198.51.100.9: the attempt to follow packets on it ended with code 127 (sh: nft: not found). [host/agent]";

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
    dropping(two.fra, { droppedIn: ["inet foreign input rule udp dport 11001 drop (verdict drop)"] });
  },
  "policy-out": (two) => {
    silent(two, { lux: [2, 0, 2, 2], fra: [2, 2, 0, 0] });
    dropping(two.lux, { droppedOut: ["inet mine output policy drop"] });
  },
  "on-the-way": (two) => silent(two, { lux: [2, 2, 0, 0], fra: [2, 2, 0, 0] }),
  clock: (two) => {
    silent(two, { lux: [2, 2, 2, 2], fra: [2, 2, 2, 2] });
    two.fra.clock = -86_400;
    for (const it of [two.lux, two.fra]) old(it);
  },
  keys: (two) => {
    silent(two, { lux: [2, 2, 2, 2], fra: [2, 2, 2, 2] });
    for (const device of seenOf(two.fra).wg) for (const peer of device.peers) peer.publicKey = `${"A".repeat(42)}E=`;
  },
  // Somebody has deleted the device at one end.
  gone: (two) => {
    silent(two, { lux: [2, 2, 0, 0], fra: [0, 0, 2, 2] });
    const seen = seenOf(two.fra);
    seen.wg = [];
    seen.links = seen.links.filter(({ ifname }) => ifname !== "inter-lux");
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
    closed(two.fra);
    old(two.fra);
    dropping(two.fra, { droppedIn: ["inet filter input policy drop"] });
    for (const { peers } of seenOf(two.lux).wg) for (const peer of peers) peer.presharedKey = false;
    const counters = (seenOf(two.lux).nft["inet overlay"] ?? []) as { counter?: { name: string; packets: number } }[];
    for (const { counter } of counters) if (counter?.name === "link-inter-fra") counter.packets = 17;
    seenOf(two.lux).host = { wireguard: "none" };
  },
  away: ({ fra, lux }) => {
    fra.look = { fault: "root@198.51.100.9 cannot be reached: look whether it is up.", drift: [] };
    fra.ways = [];
    delete way(lux).carried;
    way(lux).counted = { out: 2, gone: 2, come: 0, in: 0, droppedIn: [], droppedOut: [] };
    for (const { peers } of seenOf(lux).wg) for (const peer of peers) peer.latestHandshake = NOW - 7200;
  },
  // It was seen once, packets came, and then it was gone.
  lost: ({ fra, lux }) => {
    fra.look = { fault: "root@198.51.100.9 broke off. [host/lost]", drift: [] };
    delete way(lux).carried;
    way(lux).counted = { out: 2, gone: 2, come: 0, in: 0, droppedIn: [], droppedOut: [] };
    old(lux);
  },
  "no-ping": ({ lux }) => {
    lux.unproven = NO_PING;
    delete way(lux).carried;
    delete way(lux).outside;
  },
  "no-nft": (two) => {
    silent(two, { lux: [2, 2, 0, 0], fra: [0, 0, 0, 0] });
    two.fra.unproven = NO_NFT;
    delete way(two.fra).counted;
    for (const it of [two.lux, two.fra]) old(it);
  },
  // Of a chain that somebody says lets it in, and nothing has come.
  promised: (two) => {
    silent(two, { lux: [2, 2, 0, 0], fra: [2, 2, 0, 0] });
    declares(two.fra, "none");
    closed(two.fra);
    for (const it of [two.lux, two.fra]) old(it);
  },
  kept: ({ fra }) => {
    declares(fra, "none");
    closed(fra);
  },
  // One of several addresses was chosen.
  elsewhere: (two) => {
    silent(two, { lux: [2, 2, 0, 0], fra: [2, 2, 0, 0] });
    for (const { peers } of seenOf(two.lux).wg) for (const peer of peers) peer.endpoint = "[2001:db8::9]:11001";
  },
  // Nobody's rule shows.
  hidden: (two) => silent(two, { lux: [2, 2, 2, 0], fra: [2, 2, 2, 2] }),
};

const exits: Record<string, number> = {
  ...{ well: 0, kept: 0, "lan-well": 0, "plain-well": 0, ten: 0 },
  ...{ away: 1, "ten-away": 1, lost: 1, icmp: 1, session: 1, "no-ping": 1, "no-nft": 1, wayless: 1 },
};

function expectTold(name: string, found: Diagnosis): void {
  // Keys are others in each run.
  const said = told(found, 60).replace(/(?<![A-Za-z0-9+/])(?!AAAA)[A-Za-z0-9+/]{43}=/g, `${"key".padEnd(43, "-")}=`);
  expectGolden(join(golden, "doctor", `${name}.txt`), said);
  expect(said.split("\n").filter((line) => line.length > 60)).toEqual([]);
  expect({ name, code: exitCode(found) }).toEqual({ name, code: exits[name] ?? 2 });
  expect(found.checks.filter(({ state }) => state === "wrong").length > 0).toBe(found.cures.length > 0);
  expect(found.checks.filter(({ state, code }) => state === "wrong" && code === undefined)).toEqual([]);
}

test.each(Object.entries(cases))("%s, in 60 columns", (name, but) => expectTold(name, examined(but)));

const ofSegments: Record<string, [about: string, but: (two: Two) => void]> = {
  "lan-well": ["lan", () => undefined],
  "plain-well": ["plain", () => undefined],
  // The link that carries it is dead.
  beneath: [
    "lan",
    (two) => {
      silent(two, { lux: [2, 2, 1, 1], fra: [1, 1, 2, 0] });
      dropping(two.fra, { droppedIn: ["inet foreign input rule udp dport 11001 drop (verdict drop)"] });
      silent(two, { lux: [2, 2, 0, 0], fra: [2, 2, 0, 0] }, "lan");
      for (const it of [two.lux, two.fra]) old(it);
    },
  ],
  // The link carries less than it should, and the segment so, too.
  "beneath-narrow": [
    "lan",
    ({ lux, fra }) => {
      for (const it of [lux, fra]) {
        way(it, "lux-fra").carried = { bytes: 1336, outer: "inet" };
        way(it, "lan").carried = { bytes: 1286, outer: "inet" };
      }
    },
  ],
  // A link is there, and the VTEP's route is not.
  "no-link": [
    "lan",
    (two) => {
      silent(two, { lux: [0, 0, 0, 0], fra: [0, 0, 0, 0] }, "lan");
      delete way(two.lux, "lan").path.within;
    },
  ],
  // The link is well, and somebody drops what it brings.
  "lan-dropped": [
    "lan",
    (two) => {
      silent(two, { lux: [2, 2, 2, 2], fra: [2, 2, 2, 0] }, "lan");
      dropping(two.fra, { droppedIn: ["inet filter input policy drop"] }, "lan");
      closed(two.fra);
    },
  ],
  "plain-closed": [
    "plain",
    (two) => {
      silent(two, { lux: [2, 2, 0, 0], fra: [2, 2, 0, 0] }, "plain");
      closed(two.fra);
    },
  ],
  "plain-kept": [
    "plain",
    (two) => {
      silent(two, { lux: [2, 0, 0, 0], fra: [0, 0, 0, 0] }, "plain");
      dropping(two.lux, { droppedOut: ["ip filter OUTPUT rule udp dport 4790 counter drop (verdict drop)"] }, "plain");
    },
  ],
  // Somebody has changed the bridge, and Docker has its frames filtered.
  bridge: [
    "lan",
    ({ lux }) => {
      const seen = seenOf(lux);
      for (const link of seen.links) if (link.ifname === "br-lan") link.mtu = 1300;
      seen.sysctls["net/bridge/bridge-nf-call-iptables"] = "1";
      seen.hooks["forward br-lan"] = [{ by: "iptables", chain: "ip filter FORWARD", verdict: "policy drop" }];
    },
  ],
  wayless: [
    "lan",
    (two) => {
      for (const it of [two.lux, two.fra]) {
        const { declared } = way(it, "lan");
        it.ways = it.ways.filter(({ path }) => path.of !== "lan");
        it.wayless = [{ declared, to: it === two.lux ? "fra" : "lux" }];
      }
    },
  ],
};

test.each(Object.entries(ofSegments))("of a segment: %s, in 60 columns", (name, [about, but]) => {
  const found = diagnosed(states.segments ?? "", about, (host) => but({ fra: host("fra"), lux: host("lux") }));
  expectTold(name, found);
});

describe("a mesh of ten", () => {
  test("that is well takes a screen", () => {
    const found = diagnosed(states.mesh ?? "", "ten", () => undefined);
    expect(found.checks.filter(({ within }) => within === "ten").length).toBeGreaterThan(45 * 9);
    expectTold("ten", found);
  });

  test("of which one host is away: it is told once", () => {
    const found = diagnosed(states.mesh ?? "", "ten", (host) => {
      host("node-10").look = { fault: "root@203.0.113.10 cannot be reached. [host/unreachable]", drift: [] };
      for (const name of TEN.slice(0, 9)) {
        const one = way(host(name), "ten", "node-10");
        delete one.carried;
        one.counted = { out: 2, gone: 2, come: 0, in: 0, droppedIn: [], droppedOut: [] };
      }
    });
    expectTold("ten-away", found);
  });

  test("of which one host drops what comes: what is wrong is told of each pair", () => {
    const found = diagnosed(states.mesh ?? "", "ten", (host) => {
      for (const name of TEN.slice(0, 9)) {
        const [one, other] = [host(name), host("node-10")];
        for (const [it, to] of [
          [one, "node-10"],
          [other, name],
        ] as const) {
          const found = way(it, "ten", to);
          delete found.carried;
          const base = { out: 2, gone: 2, come: 2, droppedOut: [] };
          const rule = "inet foreign input rule udp dport 11010 drop (verdict drop)";
          found.counted = it === one ? { ...base, in: 2, droppedIn: [] } : { ...base, in: 0, droppedIn: [rule] };
        }
      }
    });
    expectTold("ten-dropped", found);
  });
});

test("a host is about its links and those at their other ends, a link about its ends", async () => {
  const resources = stackResources(await deploymentOf(everything));
  const stack = stackNetwork(resources);
  const all = wanted(resources, stack);
  /** Of each host its devices and bridges, and the names to whom the ways by them are asked for. */
  const about = (name: string) =>
    Object.fromEntries(
      concerns(all, stack, name).map(({ wanted: { node }, concerned, asks }) => {
        const devices = concerned.flatMap((it) => {
          if (it.token === "overlay:vxlan:Bridge") return it.spec.device;
          if (!/:Interface$|:Member$/.test(it.token)) return [];
          const asked = peersOf(it).flatMap((peer) => (asks(nameOf(it), peer.name) ? peer.name : []));
          return [it.spec.device, ...asked.sort()].join(" ");
        });
        return [node.name, devices.sort()];
      }),
    );
  expect(about("fra")).toEqual({
    fra: ["inter-lux lux", "inter-nas nas", "vx-lan lux nas"],
    lux: ["br-lan", "inter-fra fra", "vx-lan fra"],
    nas: ["inter-fra fra", "vx-lan fra"],
  });
  expect(about("asia")).toEqual({ hkg: ["asia lux sgp"], lux: ["asia hkg sgp"], sgp: ["asia hkg lux"] });
  expect(about("lux-phone")).toEqual({ lux: ["inter-phone phone"] });
  // What carries a segment is in question, too, and the bridge that it is in; nas and lux reach each other by way of fra.
  expect(about("lan")).toEqual({
    fra: ["inter-lux lux", "inter-nas nas", "vx-lan lux nas"],
    lux: ["br-lan", "inter-fra fra", "vx-lan fra nas"],
    nas: ["inter-fra fra", "vx-lan fra lux"],
  });
  expect(about("plain")).toEqual({ hkg: ["vx-plain sgp"], sgp: ["vx-plain hkg"] });
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
    "\x1edropped\n11002 - come inet foreign input rule udp dport @shut drop (verdict drop)\n",
    "11003 2001:db8::9 come inet mine input policy drop\n\x1eend\n",
  ].join("");
  const [one, other] = [
    { device: "inter-fra", address: "fe80::2", port: 11002 },
    { device: "mesh", address: "10.255.0.2", port: 11003, from: "2001:db8::9" },
  ];
  const [droppedIn, none] = [["inet foreign input rule udp dport @shut drop (verdict drop)"], { droppedOut: [] }];
  expect(parseTraced(said, [one, other])).toEqual([
    { come: 3, in: 0, out: 2, gone: 2, droppedIn, ...none },
    { come: 1, in: 0, out: 0, gone: 0, droppedIn: ["inet mine input policy drop"], ...none },
  ]);
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
