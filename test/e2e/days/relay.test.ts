/** A relay: two nodes without a link reach each other by way of a third, and nobody else does. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { leaks, network, on, rememberKeys, traces } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

/** Somebody else's network on the relay's host, as a container's: a host of its own that the relay's is the router of. */
const FOREIGN = `ip netns add foreign
ip link add dev foreign0 type veth peer name eth0 netns foreign
ip addr add 172.30.0.1/24 dev foreign0
ip addr add fd30::1/64 dev foreign0 nodad
ip link set dev foreign0 up
echo 1 >/proc/sys/net/ipv4/conf/foreign0/forwarding
ip -n foreign addr add 172.30.0.2/24 dev eth0
ip -n foreign addr add fd30::2/64 dev eth0 nodad
ip -n foreign link set dev eth0 up
ip -n foreign route add default via 172.30.0.1
ip -n foreign -6 route add default via fd30::1`;

/** What hkg sends to lux goes out as an echo request of lux's to hkg. */
const FORGED = `nft -f - <<EOT
add table ip forged
add chain ip forged out { type filter hook postrouting priority 0 ; }
add rule ip forged out icmp type echo-request ip daddr 10.255.0.1 ip saddr set 10.255.0.1 ip daddr set 10.255.0.3
EOT`;

/** A host that forwards nothing without a rule, as Docker and ufw have it. */
const CLOSED = "table inet filter { chain forward { type filter hook forward priority 0; policy drop; }; }";

