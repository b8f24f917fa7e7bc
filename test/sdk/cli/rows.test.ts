/** What `overlay status` makes of looks at hosts, which a model of the kernel stands for; and what a picture makes of it. */
import { join } from "node:path";
import { stackNetwork, stackResources } from "../../../sdk/cli/stack";
import { type Look, type Wanted, wanted } from "../../../sdk/cli/status/look";
import { type Row, type Status, statusOf, troubles, why } from "../../../sdk/cli/status/rows";
import { dot } from "../../../sdk/cli/topology/dot";
import { liveOf } from "../../../sdk/cli/topology/live";
import { mermaid } from "../../../sdk/cli/topology/mermaid";
import { svg } from "../../../sdk/cli/topology/svg";
import { changes, type Snapshot } from "../../../sdk/kernel";
import { KernelModel } from "../../kernel-model";
import { expectGolden, golden } from "../golden";
import { deploymentOf } from "./deployment";
import { everything } from "./networks";

const NOW = 1_790_000_000;

let all: Wanted[] = [];
beforeAll(async () => {
  const resources = stackResources(await deploymentOf(everything));
  // The model of a kernel knows no Rosenpass.
  all = wanted(resources, stackNetwork(resources)).map((host) => ({
    ...host,
    declared: host.declared.map((it) => (it.token.startsWith("overlay:rosenpass:") ? { ...it, facts: [] } : it)),
  }));
});

/** A host as all of its resources have made it, each peer with a session of a moment ago. */
function snapshotOf({ declared }: Wanted): Snapshot {
  const model = new KernelModel({ wireguard: "kernel" });
  // What closes a segment is of no matter here, and the model knows nft's words for some ports alone.
  const facts = declared.flatMap(({ token, facts }) =>
    token === "overlay:vxlan:Member" ? facts.filter(({ kind }) => !kind.startsWith("nft")) : facts,
  );
  model.run(changes([], facts, { wireguard: "kernel" }).commands);
  const seen = model.snapshot();
  const names = declared.flatMap(({ token, spec }) => (token === "overlay:rosenpass:Psk" ? [spec.name] : []));
  return {
    ...seen,
    now: NOW,
    exchanges: Object.fromEntries(names.map((name) => [name, { exchanged: 30, psk: "5a", protected: true }])),
    wg: seen.wg.map((device) => ({
      ...device,
      peers: device.peers.map((peer) => ({ ...peer, latestHandshake: NOW - 12, rxBytes: 840, txBytes: 92 })),
    })),
  };
}

type Names = "fra" | "hkg" | "lux" | "nas" | "sgp";
type Seen = Record<Names, Snapshot>;

interface Case {
  /** What is not as it was made. */
  but?(seen: Seen): void;
  /** Not reached. */
  away?: Names[];
  /** What was measured, besides. */
  looks?(looks: Map<string, Look>): void;
}

function statusWith({ but, away = [], looks: more }: Case = {}): Status {
  const seen = Object.fromEntries(all.map((host) => [host.node.name, snapshotOf(host)])) as Seen;
  but?.(seen);
  const looks = new Map<string, Look>(
    Object.entries(seen).map(([name, seen]) => [
      name,
      away.includes(name as Names)
        ? { fault: `root@${name}.example cannot be reached.`, drift: [] }
        : { seen, drift: [] },
    ]),
  );
  more?.(looks);
  return statusOf("net/prod", all, looks);
}

const host = (status: Status, name: Names) => {
  const found = status.hosts.find((it) => it.name === name);
  if (!found) throw new Error(`no host ${name}`);
  return found;
};
const words = ({ link, peer, by, state, endpoint, why, missing }: Row): string =>
  [link, peer, by, state, endpoint, why, missing].filter(Boolean).join(" ");
const rows = (status: Status, name: Names): string[] => host(status, name).rows.map(words);
const row = (status: Status, name: Names, link: string, peer?: string): Row => {
  const found = host(status, name).rows.find((it) => it.link === link && it.peer === peer && it.by === undefined);
  if (!found) throw new Error(`${name} has no row of ${link}`);
  return found;
};
const allTroubles = ({ hosts }: Status): string[] => hosts.flatMap(troubles);
const peerOf = ({ wg }: Snapshot, device: string, at = 0) => {
  const peer = wg.find((it) => it.device === device)?.peers[at];
  if (!peer) throw new Error(`no peer of ${device}`);
  return peer;
};

