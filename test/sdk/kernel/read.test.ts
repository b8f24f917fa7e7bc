/** Every kind's reader, on what real tools printed. */
import { bootText, changes, type Fact, live, type Snapshot, text } from "../../../sdk/kernel";
import { ANYWHERE } from "../../../sdk/kernel/wg";
import { expectGolden } from "../golden";
import { captured, capturedFile, wanted } from "./captured";

const userspace = { wireguard: "userspace" } as const;
const commands = (snapshot: Snapshot, facts = wanted) => changes(live(snapshot, facts), facts, userspace).commands;

test("what was just applied is read back as what was wanted, and nothing is to be done", () => {
  const fresh = captured("fresh");
  expect(text(live(fresh, wanted))).toBe(text(wanted));
  expect(commands(fresh)).toEqual([]);
});

test("on a host that has nothing, nothing of ours is found", () => {
  const empty = captured("empty");
  // Settings have a value before we come.
  expect(live(empty, wanted).map(({ kind }) => kind)).toEqual(["sysctl", "sysctl"]);
  expectGolden(capturedFile("empty.commands.txt"), `${commands(empty).join("\n")}\n`);
});

test("drift by hand: every line that differs, and the commands that mend it", () => {
  const drifted = captured("drifted");
  const [is, should] = [text(live(drifted, wanted)).split("\n"), text(wanted).split("\n")];
  const diff = [
    ...should.filter((line) => !is.includes(line)).map((line) => `- ${line}`),
    ...is.filter((line) => !should.includes(line)).map((line) => `+ ${line}`),
  ];
  expectGolden(capturedFile("drifted.diff.txt"), `${diff.join("\n")}\n`);
  expectGolden(capturedFile("drifted.commands.txt"), `${commands(drifted).join("\n")}\n`);
});

test("a count of the guard and a lost rule: the rule is drift, the count is not", () => {
  expect(commands(captured("looped"))).toEqual(["ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111"]);
});

test("a key file that holds no key is none: one is to be made", () => {
  const fresh = captured("fresh");
  const keys = { "/etc/overlay/keys/wireguard.key": "" };
  expect(commands({ ...fresh, keys })).toContain("genkey /etc/overlay/keys/wireguard.key");
});

describe("a peer that moved", () => {
  const roamed = captured("roamed");
  const peer = roamed.wg.flatMap(({ peers }) => peers).find(({ presharedKey }) => presharedKey);
  const later = { ...roamed, now: (peer?.latestHandshake ?? 0) + 180 };
  const withoutEndpoint = wanted.map((fact): Fact => {
    if (fact.kind !== "wgPeer") return fact;
    const { endpoint: _, ...value } = fact.value as { endpoint?: string };
    return { ...fact, value };
  });

  test("has another endpoint and a preshared key", () => {
    expect(peer?.endpoint).toBe("203.0.113.9:40927");
  });
  test("is no drift while its session lives", () => {
    expect(text(live(roamed, wanted))).toBe(text(wanted));
    expect(commands(roamed)).toEqual([]);
  });
  test("is drift 180 seconds after its last handshake", () => {
    expect(commands(later)).toEqual([
      "wg set inter-lux peer Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM= endpoint 203.0.113.9:11002",
    ]);
  });
  test.each([
    ["before", 180],
    ["after", 179],
  ])("a clock that was set back to %s it died tells no less", (_, seconds) => {
    const back = { ...roamed, now: (peer?.latestHandshake ?? 0) - seconds };
    expect(commands(back)).toEqual(seconds < 180 ? [] : commands(later));
  });
  test("in 1970 a peer that never called has not called a moment ago", () => {
    const never = roamed.wg.map((device) => ({
      ...device,
      peers: device.peers.map((it) => ({ ...it, latestHandshake: 0 })),
    }));
    expect(commands({ ...roamed, now: 100, wg: never })).toEqual(commands(later));
  });
  test("may be anywhere, for good, when no endpoint is wanted", () => {
    const lux = (command: string) => command.includes("inter-lux");
    expect(commands(roamed, withoutEndpoint).filter(lux)).toEqual([]);
    expect(commands(later, withoutEndpoint).filter(lux)).toEqual([]);
  });
  test("is no drift, however long it was silent, where the host may choose that endpoint, or the other end chooses", () => {
    const chosen = (...endpoints: string[]) => ({
      ...later,
      wg: later.wg.map((device) => ({ ...device, peers: device.peers.map((it) => ({ ...it, chosen: endpoints })) })),
    });
    expect(commands(chosen("198.51.100.7:443", "203.0.113.9:40927"))).toEqual([]);
    expect(commands(chosen(ANYWHERE))).toEqual([]);
    expect(commands(chosen("198.51.100.7:443"))).toEqual(commands(later));
  });
  test("and one that never called and has an endpoint all the same is made again without", () => {
    const hkg = (command: string) => command.includes("inter-hkg");
    expect(commands(roamed, withoutEndpoint).filter(hkg)).toEqual([
      "wg set inter-hkg peer uHmhAC1YycGGHZM+2jay84Rf+cUcB78Rulu/uUTpeFk= remove",
      "wg set inter-hkg peer uHmhAC1YycGGHZM+2jay84Rf+cUcB78Rulu/uUTpeFk= allowed-ips 0.0.0.0/0,::/0",
    ]);
  });
});

