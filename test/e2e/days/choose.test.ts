/**
 * Hosts that choose where they call each other: what fails on a path, in a document or in a store. lux calls fra, with a
 * probe each 2 s; fra calls hkg, with one each half second. Both go on beside each other, because most of it is waiting.
 */
import { type Hosts, snapshot } from "../../../sdk/host";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { pause } from "../../lab/run";
import { connectionTo, differences, hostsOf } from "../hosts";
import { Choosing, Signer, within } from "./choose";
import { asking, on } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "hosts that choose their endpoints", () => {
  let lab: Lab;
  let hosts: Hosts;
  let net: Choosing;
  let luxToFra: [string, string];
  let fraToHkg: [string, string];

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "choose", fresh: true });
    hosts = hostsOf(lab);
    net = await Choosing.make(lab, hosts, [
      ["lux", "fra"],
      ["fra", "hkg"],
    ]);
    luxToFra = net.endpoints("lux", "fra");
    fraToHkg = net.endpoints("fra", "hkg");
    await Promise.all([
      net.start("lux", net.lines("fra", luxToFra)),
      net.start("fra", [...net.lines("hkg", fraToHkg), ...net.lines("lux", net.endpoints("fra", "lux"), "follower")], {
        probe: 0.5,
        hold: 10,
      }),
    ]);
    await within(10, "both agents know their peers", async () => (await chosen("lux")) + (await chosen("fra")) === 2);
    await Promise.all([net.said("lux"), net.said("fra")]);
  });
  afterAll(async () => {
    await hosts?.close();
    net?.signer.remove();
    await Lab.down("choose");
  });

  const chosen = async (host: string): Promise<number> =>
    Number(await on(lab, host, "grep -s -c ^chosen /run/overlay/choice || :"));
  const settled = (host: string, peer: string) =>
    within(12, `${host} has settled with ${peer}`, async () => (await status(host)).includes(` ${peer} good\n`));
  const status = (host: string): Promise<string> => on(lab, host, "cat /run/overlay/choice 2>/dev/null || :");
  /** Packets of the host that calls, by IPv4 (0) or IPv6 (1), are lost at the one that is called, or its answers are. */
  const path = (host: string, path: 0 | 1): { input: string[]; output: string[] } => {
    const address = lab.json.hosts[host]?.addresses[path] ?? "";
    const ip = path === 0 ? "ip" : "ip6";
    return { input: [`meta l4proto udp ${ip} saddr ${address}`], output: [`meta l4proto udp ${ip} daddr ${address}`] };
  };
  const both = (...all: ReturnType<typeof path>[]) => ({
    input: all.flatMap(({ input }) => input),
    output: all.flatMap(({ output }) => output),
  });
  /** Seconds without an answer, the most at once, of ten packets a second. */
  const gap = async (host: string, address: string, work: () => Promise<unknown>): Promise<number> => {
    const traffic = await asking(lab, host, address, 10);
    await work();
    return (await traffic.end()).lost / 10;
  };

  test("the peer's device, keys and allowed IPs are as they were, and where it is called is no drift", async () => {
    const facts = net.link("lux", "fra", luxToFra[0]);
    expect(await differences(hosts.session(connectionTo(lab, "lux")), facts)).toEqual([]);
    expect(await differences(hosts.session(connectionTo(lab, "lux")), net.chooserFacts("lux"))).toEqual([]);
  });

  test("from a cut endpoint to traffic on the next: within 8 s, and 3 s with a probe each half second", async () => {
    const [slow, quick] = await Promise.all([
      gap("lux", "10.255.0.2", async () => {
        await pause(1500);
        await net.cut("fra", path("lux", 0));
        await within(15, "lux calls fra by IPv6", async () => (await net.endpoint("lux", "fra")) === luxToFra[1]);
        await pause(500);
      }),
      gap("fra", "10.255.0.3", async () => {
        await pause(1500);
        await net.cut("hkg", path("fra", 0));
        await within(15, "fra calls hkg by IPv6", async () => (await net.endpoint("fra", "hkg")) === fraToHkg[1]);
        await pause(500);
      }),
    ]);
    expect(slow).toBeGreaterThan(3);
    expect(slow).toBeLessThan(8);
    expect(quick).toBeGreaterThan(0.8);
    expect(quick).toBeLessThan(3);
    expect(await net.said("lux")).toEqual([`fra (inter-fra): ${luxToFra[0]} -> ${luxToFra[1]}: 3 probes failed`]);
    const { decisions, now } = await snapshot(hosts.session(connectionTo(lab, "lux")), ["decisions"]);
    const text = `${luxToFra[0]} -> ${luxToFra[1]}: 3 probes failed`;
    expect(decisions).toEqual([{ peer: "fra", device: "inter-fra", at: expect.any(Number), text }]);
    expect(now - (decisions?.[0]?.at ?? 0)).toBeLessThan(60);
    // What the other end sees is where it now comes from; it wrote nothing itself.
    expect(await net.endpoint("fra", "lux")).toBe(`[${lab.json.hosts.lux?.addresses[1]}]:11002`);
    expect(await differences(hosts.session(connectionTo(lab, "lux")), net.link("lux", "fra", luxToFra[0]))).toEqual([]);
  });

  test("an outage shorter than three probes switches nothing; a return to what is preferred costs nothing", async () => {
    await Promise.all([
      (async () => {
        await net.cut("fra", both(path("lux", 0), path("lux", 1)));
        await pause(2500);
        await net.heal("fra");
      })(),
      (async () => {
        await net.heal("hkg");
        const lost = await gap("fra", "10.255.0.3", () =>
          within(25, "fra calls hkg by IPv4 again", async () => (await net.endpoint("fra", "hkg")) === fraToHkg[0]),
        );
        expect(lost).toBeLessThan(1);
      })(),
    ]);
    const told = (await net.said("fra")).filter((line) => !line.includes(" a trial of "));
    expect(told).toEqual([
      `hkg (inter-hkg): ${fraToHkg[0]} -> ${fraToHkg[1]}: 3 probes failed`,
      `hkg (inter-hkg): ${fraToHkg[1]} -> ${fraToHkg[0]}: it is preferred, and answers`,
    ]);
    expect(await net.said("lux")).toEqual([]);
    expect(await net.endpoint("lux", "fra")).toBe(luxToFra[1]);
  });

  /** What is lost in one direction alone: to the peer, and from it. */
  const oneDirection = async () => {
    await net.cut("hkg", { input: path("fra", 0).input });
    await within(8, "fra calls hkg by IPv6", async () => (await net.endpoint("fra", "hkg")) === fraToHkg[1]);
    await settled("fra", "hkg");
    await net.cut("hkg", { output: path("fra", 1).output });
    await within(8, "fra calls hkg by IPv4", async () => (await net.endpoint("fra", "hkg")) === fraToHkg[0]);
    await settled("fra", "hkg");
    await net.heal("hkg");
    expect((await net.said("fra")).map((line) => line.replace(/.*: /, ""))).toEqual([
      "3 probes failed",
      "3 probes failed",
    ]);
  };

  /** All endpoints dead: they are tried in turn, in three lines, until one answers. */
  const allDead = async () => {
    await net.cut("hkg", both(path("fra", 0), path("fra", 1)));
    await within(12, "all were tried", async () => (await status("fra")).includes("hkg lost"));
    await pause(2000);
    await net.heal("hkg");
    await settled("fra", "hkg");
    expect(await net.said("fra")).toEqual([
      `hkg (inter-hkg): ${fraToHkg[0]} -> ${fraToHkg[1]}: 3 probes failed`,
      "hkg (inter-hkg): none of its endpoints answers; they are tried in turn",
      expect.stringMatching(/^hkg \(inter-hkg\): answers again at /),
    ]);
  };

  /** A document that names addresses of the overlay, of nobody and of other peers: none is ever called, and nothing else changes. */
  const wrongDocument = async () => {
    const kernel = () =>
      on(lab, "lux", "wg show inter-fra allowed-ips; wg show inter-fra preshared-keys; wg show interfaces");
    const before = await kernel();
    const stranger = `${"S".repeat(42)}E=`;
    const wrong = ["10.255.0.2:11001", "[fd00:6f::2]:11001", "100.64.3.4:11001"];
    await net.publish("lux", [
      ...net.lines("fra", [...wrong, ...luxToFra]),
      `peer ${stranger} inter-fra stranger chooser`,
      `endpoint ${stranger} 198.51.100.9 11001 10`,
      net.peerLine("hkg").replace("inter-hkg", "inter-fra"),
      net.endpointLine("hkg", luxToFra[0]),
    ]);
    await within(8, "the document counts", async () => (await status("lux")).includes("100.64.3.4"));
    const was = await net.endpoint("lux", "fra");
    const next = luxToFra.find((it) => it !== was) ?? "";
    await net.cut("fra", path("lux", was === luxToFra[0] ? 0 : 1));
    await within(12, "lux calls fra by the other", async () => (await net.endpoint("lux", "fra")) === next);
    await settled("lux", "fra");
    await net.heal("fra");
    expect((await status("lux")).replaceAll(net.keys.fra ?? "", "FRA")).toBe(`chosen inter-fra FRA ${next} fra good
candidate inter-fra FRA 10.255.0.2:11001 lies in 10.255.0.0/24
candidate inter-fra FRA [fd00:6f::2]:11001 lies in fd00:6f::/48
candidate inter-fra FRA 100.64.3.4:11001 lies in 100.64.0.0/10
candidate inter-fra FRA ${luxToFra[0]} fit
candidate inter-fra FRA ${luxToFra[1]} fit
`);
    expect(await kernel()).toBe(before);
    expect(await net.said("lux")).toEqual([
      expect.stringMatching(/refused what it says of SSSS.* of which it may not speak$/),
      expect.stringMatching(/^of net\/test: serial \d+$/),
      `fra (inter-fra): ${was} -> ${next}: 3 probes failed`,
    ]);
  };

  /** A wireguard-go that answers nothing any more, whosever it is, hides no other device. */
  const oneHangs = async () => {
    const was = await net.endpoint("lux", "fra");
    const hang = "wireguard-go -f hangs >/dev/null 2>&1 & sleep 0.5; kill -STOP $! && echo $!";
    const process = (await on(lab, "lux", hang)).trim();
    await net.cut("fra", path("lux", was === luxToFra[0] ? 0 : 1));
    await within(25, "lux calls fra by another", async () => (await net.endpoint("lux", "fra")) !== was);
    await settled("lux", "fra");
    await on(lab, "lux", `kill -KILL ${process}`);
    await net.heal("fra");
  };

  /** A tunnel that is called inside of itself multiplies its packets; with the guard it does not, and the agent ends it. */
  const nested = async () => {
    const peer = net.keys.fra;
    const packets = async () => Number(await on(lab, "lux", "cat /sys/class/net/inter-fra/statistics/tx_packets"));
    const nested = `wg set inter-fra peer ${peer} endpoint 10.255.0.2:11001; ping -q -c 5 -i 0.05 -W 1 10.255.0.2 || :`;
    // Without guard and agent, for a moment.
    const was = await net.endpoint("lux", "fra");
    await on(lab, "lux", "systemctl stop overlay-choose; nft delete table inet overlay");
    const unguarded = -(await packets());
    await on(lab, "lux", `${nested}; wg set inter-fra peer ${peer} endpoint ${was}`);
    expect(unguarded + (await packets())).toBeGreaterThan(500);
    await on(lab, "lux", "/usr/local/lib/overlay/boot.sh again nft && nft list table inet overlay >/dev/null");
    await on(lab, "lux", "systemctl start overlay-choose");
    await settled("lux", "fra");
    await net.said("lux");
    const guarded = -(await packets());
    await on(lab, "lux", nested);
    await within(12, "lux calls fra where it can", async () => luxToFra.includes(await net.endpoint("lux", "fra")));
    expect(guarded + (await packets())).toBeLessThan(100);
    await settled("lux", "fra");
    const told = await net.said("lux");
    expect(told).toContainEqual(
      "ALARM: encrypted packets of inter-fra were about to be sent into a tunnel, and were dropped",
    );
    expect(told).toContainEqual(expect.stringMatching(/^fra \(inter-fra\): 10\.255\.0\.2:11001 -> /));
  };

  /** A way that leads into a tunnel all at once: another endpoint is called. */
  const intoTunnel = async () => {
    const was = await net.endpoint("lux", "fra");
    const address = lab.json.hosts.fra?.addresses[was === luxToFra[0] ? 0 : 1];
    await on(
      lab,
      "lux",
      `ip tuntap add dev foreign mode tun && ip link set foreign up && ip route add ${address} dev foreign`,
    );
    await within(12, "lux calls fra by another", async () => (await net.endpoint("lux", "fra")) !== was);
    await settled("lux", "fra");
    await on(lab, "lux", "ip link delete foreign");
    const told = await net.said("lux");
    // The alarm is one an hour for each link.
    expect(told).toEqual([
      expect.stringMatching(/^fra \(inter-fra\): .* -> .*: packets to it were about to leave by a tunnel$/),
    ]);
  };

  /** The store is away, the agent is killed, a document is forged: nothing changes, and a line says it. */
  const storeAway = async () => {
    const endpoints = () => on(lab, "lux", "wg show all endpoints");
    const before = await endpoints();
    const told: string[] = [];
    const says = async (words: string): Promise<boolean> => {
      told.push(...(await net.said("lux")));
      return told.some((line) => line.includes(words));
    };
    await on(lab, "lux", "mv /srv/truth /srv/away");
    await within(8, "the store is missed", () => says("cannot be had from the store"));
    await pause(2000);
    await on(lab, "lux", "mv /srv/away /srv/truth; systemctl kill -s KILL overlay-choose");
    const other = await Signer.make();
    await net.publish("lux", net.lines("fra", ["192.0.2.66:11001"]), { signer: other });
    other.remove();
    await within(12, "the forged one is refused", () => says("refused: its signature is none of net/test"));
    expect(await endpoints()).toBe(before);
    expect(await status("lux")).not.toContain("192.0.2.66");
    expect(told.filter((line) => line.startsWith("of net/test: it cannot be had"))).toHaveLength(1);
    expect(told.filter((line) => line.startsWith("of net/test: refused"))).toHaveLength(1);
  };

  /** Both ends choose by mistake, and differ: neither moves the other again and again. */
  const bothChoose = async () => {
    await net.start("hkg", net.lines("fra", net.endpoints("hkg", "fra").reverse()), { probe: 0.5, hold: 10 });
    const seen: string[] = [];
    for (let left = 75; left > 0; left--) {
      const now = await net.endpoint("fra", "hkg");
      if (now !== seen.at(-1)) seen.push(now);
      await pause(200);
    }
    expect(seen.length).toBeLessThanOrEqual(3);
    await on(lab, "fra", "ping -q -c 1 -W 1 10.255.0.3");
  };

  /** One after the other; what is done on lux's link goes on beside what is done on fra's. */
  const inTurn = async (...works: (() => Promise<void>)[]): Promise<void> => {
    for (const work of works) await work();
  };

  test("lost in one direction, then all endpoints dead; and a document with addresses of the overlay, which are never called, and a wireguard-go that hangs", async () => {
    await Promise.all([inTurn(oneDirection, allDead), inTurn(wrongDocument, oneHangs)]);
  });

  test("a tunnel inside of itself, a way into a tunnel, a store that is away and forged documents; and both ends that choose", async () => {
    await Promise.all([inTurn(nested, intoTunnel, storeAway), bothChoose()]);
  });

  test("without a chooser nothing of it stays on the host", async () => {
    const traces =
      "ls -d /etc/overlay/truth /var/lib/overlay/truth /run/overlay/choice /run/overlay/choose* /usr/local/lib/overlay/choose* /etc/systemd/system/overlay-choose.service 2>/dev/null || :";
    expect((await on(lab, "hkg", traces)).split("\n")).toHaveLength(8);
    await net.stop("hkg");
    expect(await on(lab, "hkg", traces)).toBe("");
  });
});