test("where all is well, each side has a row, and there is nothing to say", () => {
  const status = statusWith();
  const told = status.hosts.map(
    ({ name }) =>
      `${name}\n${rows(status, name as Names)
        .map((it) => `  ${it}\n`)
        .join("")}`,
  );
  expectGolden(join(golden, "status/rows.txt"), told.join(""));
  expect(allTroubles(status)).toEqual([]);
  expect(row(status, "lux", "lux-fra", "fra")).toEqual({
    ...{ kind: "link", link: "lux-fra", device: "inter-fra", peer: "fra", state: "up" },
    ...{ endpoint: "198.51.100.9:11001", why: "declared", handshake: 12, handshakeAt: NOW - 12, rx: 840, tx: 92 },
    ...{ mtu: { declared: 1420, device: 1420 }, postQuantum: { mode: "strict", health: "healthy" } },
  });
  expect(row(status, "lux", "asia", "sgp").postQuantum).toEqual({ mode: "permissive", health: "healthy" });
  expect(row(status, "fra", "lan").members).toEqual([
    { name: "lux", state: "up" },
    { name: "nas", state: "up" },
  ]);
  // No session tells whether who is on the plain underlay is reached.
  expect(row(status, "hkg", "plain")).toMatchObject({ state: "up", members: [{ name: "sgp", state: "unknown" }] });
});

test.each([
  ["198.51.100.9:11001", "198.51.100.9:11001", undefined, "declared"],
  ["198.51.100.9:11001", "198.51.100.9:11001", ["198.51.100.9:11001"], "chosen, as declared"],
  ["[2001:db8::9]:443", "198.51.100.9:11001", ["[2001:db8::9]:443"], "chosen by the host"],
  ["[2001:db8::9]:443", "198.51.100.9:11001", ["anywhere"], "the other end chooses"],
  ["[2001:db8::9]:443", "198.51.100.9:11001", undefined, "it called from there"],
  ["[2001:db8::9]:443", undefined, undefined, "it called"],
] as const)("%s, where %s is declared and %j chosen: %s", (endpoint, declared, chosen, said) => {
  expect(why(endpoint, declared, chosen)).toBe(said);
});

test("no session, no peer, no device, and one that somebody has set down", () => {
  const status = statusWith({
    but: ({ lux, fra, nas, sgp }) => {
      peerOf(lux, "inter-fra").latestHandshake = NOW - 200;
      for (const device of fra.wg) if (device.device === "inter-nas") device.peers = [];
      nas.wg = nas.wg.filter(({ device }) => device !== "inter-fra");
      nas.links = nas.links.filter(({ ifname }) => ifname !== "inter-fra");
      for (const link of sgp.links) if (link.ifname === "asia") link.flags = link.flags.filter((it) => it !== "UP");
    },
  });
  expect(row(status, "lux", "lux-fra", "fra")).toMatchObject({ state: "idle", handshake: 200 });
  expect(rows(status, "fra")).toContain("fra-nas nas down inter-nas has no such peer");
  expect(rows(status, "nas")).toContain("fra-nas fra down inter-fra is not there");
  // Its session of a moment ago says nothing then.
  expect(row(status, "sgp", "asia", "lux")).toMatchObject({
    state: "down",
    missing: "asia is set down",
    handshake: 12,
  });
  expect(allTroubles(status)).toEqual(
    expect.arrayContaining([
      "fra, fra-nas to nas: inter-nas has no such peer",
      "nas, fra-nas to fra: inter-fra is not there",
      "sgp, asia to lux: asia is set down",
    ]),
  );
});

test("somebody else's machine has a row at the node that it calls", () => {
  const status = statusWith({
    but: ({ lux }) => {
      peerOf(lux, "inter-phone").endpoint = "192.0.2.200:4500";
    },
  });
  expect(row(status, "lux", "lux-phone", "phone")).toMatchObject({
    ...{ state: "up", endpoint: "192.0.2.200:4500", why: "it called" },
  });
});

