/**
 * The life of links in the kernel's own WireGuard: between two hosts with a kernel of their own, and with one without.
 * Each command costs an emulated host a tenth of a second, so there are no more links and runs than these.
 */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { byHand, eventually, kernel, leaks, network, on, pings, rememberKeys, traces, traffic } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

/** Packets a second: an emulated processor has other things to do, too. */
const RATE = 25;
const LINKS = ["lux-fra", "lux-hkg"];
/** A link that somebody made with wg-quick, under the names and ports that ours would have. */
const BY_HAND = [
  { host: "lux", device: "inter-fra", port: 11002 },
  { host: "fra", device: "inter-lux", port: 11001 },
];
/** Keeps a kernel's module from being loaded, modprobe.d(5). */
const HIDDEN = "/etc/modprobe.d/hidden.conf";

const sum = (numbers: number[]): number => numbers.reduce((all, one) => all + one, 0);

describeWhere(["lab", "vm", "engine"], "links in the kernel", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};

  beforeAll(async () => {
    lab = await Lab.up("vm", { name: "dayskernel", fresh: true });
    await Promise.all(lab.hosts.map(async (host) => Object.assign(found, { [host]: await traces(lab, host) })));
    const { nodes, links } = network(lab);
    const { "fra-hkg": _, ...ofLux } = links;
    await byHand(lab, BY_HAND);
    Object.assign(ofLux["lux-fra"] ?? {}, { adopt: { a: true, b: true } });
    work = await Workspace.make(lab, { nodes, links: ofLux });
    await pings(lab, ["lux-fra"]);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("dayskernel");
  });

  /** Where each link of a host runs: `wireguard` in its kernel, `tun` in user space. */
  const flavours = async (host: string): Promise<Record<string, string>> => {
    type Shown = { ifname: string; group: string; linkinfo?: { info_kind: string } };
    const links = JSON.parse(await on(lab, host, "ip -d -j link show")) as Shown[];
    const ours = links.filter(({ group }) => group === "28417");
    return Object.fromEntries(ours.map(({ ifname, linkinfo }) => [ifname, linkinfo?.info_kind ?? ""]));
  };
  /** Packets that the devices made by hand had no peer for, on their way out or in. */
  const peerless = async (): Promise<number> => {
    const counted = BY_HAND.map(({ host, device }) =>
      on(lab, host, `cat /sys/class/net/${device}/statistics/?x_errors`),
    );
    return sum((await Promise.all(counted)).flatMap((text) => text.trim().split("\n").map(Number)));
  };
  /** What a host's kernel has, and what it would have after a boot. */
  const whole = async (host: string): Promise<string> =>
    (await kernel(lab, host)) + (await on(lab, host, "cat /etc/overlay/boot.d/*"));
  const booted = (host: string) =>
    eventually(
      `the boot units of ${host} have not ended`,
      async () => (await lab.exec(host, "systemctl is-active overlay-late.service")).stdout === "active\n",
    );

  test("up: the kernel's own WireGuard where there is one; one of wg-quick's is taken over, and nothing of ours loses a packet", async () => {
    const keys = () => Promise.all(BY_HAND.map(({ host, device }) => on(lab, host, `wg show ${device} public-key`)));
    const [theirs, before] = [await keys(), await peerless()];
    const packets = await Promise.all(["lux-fra", "fra-lux"].map((link) => traffic(lab, link, RATE)));
    const { resources, logins } = await work.up();
    // The kernel takes a peer's allowed IPs away before it gives it others (drivers/net/wireguard/netlink.c, set_peer), and
    // wg(8) has no other way: what passes in these microseconds, 60 on an emulated processor, is lost and counted.
    const lost = sum((await Promise.all(packets.map((one) => one.end()))).map((one) => one.lost));
    expect(lost).toBe((await peerless()) - before);
    expect(lost).toBeLessThan(3);
    expect(await keys()).toEqual(theirs);
    expect({ resources, logins }).toEqual({ resources: ["+ 16 created"], logins: { lux: 1, fra: 1, hkg: 1 } });
    expect(await flavours("lux")).toEqual({ "inter-fra": "wireguard", "inter-hkg": "wireguard" });
    expect(await flavours("fra")).toEqual({ "inter-lux": "wireguard" });
    expect(await flavours("hkg")).toEqual({ "inter-lux": "tun" });
    await pings(lab, LINKS);
    await rememberKeys(lab);
    // Of full size, in one piece: 1420 less the headers of IPv4 and ICMP.
    for (const peer of ["10.255.0.2", "10.255.0.3"]) {
      await on(lab, "lux", `ping -q -c 2 -i 0.2 -w 15 -M do -s 1392 ${peer}`);
    }
  });

  test("an underlay that shrinks is drift, where it makes fragments that nobody sees inside, and where they are lost", async () => {
    await lab.break({ kind: "mtu", target: "lux", bytes: 1400, silent: false });
    // Before ours notes them, as a NAT on the way would.
    const lossy =
      "table inet lossy { chain in { type filter hook prerouting priority -500; ip frag-off & 0x3fff != 0 drop; }; }";
    await on(lab, "fra", `nft '${lossy}'`);
    const notes = (await work.drift()).flatMap(
      (line) => /\+ # (path \S+ to \S+ carries \d+) bytes/.exec(line)?.[1] ?? [],
    );
    await on(lab, "fra", "nft delete table inet lossy");
    await lab.heal();
    await on(lab, "hkg", "ip route flush cache"); // which knows of the way for ten minutes
    const ways = ["lux-fra to fra", "lux-fra to lux", "lux-hkg to hkg", "lux-hkg to lux"];
    expect(notes.sort()).toEqual(ways.map((way) => `path ${way} carries 1328`));
  });

  test("what changes in place costs no link a packet; what was done by hand is found, and nothing else, and mended", async () => {
    await on(lab, "lux", "ip link set dev inter-fra mtu 1300 && wg set inter-hkg fwmark 0");
    await on(lab, "fra", "ip route del 10.255.0.1/32 && ip addr add 10.7.7.7/32 dev inter-lux");
    const packets = await traffic(lab, "lux-hkg", RATE);
    for (const link of Object.values(work.declared.links)) Object.assign(link, { mtu: 1400, keepalive: 15 });
    const ports = work.declared.links["lux-fra"];
    Object.assign(ports ?? {}, { ports: { a: 12000 } });
    const { done, logins } = await work.up("--refresh");
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    expect(await packets.end()).toMatchObject({ lost: 0 });
    // What was declared anew and what hands have changed: nothing else was found to differ.
    expect(done).toEqual([
      "lux-fra@fra updated 4 commands",
      "lux-fra@lux updated 5 commands",
      "lux-hkg@hkg updated 2 commands",
      "lux-hkg@lux updated 3 commands",
    ]);
    await pings(lab, LINKS);
    expect(await kernel(lab, "lux")).toMatch(/listening port: 12000[\s\S]*mtu 1400/);
    expect(await kernel(lab, "lux")).not.toMatch(/mtu 1(300|420)|fwmark: (?!0x6f)/);
    expect(await kernel(lab, "fra")).not.toContain("10.7.7.7");
  });

  test("power that goes and comes: all is as it was; a kernel that has lost the module boots into user space", async () => {
    const before = await whole("lux");
    await on(lab, "fra", `echo 'install wireguard /bin/false' >${HIDDEN} && sync`);
    await lab.powerOff("lux");
    await Promise.all([lab.start("lux"), lab.reboot("fra")]);
    await Promise.all([booted("lux"), booted("fra")]);
    await pings(lab, LINKS);
    expect(await whole("lux")).toBe(before);
    expect(await flavours("fra")).toEqual({ "inter-lux": "tun" });
    // The console, too, finds it whole, takes it down and brings it back.
    await on(lab, "lux", "overlay-host status && overlay-host stop && ! ip link show inter-fra && overlay-host start");
    expect(await whole("lux")).toBe(before);
  });

  test("a kernel that has the module again is used when the next run is told to, as the preview said", async () => {
    await on(lab, "fra", `rm ${HIDDEN} && modprobe wireguard`);
    const packets = await Promise.all(["lux-fra", "lux-hkg"].map((link) => traffic(lab, link, RATE)));
    const { code, text } = await work.run("up", "--yes", "--refresh", "--diff");
    const [moved, other] = await Promise.all(packets.map((one) => one.end()));
    expect(code).toBe(0);
    const [preview = "", update = ""] = text.split("\nUpdating ");
    expect(preview).toContain("- ip link add dev inter-lux type tun");
    const cost =
      "link inter-lux cannot change in place and is made again: no packet passes by it until its next handshake, about a second.";
    expect(preview).toContain(cost);
    expect(update).toContain("~ 1 updated");
    expect(await flavours("fra")).toEqual({ "inter-lux": "wireguard" });
    expect(other).toMatchObject({ lost: 0 });
    // About a second, and some room for a slow machine.
    expect(moved?.lost).toBeLessThan(3 * RATE);
    await pings(lab, LINKS);
  });

  test("destroyed, the machines are as they were found, but for what the kernel's own WireGuard leaves", async () => {
    await rememberKeys(lab);
    await work.destroy();
    for (const { host, device } of BY_HAND) await on(lab, host, `rm /etc/wireguard/${device}.conf.before-overlay`);
    // It switches ICMP redirects off for good as soon as a device is up: drivers/net/wireguard/device.c, wg_open.
    const left = (text: string) => text.replace("conf.all.send_redirects = 1", "conf.all.send_redirects = 0");
    const [lux, fra, hkg] = await Promise.all(lab.hosts.map((host) => traces(lab, host)));
    expect(lux).toBe(left(found.lux ?? ""));
    expect(fra).toBe(left(found.fra ?? ""));
    expect(hkg).toBe(found.hkg);
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