describeWhere(["lab", "engine"], "a relay", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};
  let told = "";

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "shapesrelay", fresh: true });
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    const declared = network(lab);
    Object.assign(declared.nodes.fra ?? {}, { relay: [{ a: "lux", b: "hkg" }] });
    declared.links = { "fra-hkg": { a: "fra", b: "hkg", mtu: 1380 } };
    declared.meshes = { west: { nodes: ["lux", "fra"] } };
    work = await Workspace.make(lab, declared);
    // Forwarding of IPv6 is the whole host's: a second login confirms it.
    await on(lab, "fra", `nft '${CLOSED}'`);
    const first = await work.up();
    expect(first.logins).toEqual({ lux: 1, fra: 2, hkg: 1 });
    told = first.text;
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("shapesrelay");
  });

  const ping = (address: string, options = "") => `ping -q -n -c 2 -i 0.2 -w 15 ${options} ${address}`;
  const unanswered = async (host: string, command: string): Promise<void> => {
    const { code, stdout } = await lab.exec(host, command);
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining(" 0 received") });
  };
  /** Packets that a rule of the relay's has dropped. */
  const dropped = async (rule: string): Promise<number> => {
    const lines = (await on(lab, "fra", "nft list table inet overlay")).split("\n");
    const line = lines.find((it) => it.includes(rule) && it.includes("counter packets"));
    return Number(/counter packets (\d+)/.exec(line ?? "")?.[1]);
  };

  test("a host that drops what it is to forward is told so, with what to run, once for each device", async () => {
    const diagnostics = told.slice(told.indexOf("\nDiagnostics:\n"));
    const said = [...diagnostics.matchAll(/warning: (fra drops what it is to forward .*)/g)].map(
      ([, line = ""]) => line,
    );
    expect(said).toHaveLength(2);
    expect(said[0]).toContain("no rule lets through: inet filter forward (policy drop). Unless");
    await unanswered("lux", "ping -q -n -c 2 -i 0.2 -W 1 10.255.0.3");
    for (const line of said) await on(lab, "fra", /run `([^`]*)` there/.exec(line)?.[1] ?? "false");
    await Promise.all([on(lab, "lux", ping("10.255.0.3")), on(lab, "hkg", ping("fd00:6f::1"))]);
    await on(lab, "fra", "nft delete table inet filter");
  });

  test("two nodes without a link reach each other, both families, with the MTU of the smaller link", async () => {
    const pings = [
      on(lab, "lux", ping("10.255.0.3", "-M do -s 1352")),
      on(lab, "lux", ping("fd00:6f::3", "-M do -s 1332")),
      on(lab, "hkg", ping("10.255.0.1")),
      on(lab, "hkg", ping("fd00:6f::1")),
    ];
    await Promise.all(pings);
    expect(await on(lab, "lux", "ip route show dev west 10.255.0.3")).toMatch(/metric 8194 mtu 1380/);
    // The host is a router for nobody else.
    expect(await on(lab, "fra", "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/eth0/forwarding")).toBe(
      "0\n0\n",
    );
  });

  test("another address gets nothing through, nor does one in another node's name, and each is counted", async () => {
    await on(lab, "lux", "ip addr add 10.255.0.77/32 dev lo");
    await on(lab, "hkg", "ip route add 10.255.0.77/32 dev inter-fra");
    await on(lab, "fra", "ip route add 10.255.0.77/32 dev west");
    await on(
      lab,
      "fra",
      "wg set west peer $(wg show west peers) allowed-ips 10.255.0.1/32,10.255.0.77/32,fd00:6f::1/128",
    );
    expect(await dropped("iifgroup 28417 counter")).toBe(0);
    await unanswered("lux", "ping -q -n -c 2 -i 0.2 -W 1 -I 10.255.0.77 10.255.0.3");
    expect(await dropped("iifgroup 28417 counter")).toBe(2);
    await unanswered("hkg", "ping -q -n -c 2 -i 0.2 -W 1 10.255.0.77");
    expect(await dropped("iifgroup 28417 counter")).toBe(4);

    await on(lab, "hkg", FORGED);
    await unanswered("hkg", "ping -q -n -c 2 -i 0.2 -W 1 10.255.0.1");
    expect(await dropped("saddr { 10.255.0.1, 10.255.0.3 }")).toBe(2);
    await on(lab, "lux", "ip addr del 10.255.0.77/32 dev lo");
    await on(lab, "hkg", "nft delete table ip forged; ip route del 10.255.0.77/32 dev inter-fra");
    await on(lab, "fra", "ip route del 10.255.0.77/32 dev west");
  });

  test("a foreigner's packet is dropped and counted both ways; what touches no link of ours passes", async () => {
    await on(lab, "fra", FOREIGN);
    const before = { from: await dropped("iifgroup 28417 counter"), to: await dropped("oifgroup 28417 counter") };
    for (const address of ["10.255.0.3", "fd00:6f::3"]) {
      await unanswered("fra", `ip netns exec foreign ping -q -n -c 2 -i 0.2 -W 1 ${address}`);
    }
    expect((await dropped("oifgroup 28417 counter")) - before.to).toBe(4);
    await on(lab, "hkg", "ip route add 172.30.0.2/32 dev inter-fra");
    await unanswered("hkg", "ping -q -n -c 2 -i 0.2 -W 1 172.30.0.2");
    await on(lab, "hkg", "ip route del 172.30.0.2/32");
    expect((await dropped("iifgroup 28417 counter")) - before.from).toBe(2);
    const other = FOREIGN.replaceAll("foreign", "other").replaceAll("172.30.", "172.31.").replaceAll("fd30:", "fd31:");
    await on(lab, "fra", other);
    await on(lab, "fra", `ip netns exec foreign ${ping("172.31.0.2")} && ip netns exec foreign ${ping("fd31::2")}`);
    await on(lab, "fra", "ip netns del foreign; ip netns del other; rmdir /run/netns 2>/dev/null || :");
  });

  test("a link of the two goes first, and where its routes are gone the relay is the way", async () => {
    work.declared.links["lux-hkg"] = { a: "lux", b: "hkg" };
    const { done } = await work.up("--refresh");
    expect(done).toEqual([
      expect.stringMatching(/^lux-hkg@hkg created \d+ commands$/),
      expect.stringMatching(/^lux-hkg@lux created \d+ commands$/),
      "west@fra updated 1 command", // hands have been at the mesh, and nothing else has drifted
    ]);
    expect(await on(lab, "lux", "ip route get 10.255.0.3")).toContain(" dev inter-hkg ");
    await on(lab, "lux", ping("10.255.0.3"));
    for (const [host, device] of [
      ["lux", "inter-hkg"],
      ["hkg", "inter-lux"],
    ] as const) {
      await on(lab, host, `ip link set dev ${device} down`);
    }
    await Promise.all([on(lab, "lux", ping("10.255.0.3")), on(lab, "lux", ping("fd00:6f::3"))]);
  });

  test("no private key was seen", async () => {
    await rememberKeys(lab);
    expect(leaks()).toEqual([]);
  });

  test("destroyed, each host is as it was found, its settings too", async () => {
    await work.destroy();
    for (const host of lab.hosts) expect(await traces(lab, host)).toBe(found[host]);
  });
});
