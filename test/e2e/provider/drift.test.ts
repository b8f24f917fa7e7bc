/** Hands on a host: every kind of fact shows as the kernel's own line, and is mended without touching the others. */

import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { host, KEY, Network, side } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "drift", () => {
  let network: Network;
  let link: Declared;
  let wide: Declared;
  let peer: string;
  const lux = () => host(network.lab, "lux", { packages: "install", sysctls: { "net/ipv4/ip_forward": "1" } });

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "drift", fresh: true }));
    link = (await network.link("lux", "fra")).a;
    link = { ...link, inputs: { ...link.inputs, spec: { ...(link.inputs.spec as Values), alsoPorts: [443] } } };
    await network.engine.up(lux());
    await network.engine.up(link);
    peer = String(network.outputs("fra").fra?.publicKey);
    // A device that was once wg-quick's, and a link that leads to more than its other end; nobody is there.
    const known = network.outputs("lux", "fra");
    wide = side(
      network.lab,
      "lux",
      "hkg",
      { ...known, hkg: known.fra ?? {} },
      { peer: { routes: ["10.9.0.0/16", "::/0"] } },
    );
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("drift");
  });

  const TO_FRA = "ip link set dev inter-fra mtu 1420 group 28417 addrgenmode none alias overlay:net/test:fra-lux";
  const WG = "wg set inter-fra listen-port 11002 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key";
  const PEER = "allowed-ips 0.0.0.0/0,::/0 endpoint 198.51.100.9:11001 persistent-keepalive 25";
  const REDIRECT = "nft add rule inet overlay-inter-fra also fib daddr type local udp dport 443 redirect to :11002";
  const ELEMENT = [
    "- nft add counter inet overlay link-inter-fra",
    '- nft add element inet overlay guard { 11002 : "link-inter-fra" }',
  ];

  /** What is broken on the host, and the lines that come and go. PEER_KEY stands for the other side's key. */
  const cases: Record<"interface" | "wide" | "host", [what: string, command: string, ...lines: string[]][]> = {
    interface: [
      ["mtu", "ip link set inter-fra mtu 1300", `- ${TO_FRA}`, `+ ${TO_FRA.replace("1420", "1300")}`],
      ["group", "ip link set inter-fra group 7", `- ${TO_FRA}`, `+ ${TO_FRA.replace("28417", "7")}`],
      ["alias", "ip link set inter-fra alias mine", `- ${TO_FRA}`, `+ ${TO_FRA.replace(/alias.*/, "alias mine")}`],
      [
        "a device that is down, which takes its IPv6 and its routes with it",
        "ip link set inter-fra down",
        "- ip link set dev inter-fra up",
        "- ip addr add fd00:6f::1/128 dev inter-fra",
        "- ip addr add fe80::1/64 dev inter-fra",
        "- ip route add 10.255.0.2/32 dev inter-fra proto 111 metric 4096 src 10.255.0.1",
        "- ip route add fd00:6f::2/128 dev inter-fra proto 111 metric 4096 src fd00:6f::1",
      ],
      ["listen port", "wg set inter-fra listen-port 12000", `- ${WG}`, `+ ${WG.replace("11002", "12000")}`],
      ["mark", "wg set inter-fra fwmark 0", `- ${WG}`, `+ ${WG.replace("0x6f", "0x0")}`],
      [
        "another private key",
        "cp /dev/null /tmp/k && wg genkey >/tmp/k && wg set inter-fra private-key /tmp/k",
        `- ${WG}`,
        `+ ${WG.replace(/private-key.*/, "private-key <the key of OTHER_KEY>")}`,
      ],
      ["a peer that is gone", "wg set inter-fra peer PEER_KEY remove", `- wg set inter-fra peer PEER_KEY ${PEER}`],
      [
        "allowed IPs",
        "wg set inter-fra peer PEER_KEY allowed-ips 10.255.0.2/32",
        `- wg set inter-fra peer PEER_KEY ${PEER}`,
        `+ wg set inter-fra peer PEER_KEY ${PEER.replace("0.0.0.0/0,::/0", "10.255.0.2/32")}`,
      ],
      [
        "keepalive",
        "wg set inter-fra peer PEER_KEY persistent-keepalive 9",
        `- wg set inter-fra peer PEER_KEY ${PEER}`,
        `+ wg set inter-fra peer PEER_KEY ${PEER.replace("keepalive 25", "keepalive 9")}`,
      ],
      [
        "a stranger among the peers",
        "wg set inter-fra peer hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo= allowed-ips 10.9.9.9/32",
        "+ wg set inter-fra peer hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo= allowed-ips 10.9.9.9/32",
      ],
      [
        "an address that is gone",
        "ip addr del fd00:6f::1/128 dev inter-fra",
        "- ip addr add fd00:6f::1/128 dev inter-fra",
        "- ip route add fd00:6f::2/128 dev inter-fra proto 111 metric 4096 src fd00:6f::1",
        "+ ip route add fd00:6f::2/128 dev inter-fra proto 111 metric 4096",
      ],
      ["an address too many", "ip addr add 10.7.7.7/32 dev inter-fra", "+ ip addr add 10.7.7.7/32 dev inter-fra"],
      [
        "a route that is gone",
        "ip route del 10.255.0.2/32",
        "- ip route add 10.255.0.2/32 dev inter-fra proto 111 metric 4096 src 10.255.0.1",
      ],
      [
        "a route of ours too many",
        "ip route add 10.8.8.0/24 dev inter-fra proto 111",
        "+ ip route add 10.8.8.0/24 dev inter-fra proto 111 metric 0",
      ],
      [
        "a setting of the device",
        "sysctl -qw net.ipv4.conf.inter-fra.rp_filter=1",
        "- sysctl -w net/ipv4/conf/inter-fra/rp_filter=2",
        "+ sysctl -w net/ipv4/conf/inter-fra/rp_filter=1",
      ],
      [
        "the ports that are redirected",
        "nft delete table inet overlay-inter-fra",
        "- nft add table inet overlay-inter-fra",
        "- nft add chain inet overlay-inter-fra also { type nat hook prerouting priority -100 ; policy accept ; }",
        `- ${REDIRECT}`,
      ],
      ["a rule of the redirection", "nft flush chain inet overlay-inter-fra also", `- ${REDIRECT}`],
      ["the guard's element", "nft delete element inet overlay guard { 11002 }", ...ELEMENT],
      [
        "a boot file that is gone",
        "rm /etc/overlay/boot.d/50-inter-fra",
        "+ # /etc/overlay/boot.d/50-inter-fra is missing: a reboot loses all this",
      ],
      [
        "a boot file that differs",
        "echo >>/etc/overlay/boot.d/50-inter-fra",
        "+ # /etc/overlay/boot.d/50-inter-fra differs: a reboot brings back something else",
      ],
    ],
    wide: [
      [
        "wg-quick's file, which somebody has put back",
        "mkdir -p /etc/wireguard && echo '[Interface]' >/etc/wireguard/inter-hkg.conf",
        "- mv /etc/wireguard/inter-hkg.conf /etc/wireguard/inter-hkg.conf.before-overlay",
      ],
      [
        "wg-quick's unit, which somebody has enabled again",
        "systemctl -q enable wg-quick@inter-hkg",
        "- systemctl disable wg-quick@inter-hkg.service",
        "+ systemctl enable wg-quick@inter-hkg.service",
      ],
      [
        "the rule for the host's own ways",
        "ip rule del pref 5110",
        "- ip rule add pref 5110 lookup main suppress_prefixlength 0",
      ],
      [
        "a route to what lies behind the other end",
        "ip route del 10.9.0.0/16 table 111",
        "- ip route add 10.9.0.0/16 dev inter-hkg table 111 proto 111 metric 4096 src 10.255.0.1",
      ],
      [
        "a route too many in the table of such",
        "ip route add 10.10.0.0/16 dev inter-hkg table 111 proto 111",
        "+ ip route add 10.10.0.0/16 dev inter-hkg table 111 proto 111 metric 0",
      ],
    ],
    host: [
      ["a rule that is gone", "ip -6 rule del pref 5111", "- ip -6 rule add pref 5111 not fwmark 0x6f/0xff lookup 111"],
      [
        "a rule in whose place is another",
        "ip rule del pref 5111; ip rule add pref 5111 lookup 111",
        "- ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111",
      ],
      [
        "a kernel setting",
        "sysctl -qw net.ipv4.ip_forward=0",
        "- sysctl -w net/ipv4/ip_forward=1",
        "+ sysctl -w net/ipv4/ip_forward=0",
      ],
      [
        "a tool that is gone",
        "apt-get -qq remove -y wireguard-go >/dev/null 2>&1",
        "- apt-get install wireguard-tools",
      ],
      [
        "the route of last resort",
        "ip route del unreachable 10.255.0.0/24",
        "- ip route add unreachable 10.255.0.0/24 proto 111 metric 4294967295",
      ],
      [
        "a rule of the guard",
        "nft flush chain inet overlay nested",
        "- nft add rule inet overlay nested counter name udp sport map @guard drop",
        "- nft add rule inet overlay nested counter drop",
      ],
      [
        "a file with another mode",
        "chmod 600 /etc/systemd/networkd.conf.d/50-overlay.conf",
        "- install -m 0644 NETWORKD",
        "+ install -m 0600 NETWORKD",
      ],
      ["a file that is gone", "rm /etc/systemd/networkd.conf.d/50-overlay.conf", "- install -m 0644 NETWORKD"],
      [
        "a unit that is disabled",
        "systemctl -q disable overlay-late.service",
        "- systemctl enable overlay-late.service",
        "+ systemctl disable overlay-late.service",
      ],
      [
        "a boot file that is gone",
        "rm /etc/overlay/boot.d/10-node",
        "+ # /etc/overlay/boot.d/10-node is missing: a reboot loses all this",
      ],
    ],
  };

  const known = (line: string) =>
    line
      .replaceAll("PEER_KEY", peer)
      .replace(/sha256:\S+ \/etc\/systemd\/networkd.conf.d\/50-overlay.conf/, "NETWORKD")
      .replace(/<the key of \S+>/, "<the key of OTHER_KEY>");

  async function mends(declared: () => Declared, command: string, lines: string[]): Promise<void> {
    const { engine } = network;
    await network.on("lux", known(command));
    const shown = await engine.refresh(declared());
    expect((shown || []).map(known)).toEqual(lines.map(known));
    expect(await engine.preview(declared())).toMatchObject({ outcome: "updated", diffs: ["config"] });
    expect(await engine.up(declared())).toBe("updated");
    // It is mended, and no repair of one thing damages another.
    const all = [...new Set([lux(), link, declared()])].map((one) => engine.refresh(one));
    expect((await Promise.all(all)).flat()).toEqual([]);
    await network.on("lux", "ping -c 1 -W 5 10.255.0.2");
  }

  test.each(cases.interface)("of an interface: %s", (_, command, ...lines) => mends(() => link, command, lines));
  describe("of another interface", () => {
    beforeAll(async () => {
      await network.engine.up(wide);
      (wide.inputs.spec as Values).adopts = ["inter-hkg"];
      await network.engine.up(wide);
    });
    test.each(cases.wide)("%s", (_, command, ...lines) => mends(() => wide, command, lines));
  });
  test.each(cases.host)("of a host: %s", (_, command, ...lines) => mends(lux, command, lines));

  test("a device that is gone is made again", async () => {
    await network.on("lux", "systemctl stop overlay-wireguard-go@inter-fra");
    const shown = await network.engine.refresh(link);
    expect(shown).toContain("- ip link add dev inter-fra type wireguard");
    expect(await network.engine.up(link)).toBe("updated");
    await network.on("lux", "ping -c 1 -W 5 10.255.0.2");
    expect(await network.engine.refresh(link)).toEqual([]);
  });

  test("a device that is gone without a trace is gone from state, and is created", async () => {
    await network.on(
      "lux",
      "systemctl stop overlay-wireguard-go@inter-fra; rm /etc/overlay/boot.d/50-inter-fra; nft delete element inet overlay guard { 11002 }; nft delete counter inet overlay link-inter-fra; nft delete table inet overlay-inter-fra",
    );
    expect(await network.engine.refresh(link)).toBe(false);
    expect(await network.engine.up(link)).toBe("created");
    await network.on("lux", "ping -c 1 -W 5 10.255.0.2");
  });

  test("without nft its tables cannot be seen; installed again, they are there as they were", async () => {
    const before = await network.on("lux", "nft -s list ruleset");
    await network.on("lux", "apt-get -qq remove -y nftables >/dev/null 2>&1");
    expect(await network.engine.refresh(lux())).toContain("- apt-get install nftables");
    expect(await network.engine.refresh(link)).not.toEqual([]);
    expect(await network.engine.up(lux())).toBe("updated");
    expect(await network.engine.up(link)).toBe("updated");
    expect(await network.on("lux", "nft -s list ruleset")).toBe(before);
    expect(await network.engine.refresh(lux())).toEqual([]);
    expect(await network.engine.refresh(link)).toEqual([]);
  });

  test("two links that swap their ports: the message names the other link's device, and a third port is the way", async () => {
    const { engine } = network;
    const second = wide;
    await engine.up(second);
    const listening = (declared: Declared, listenPort: number): Declared => ({
      ...declared,
      inputs: { ...declared.inputs, spec: { ...(declared.inputs.spec as Values), listenPort } },
    });
    await expect(engine.up(listening(link, 11003))).rejects.toThrow(
      /Address already in use.*inter-hkg has the UDP port: give that link another one in `ports`, in a run before this/,
    );
    expect(await engine.up(listening(second, 12000))).toBe("updated");
    expect(await engine.up(listening(link, 11003))).toBe("updated");
    expect(await engine.up(listening(second, 11002))).toBe("updated");
    await engine.destroy(second);
    expect(await engine.up(link)).toBe("updated");
  });

  test("a table that is gone comes back with the elements of every link", async () => {
    await network.on("lux", "nft delete table inet overlay");
    expect(await network.engine.refresh(link)).toEqual(ELEMENT);
    expect(await network.engine.refresh(lux())).toContain("- nft add table inet overlay");
    expect(await network.engine.up(lux())).toBe("updated");
    expect(await network.engine.up(link)).toBe("updated");
    expect(await network.engine.refresh(lux())).toEqual([]);
    expect(await network.engine.refresh(link)).toEqual([]);
  });

  test("a private key that is gone is made anew, and the other side learns the new one", async () => {
    await network.link("lux", "fra");
    await network.on("lux", `rm ${KEY}`);
    const before = network.outputs("lux").lux?.publicKey;
    expect(await network.engine.refresh(lux())).toEqual([`- wg genkey > ${KEY}`]);
    expect((await network.engine.preview(lux())).outputs.publicKey).toMatch(/^04da6b54-/);
    expect(await network.engine.up(lux())).toBe("updated");
    expect(network.outputs("lux").lux?.publicKey).not.toBe(before);
    const { a } = await network.link("lux", "fra");
    expect(await network.engine.refresh(a)).not.toEqual([]);
    expect(await network.engine.up(a)).toBe("updated");
    await network.on("lux", "ping -c 2 -W 5 10.255.0.2");
  });

  test("a packet that the loop guard drops is an alarm at refresh, at `up`, and again where more come while it works", async () => {
    const { engine } = network;
    const alarms = () =>
      engine
        .said(link)
        .flatMap(
          (it) =>
            /^(\d+) encrypted packets of inter-fra were about to be sent into a tunnel by lux/.exec(it)?.[1] ?? [],
        );
    const point = (at: string) => network.on("lux", `wg set inter-fra peer ${peer} endpoint ${at}`);
    await engine.up(link);
    expect(alarms()).toEqual([]);
    await network.on("lux", "ping -c 1 -W 5 10.255.0.2");
    await point("10.255.0.2:11001");
    await network.on("lux", "ping -c 2 -i 0.1 -W 1 10.255.0.2 || true");
    await engine.refresh(link);
    const [first = "0", ...none] = alarms();
    expect([Number(first) > 0, none]).toEqual([true, []]);
    await network.on("lux", "(timeout 20 ping -i 0.01 10.255.0.2 >/dev/null 2>&1 &)");
    const spec = { ...(link.inputs.spec as Values), mtu: 1400 };
    await engine.up({ ...link, inputs: { ...link.inputs, spec } });
    const [, before, after, ...more] = alarms().map(Number);
    expect([Number(after) > Number(before), more]).toEqual([true, []]);
    await point("198.51.100.9:11001");
    await network.on("lux", "nft reset counter inet overlay link-inter-fra");
    const said = alarms().length;
    expect(await engine.up(link)).toBe("updated");
    expect(await engine.refresh(link)).toEqual([]);
    expect(alarms()).toHaveLength(said);
  });

  test("an endpoint that another call has moved is no drift while the link lives", async () => {
    await network.on("lux", `wg set inter-fra peer ${peer} endpoint 198.51.100.9:11999 && sleep 1 && true`);
    await network.on("fra", "ping -c 2 -W 5 10.255.0.1");
    expect(await network.engine.refresh(link)).toEqual([]);
  });
});
