/**
 * Relays that documents name: lux and hkg have no link, fra has one with each and forwards between the two. Of hkg another
 * stack speaks than of lux and fra. The hosts of the pair make the routes themselves.
 */
import { agentFiles, type Hosts, snapshot } from "../../../sdk/host";
import { node } from "../../../sdk/node";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { pause } from "../../lab/run";
import { bring, connectionTo, differences, hostsOf, OWNER } from "../hosts";
import { Choosing, overlay, Signer, within } from "./choose";
import { asking, on, PREFIXES } from "./network";

jest.setTimeout(120_000);

const EDGE = "edge/test";
const STRANGER = `${"S".repeat(42)}E=`;
const MTU = 1380;

describeWhere("lab", "a relay that documents name", () => {
  let lab: Lab;
  let hosts: Hosts;
  let net: Choosing;
  let edge: Signer;

  const session = (host: string) => hosts.session(connectionTo(lab, host));
  /** Facts of lux's and hkg's link with fra. */
  const own = (host: string) =>
    net.link(host, "fra", net.endpoints(host, "fra")[0], host === "hkg" ? { mtu: MTU } : {});
  const chooser = (host: string) => {
    const far = host === "lux" ? "hkg" : "lux";
    const of = (...names: string[]) => names.map((name) => ({ publicKey: net.keys[name] ?? "" }));
    return {
      stacks: [
        { stack: OWNER, signers: [net.signer.publicKey], of: of("lux", "fra") },
        { stack: EDGE, signers: [edge.publicKey], of: [...of("hkg"), { publicKey: STRANGER }] },
      ],
      addresses: overlay(host),
      relayed: [{ publicKey: net.keys[far] ?? "", addresses: overlay(far) }],
    };
  };
  /** By the half from fra on. */
  const relayLine = (far: string, mtu: number) => `relay ${net.keys[far]} ${net.keys.fra} ${far} fra 2 ${mtu}`;
  const fraLines = (host: string) => net.lines("fra", net.endpoints(host, "fra"));
  const edgeSays = (lines: string[]) => net.publish("lux", lines, { signer: edge, stack: EDGE });
  const bothSay = () =>
    Promise.all([edgeSays([relayLine("hkg", MTU)]), net.publish("hkg", [...fraLines("hkg"), relayLine("lux", 1420)])]);

  const routes = async (host: string) =>
    (await on(lab, host, "ip -o route show proto 111; ip -6 -o route show proto 111"))
      .split("\n")
      .filter((line) => line.includes(" metric 8194"))
      .map((line) => line.replace(/ (scope link|pref medium)/, "").trim());
  const both = async (count: number) =>
    (await routes("lux")).length === count && (await routes("hkg")).length === count;
  const status = async (host: string) => (await on(lab, host, "grep ^relayed /run/overlay/choice || :")).split("\n");
  const ping = async (from: string, address: string, options = "") =>
    (await lab.exec(from, `ping -q -n -c 2 -i 0.2 -w 3 ${options} ${address}`)).code === 0;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "relayed", fresh: true });
    hosts = hostsOf(lab);
    net = await Choosing.make(lab, hosts, [
      ["lux", "fra"],
      ["hkg", "fra"],
    ]);
    edge = await Signer.make();
    const side = (name: string) => ({ name, addresses: overlay(name) });
    const { spec, plan } = node(agentFiles());
    const relay = [{ a: side("lux"), b: side("hkg") }];
    const fra = { node: "fra", owner: OWNER, id: 2, addresses: overlay("fra"), prefixes: PREFIXES, relay };
    await bring(session("fra"), plan(spec.parse(fra)), "10-node");
    await bring(session("fra"), net.link("fra", "lux", undefined, { forwards: true }), "50-inter-lux");
    await bring(session("fra"), net.link("fra", "hkg", undefined, { forwards: true, mtu: MTU }), "50-inter-hkg");
    await bring(session("hkg"), own("hkg"), "50-inter-fra");
    await Promise.all([
      net.start("lux", [...fraLines("lux"), relayLine("hkg", MTU)], chooser("lux")),
      net.start("hkg", fraLines("hkg"), chooser("hkg")),
    ]);
  });
  afterAll(async () => {
    await hosts?.close();
    net?.signer.remove();
    edge?.remove();
    await Lab.down("relayed");
  });

  test("a stack that may not speak of the peer names a relay in vain", async () => {
    const told: string[] = [];
    await within(10, "it is refused", async () => {
      told.push(...(await net.said("lux")));
      return told.some((line) => line.startsWith(`of ${OWNER}: refused what it says of ${net.keys.hkg} `));
    });
    await pause(2000);
    expect([await routes("lux"), await routes("hkg")]).toEqual([[], []]);
    expect(await ping("lux", "10.255.0.3")).toBe(false);
  });

  test("both stacks name it: a route on both ends, of the smaller MTU of both halves, and none beyond what the program allows", async () => {
    await Promise.all([
      edgeSays([relayLine("hkg", MTU), `relay ${STRANGER} ${net.keys.fra} stranger fra 2`]),
      net.publish("hkg", [...fraLines("hkg"), relayLine("lux", 1420)]),
    ]);
    await within(8, "both have their routes", () => both(2));
    expect(await routes("lux")).toEqual([
      "10.255.0.3 dev inter-fra src 10.255.0.1 metric 8194 mtu 1380",
      "fd00:6f::3 dev inter-fra src fd00:6f::1 metric 8194 mtu 1380",
    ]);
    expect(await routes("hkg")).toEqual([
      "10.255.0.1 dev inter-fra src 10.255.0.3 metric 8194",
      "fd00:6f::1 dev inter-fra src fd00:6f::3 metric 8194",
    ]);
    expect((await status("lux")).filter(Boolean)).toEqual([
      "relayed inter-fra 10.255.0.3/32 fra hkg metric 8194 src 10.255.0.1 mtu 1380",
      "relayed inter-fra fd00:6f::3/128 fra hkg metric 8194 src fd00:6f::1 mtu 1380",
    ]);
    const told = await net.said("lux");
    expect(told.filter((line) => line.startsWith("hkg"))).toEqual([
      "hkg (inter-fra): 10.255.0.3/32 by way of fra, as edge/test says: metric 8194 src 10.255.0.1 mtu 1380",
      "hkg (inter-fra): fd00:6f::3/128 by way of fra, as edge/test says: metric 8194 src fd00:6f::1 mtu 1380",
    ]);
    const { decisions = [], wg } = await snapshot(session("lux"), ["decisions"]);
    expect(decisions.map(({ peer, device, relay }) => [peer, device, relay?.to, relay?.by].join(" ")).sort()).toEqual([
      "hkg inter-fra 10.255.0.3/32 fra",
      "hkg inter-fra fd00:6f::3/128 fra",
    ]);
    expect(wg.flatMap(({ relayed = [] }) => relayed)).toHaveLength(2);
    expect(told).toContain(
      "stranger by way of fra, as edge/test says: refused, because this host's own program does not say that it may be reached so",
    );
  });

  test("packets go by the relay, whole up to the MTU; and none of it is drift, but what somebody adds by hand", async () => {
    const forwarded = async () => Number(await on(lab, "fra", "cat /sys/class/net/inter-hkg/statistics/tx_packets"));
    const before = await forwarded();
    expect(await ping("lux", "10.255.0.3", `-M do -s ${MTU - 28}`)).toBe(true);
    expect(await ping("hkg", "fd00:6f::1", `-M do -s ${MTU - 48}`)).toBe(true);
    expect((await forwarded()) - before).toBeGreaterThanOrEqual(4);
    expect(await ping("lux", "10.255.0.3", `-M do -s ${MTU - 27}`)).toBe(false);
    expect(await differences(session("lux"), own("lux"))).toEqual([]);
    expect(await differences(session("hkg"), own("hkg"))).toEqual([]);
    expect(await bring(session("lux"), own("lux"), "50-inter-fra")).toEqual([]);
    expect(await routes("lux")).toHaveLength(2);
    await on(lab, "lux", "ip route add 10.255.0.77 dev inter-fra proto 111 metric 8194");
    expect(await differences(session("lux"), own("lux"))).toEqual([
      "ip route del 10.255.0.77/32 dev inter-fra proto 111 metric 8194",
    ]);
    await on(lab, "lux", "ip route del 10.255.0.77 dev inter-fra proto 111");
  });

  test("a device that is made again, an agent that is killed, a store that is away: the routes are there", async () => {
    await net.said("lux");
    await on(lab, "lux", "ip link delete inter-fra");
    await bring(session("lux"), own("lux"), "50-inter-fra");
    const took = await within(12, "the routes are back", () => both(2));
    expect(took).toBeLessThan(6);
    await within(12, "packets go by the relay", () => ping("lux", "10.255.0.3"));
    const traffic = await asking(lab, "lux", "10.255.0.3", 20);
    await on(lab, "lux", "mv /srv/truth /srv/away; systemctl kill -s KILL overlay-choose");
    await within(15, "it runs again", async () => (await net.said("lux")).some((it) => it.includes("cannot be had")));
    await on(lab, "lux", "systemctl restart overlay-choose");
    expect(await status("lux")).toHaveLength(3);
    expect(await differences(session("lux"), own("lux"))).toEqual([]);
    await pause(3000);
    expect((await traffic.end()).lost).toBe(0);
    await on(lab, "lux", "mv /srv/away /srv/truth");
  });

  test("withdrawn and named again under load: pings by it stop and come back, and nothing else loses a packet", async () => {
    const others = await Promise.all([asking(lab, "lux", "10.255.0.2", 50), asking(lab, "hkg", "10.255.0.2", 50)]);
    await Promise.all([edgeSays([]), net.publish("hkg", fraLines("hkg"))]);
    await within(8, "the routes are gone", () => both(0));
    expect(await ping("lux", "10.255.0.3")).toBe(false);
    await bothSay();
    await within(8, "the routes are back", () => both(2));
    await pause(2000);
    for (const traffic of others) {
      const { sent, lost } = await traffic.end();
      expect(sent).toBeGreaterThan(100);
      expect(lost).toBe(0);
    }
    expect(await ping("hkg", "10.255.0.1")).toBe(true);
    expect(await net.said("lux")).toContain(
      "hkg (inter-fra): 10.255.0.3/32 no longer by way of fra: edge/test does not name it any more",
    );
  });

  test("without a chooser no route of it stays", async () => {
    await Promise.all([net.stop("lux"), net.stop("hkg")]);
    expect(await both(0)).toBe(true);
    expect(await status("lux").catch(() => [])).toEqual([""]);
    expect(await ping("lux", "10.255.0.3")).toBe(false);
  });
});