describe("a route by way of a relay that nobody declared", () => {
  const fresh = captured("fresh");
  const route = { dst: "10.255.0.77", dev: "inter-lux", protocol: "111", scope: "link", prefsrc: "10.255.0.2" };
  const live = { ...route, metric: 8194, metrics: [{ mtu: 1380 }] };
  const CHOSEN = "10.255.0.77/32 dev inter-lux proto 111 metric 8194 src 10.255.0.2 mtu 1380";
  const wg = fresh.wg.map((it) => (it.device === "inter-lux" ? { ...it, relayed: [CHOSEN] } : it));
  const withRoutes = (...routes: object[]) => ({ ...fresh, routes4: [...fresh.routes4, ...routes] }) as Snapshot;
  const gone = (metric: number) => [`ip route del 10.255.0.77/32 dev inter-lux proto 111 metric ${metric}`];

  test("is drift, unless the host has chosen it, as it is", () => {
    expect(commands(withRoutes(live))).toEqual(gone(8194));
    expect(commands({ ...withRoutes(live), wg })).toEqual([]);
    expect(commands({ ...withRoutes({ ...live, metrics: [] }), wg })).toEqual(gone(8194));
    expect(commands({ ...withRoutes({ ...live, dev: "inter-hkg" }), wg })).toEqual(
      gone(8194).map((line) => line.replace("lux", "hkg")),
    );
    expect(commands({ ...withRoutes(live, { ...live, metric: 9000 }), wg })).toEqual(gone(9000));
  });
  test("is read as declared where it is declared as well", () => {
    const value = { dst: "10.255.0.77/32", device: "inter-lux", metric: 8194, src: "10.255.0.2", mtu: 1380 };
    const facts = [...wanted, { kind: "route", key: "main 10.255.0.77/32 inter-lux", value, after: "link inter-lux" }];
    expect(commands({ ...withRoutes(live), wg }, facts)).toEqual([]);
  });
});

describe("WireGuard in the kernel", () => {
  const kernel = { wireguard: "kernel" } as const;
  const told = (snapshot: Snapshot) => changes(live(snapshot, wanted), wanted, kernel).commands;

  test("reads as the same text as in user space, and nothing is to be done", () => {
    const fresh = captured("kernel");
    expect(fresh.host.wireguard).toBe("kernel");
    expect(text(live(fresh, wanted))).toBe(text(wanted));
    expect(told(fresh)).toEqual([]);
  });
  test("drift by hand is the same lines", () => {
    expectGolden(capturedFile("kernel-drifted.commands.txt"), `${told(captured("kernel-drifted")).join("\n")}\n`);
  });
});

describe("a device that WireGuard does not answer for, because wg is missing or hangs", () => {
  const mute = { ...captured("fresh"), wg: [] };
  const links = mute.links.map(({ ifalias: _, ...link }) => ({ ...link, group: "0" }));

  test("is still there when it is ours: it is told all of WireGuard again, and not made again", () => {
    const told = commands(mute);
    expect(told).not.toEqual([]);
    expect(told.filter((command) => !command.startsWith("wg set "))).toEqual([]);
  });
  test("is a tun device when it is somebody else's", () => {
    expect(text(live({ ...mute, links }, wanted))).toContain("ip link add dev inter-lux type tun\n");
  });
});

describe("a rule of somebody else's at our preference", () => {
  const fresh = captured("fresh");
  const foreign = { priority: 5111, src: "all", fwmark: "0x6f", fwmask: "0xff", table: "5" };
  const others = { ...fresh, rules4: [foreign, ...fresh.rules4] };

  test("is not looked at, and stays when ours goes", () => {
    expect(text(live(others, wanted))).toBe(text(wanted));
    expect(commands(others)).toEqual([]);
    const { commands: gone } = changes(live(others, wanted), [], { wireguard: "userspace" });
    expect(gone.filter((command) => command.startsWith("ip rule"))).toEqual([
      "ip rule del pref 5111 not fwmark 0x6f/0xff lookup 111",
    ]);
  });
  test("is not taken for ours where ours is missing", () => {
    const alone = { ...fresh, rules4: [foreign] };
    expect(commands(alone)).toEqual(["ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111"]);
  });
});

test("what no reboot loses stays out of the boot file", () => {
  const boot = bootText("overlay:node:Host::fra", wanted);
  expect(boot.split("\n")[0]).toBe("# overlay:node:Host::fra");
  expect(boot).not.toMatch(/genkey|install|systemctl|command -v/);
  const volatile = text(wanted)
    .split("\n")
    .filter((line) => !/^(install|wg genkey) /.test(line));
  expect(boot.split("\n").slice(1)).toEqual([...volatile, ""]);
});