test("what the guard has dropped is told once for each device, whatever peers it has", () => {
  const status = statusWith({
    but: ({ lux }) => {
      const nft = (lux.nft["inet overlay"] ?? []) as { counter?: { name: string; packets: number } }[];
      for (const { counter } of nft) if (counter?.name === "link-asia") counter.packets = 17;
      nft.push({ rule: { chain: "nested", expr: [{ counter: { packets: 3 } }] } } as object);
    },
  });
  const { guards, rows: its } = host(status, "lux");
  expect(guards.filter(({ packets }) => packets > 0)).toEqual([{ device: "asia", packets: 17 }, { packets: 3 }]);
  expect(its.filter(({ device }) => device === "asia")).toHaveLength(2);
  expect(allTroubles(status)).toEqual([
    expect.stringMatching(
      /^17 encrypted packets of asia .* `nft reset counter inet overlay link-asia` there counts anew\.$/,
    ),
    expect.stringMatching(/^3 encrypted packets of nobody's link /),
  ]);
});

describe("post-quantum keys", () => {
  test("that are ill are so at both ends, with the mode", () => {
    const status = statusWith({
      but: ({ fra }) => {
        fra.exchanges["lux-fra"] = { exchanged: 400, psk: "5a", protected: true };
      },
    });
    const ill = { mode: "strict", health: "the last key of fra is older than 140 s" };
    expect(row(status, "fra", "lux-fra", "lux").postQuantum).toEqual(ill);
    expect(row(status, "lux", "lux-fra", "fra").postQuantum).toEqual(ill);
    expect(allTroubles(status)).toContain("lux, lux-fra to fra: strict keys: the last key of fra is older than 140 s");
  });

  test("of an end whose other end cannot be looked at are what that end sees", () => {
    const status = statusWith({ away: ["fra"] });
    expect(row(status, "lux", "lux-fra", "fra").postQuantum).toEqual({ mode: "strict", health: "healthy" });
    expect(allTroubles(status)).toEqual(
      ["fra: root@fra.example cannot be reached."].map((it) => it.replace(/^fra: /, "")),
    );
  });

  test("of which a host shows nothing are ill", () => {
    const status = statusWith({
      but: ({ lux }) => {
        delete (lux.exchanges as Record<string, unknown>)["lux-fra"];
      },
    });
    expect(row(status, "lux", "lux-fra", "fra").postQuantum?.health).toBe("lux cannot be seen");
  });
});

describe("the MTU", () => {
  const narrow = (name: Names, peer: string, bytes: number) => {
    const outputs = all
      .find(({ node }) => node.name === name)
      ?.declared.find(({ spec }) => spec.link === "lux-fra")?.outputs;
    if (outputs) outputs.pathMtu = { [peer]: bytes };
  };
  afterEach(() => {
    for (const { declared } of all) for (const { outputs } of declared) delete outputs.pathMtu;
  });

  test("of a way is not known to be carried where nobody has found it", () => {
    expect(row(statusWith(), "lux", "lux-fra", "fra").mtu).toEqual({ declared: 1420, device: 1420 });
    for (const { declared } of all) for (const { outputs } of declared) outputs.pathMtu = {};
    expect(row(statusWith(), "lux", "lux-fra", "fra").mtu).toEqual({ declared: 1420, device: 1420 });
  });

  test("is what a run of Pulumi has found at either end where that is less", () => {
    narrow("fra", "lux", 1380);
    const status = statusWith();
    for (const [name, peer] of [
      ["lux", "fra"],
      ["fra", "lux"],
    ] as const) {
      expect(row(status, name, "lux-fra", peer).mtu).toEqual({ declared: 1420, device: 1420, path: 1380 });
    }
    expect(allTroubles(status)).toContain("lux, lux-fra to fra: carries 1380 bytes in one piece, and its MTU is 1420");
  });

  test("is what was just measured, whatever was found before", () => {
    narrow("fra", "lux", 1380);
    const measured = (bytes: Record<string, number | undefined>) =>
      statusWith({
        looks: (looks) => {
          for (const { node, declared } of all) {
            const look = looks.get(node.name);
            const seen = look?.seen;
            if (!look || !seen) continue;
            look.ways = declared
              .flatMap(({ technology, spec }) => technology.paths?.(spec, seen) ?? [])
              .filter(({ of }) => ["lux-fra", "lan"].includes(of))
              .map((path) => {
                const found = `${path.to} ${node.name}` in bytes ? bytes[`${path.to} ${node.name}`] : path.mtu;
                return { path, ...(found !== undefined && { bytes: found }) };
              });
          }
        },
      });
    expect(row(measured({}), "lux", "lux-fra", "fra").mtu).toEqual({
      ...{ declared: 1420, device: 1420, path: 1420, measured: true },
    });
    expect(row(measured({ "lux fra": 1392 }), "lux", "lux-fra", "fra").mtu.path).toBe(1392);
    const silent = measured({ "lux fra": undefined, "fra lux": undefined });
    expect(row(silent, "lux", "lux-fra", "fra").mtu).toEqual({ declared: 1420, device: 1420, measured: false });
    expect(allTroubles(silent)).toContain("lux, lux-fra to fra: no packet inside was answered");
    expect(row(silent, "lux", "lan").members).toContainEqual({ name: "fra", state: "idle" });
  });
});

describe("a relay", () => {
  const relays = (status: Status, name: Names) => host(status, name).rows.filter(({ kind }) => kind === "relay");

  test("is in use, is not because another way is better, and is not there", () => {
    const inUse = { kind: "relay", link: "lux-fra", device: "inter-fra", peer: "nas", by: "fra", why: "declared" };
    expect(relays(statusWith(), "lux")).toMatchObject([{ ...inUse, state: "up" }]);
    const better = statusWith({
      but: ({ lux }) =>
        lux.routes4.push({ dst: "10.255.0.3", dev: "eth1", metric: 20, protocol: "static", table: "main" }),
    });
    expect(relays(better, "lux")).toMatchObject([{ ...inUse, state: "idle" }]);
    const gone = statusWith({
      but: ({ lux }) => {
        lux.routes4 = lux.routes4.filter(({ dst }) => !dst.startsWith("10.255.0.3"));
      },
    });
    const missing = "a route to 10.255.0.3/32, fd00:6f::3/128 by inter-fra is not there";
    expect(relays(gone, "lux")).toMatchObject([{ state: "down", missing }]);
    expect(allTroubles(gone)).toEqual([
      "lux, lan: nas: no session leads there, or nobody answers",
      `lux, lux-fra to nas by fra: ${missing}`,
    ]);
  });

  test("that the host has chosen has a row, too, and its decision hides none of an endpoint", () => {
    const route = "10.255.0.4/32 dev inter-fra proto 111 metric 8194 src 10.255.0.1 mtu 1380";
    const status = statusWith({
      but: ({ lux }) => {
        for (const device of lux.wg) if (device.device === "inter-fra") device.relayed = [route];
        lux.routes4.push({ dst: "10.255.0.4", dev: "inter-fra", metric: 8194, protocol: "111" });
        lux.routes4 = lux.routes4.filter(({ dst, metric = 0 }) => !dst.startsWith("10.255.0.4") || metric > 8000);
        lux.decisions = [
          { peer: "hkg", device: "inter-fra", at: NOW - 60, text: "a -> b: 3 probes failed" },
          {
            ...{ peer: "hkg", device: "inter-fra", at: NOW - 30, relay: { to: "10.255.0.4/32", by: "fra" } },
            text: "10.255.0.4/32 by way of fra, as net/prod says: metric 8194 src 10.255.0.1",
          },
          { peer: "tyo", device: "inter-tyo", at: NOW, text: "of a device that is no more" },
        ];
      },
    });
    expect(relays(status, "lux").find(({ peer }) => peer === "hkg")).toEqual({
      ...{ kind: "relay", link: "lux-fra", device: "inter-fra", peer: "hkg", by: "fra", state: "up" },
      ...{ why: "chosen by the host", mtu: { declared: 1380 } },
    });
    expect(host(status, "lux").decisions.map(({ ago, relay }) => [ago, relay?.to])).toEqual([
      [30, "10.255.0.4/32"],
      [60, undefined],
    ]);
  });
});

test("a member whose entry is not there, and one that no session leads to", () => {
  const status = statusWith({
    but: ({ fra, nas }) => {
      fra.fdb["vx-lan"] = fra.fdb["vx-lan"]?.filter(({ dst }) => dst !== "10.255.0.1");
      peerOf(nas, "inter-fra").latestHandshake = 0;
    },
  });
  expect(row(status, "fra", "lan")).toMatchObject({
    ...{ state: "down", missing: "entries of lux are not there" },
    members: [
      { name: "lux", state: "down" },
      { name: "nas", state: "up" },
    ],
  });
  expect(row(status, "nas", "lan")).toMatchObject({
    state: "idle",
    members: [
      { name: "fra", state: "idle" },
      { name: "lux", state: "idle" },
    ],
  });
  expect(allTroubles(status)).toEqual([
    "fra, lan: entries of lux are not there",
    "nas, lan: fra, lux: no session leads there, or nobody answers",
  ]);
});

test("some of the hosts are shown, and what the others show of them counts", () => {
  const looks = new Map<string, Look>();
  const hosts = all.filter(({ node }) => node.name === "lux");
  expect(statusOf("net/prod", all, looks, { hosts, now: 5 }).hosts).toEqual([
    { name: "lux", reachable: false, drift: [], guards: [], decisions: [], rows: [] },
  ]);
  const [lux] = hosts;
  if (lux) looks.set("lux", { seen: snapshotOf(lux), drift: [], at: 1000 });
  expect(statusOf("net/prod", all, looks, { hosts, now: 35_400 }).hosts).toMatchObject([{ reachable: true, age: 34 }]);
});

test("a picture has what is not as it should be: nodes, links, meshes, segments and relays", () => {
  const live = liveOf(
    statusWith({
      but: ({ lux, hkg, fra }) => {
        peerOf(lux, "inter-fra").latestHandshake = 0;
        hkg.links = hkg.links.filter(({ ifname }) => ifname !== "asia");
        fra.fdb["vx-lan"] = fra.fdb["vx-lan"]?.filter(({ dst }) => dst !== "10.255.0.3");
      },
      away: ["nas"],
    }),
  );
  expect([live.node("nas"), live.node("lux"), live.node("phone")]).toEqual(["unreachable", undefined, undefined]);
  expect(["lux-fra", "fra-nas", "lux-phone"].map((link) => live.line(link).state)).toEqual(["up", "up", "up"]);
  expect(["lux", "hkg", "sgp"].map((node) => live.line("asia", node).state)).toEqual(["up", "down", "up"]);
  expect(["lux", "fra", "nas"].map((node) => live.member("lan", node).state)).toEqual(["idle", "down", "unknown"]);
  expect(live.member("plain", "sgp").state).toBe("up");
  expect(live.relay({ a: "lux", b: "nas", by: "fra" }).state).toBe("up");
});

test("in each format of a picture it is marked what is not as it should be", async () => {
  const network = stackNetwork(stackResources(await deploymentOf(everything)));
  const live = liveOf(
    statusWith({
      but: ({ lux, fra }) => {
        fra.fdb["vx-lan"] = fra.fdb["vx-lan"]?.filter(({ dst }) => dst !== "10.255.0.3");
        lux.routes4.push({ dst: "10.255.0.3", dev: "eth1", metric: 20, protocol: "static" });
      },
    }),
  );
  expect(svg(network, live)).toMatch(/<rect class="chip s0 down"[^>]*>/);
  expect(svg(network, live)).toMatch(
    /<g class="way up [^"]*"><title>lux and nas by way of fra\nlux to nas: idle, declared\n/,
  );
  expect(svg(network)).not.toMatch(/class="chip s\d+ /);
  expect(mermaid(network, live)).toContain('s0 -.-|"10.100.0.2/24<br>not as declared"| n0');
  expect(dot(network, live)).toContain('[label="10.100.0.2/24\\nnot as declared", style=dashed, color="#dc2626"]');
});
