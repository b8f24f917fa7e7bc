/** Hosts that let in only what somebody has named: ufw, firewalld, nftables; and packets that get lost on their way. */
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { type Declared, failure } from "../../sdk/provider/client";
import { host, IDS, Network, OWNER, side } from "./network";

/** systemd does not wait for it, and one that is stopped before it is ready leaves its table. */
const START_FIREWALLD =
  "systemctl start firewalld && for _ in $(seq 100); do ! firewall-cmd -q --state || exit 0; sleep 0.1; done; exit 1";

jest.setTimeout(180_000);

const CHAIN = "inet filter input";
const NFTABLES = { firewall: "nftables", firewallChain: CHAIN };
const DROPS =
  "table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established,related accept; tcp dport { 22, 80 } accept; meta l4proto { icmp, ipv6-icmp } accept; }; }";

describeWhere("lab", "firewalls of others", () => {
  let network: Network;
  const on = (command: string) => network.on("lux", command);
  const lux = (spec: Values = {}): Declared => host(network.lab, "lux", spec);
  /** lux's side of the link: it waits to be called, on 443 as well. */
  const waits = (spec: Values = {}): Declared =>
    side(network.lab, "lux", "fra", network.outputs("lux", "fra"), {
      alsoPorts: [443],
      peer: { endpoint: undefined, keepalive: undefined },
      ...spec,
    });
  /** fra's side, from a port of its own: to lux's firewall every other port is somebody new. */
  let port = 12000;
  const calls = (to: number, spec: Values = {}): Declared =>
    side(network.lab, "fra", "lux", network.outputs("lux", "fra"), {
      listenPort: ++port,
      firewall: "none",
      peer: { endpoint: `203.0.113.5:${to}`, keepalive: 25 },
      ...spec,
    });
  const reaches = () => network.on("fra", "ping -c 1 -W 5 10.255.0.1");

  beforeAll(async () => {
    network = await Network.open(await Lab.up("managers", { name: "firewall", fresh: true }));
    await Promise.all([network.engine.up(lux()), network.engine.up(host(network.lab, "fra"))]);
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("firewall");
  });

  /** Added, seen, missed, brought back; and somebody else's rules are as they were. */
  async function letsIn(spec: Values, byHand: string, lines: string[], theirs: string): Promise<void> {
    const { engine } = network;
    const before = await on(theirs);
    await engine.up(waits(spec));
    expect(await engine.refresh(waits(spec))).toEqual([]);
    await engine.up(calls(443));
    await reaches();
    await on(byHand);
    expect(await engine.refresh(waits(spec))).toEqual(lines.map((line) => `- ${line}`));
    expect(await engine.up(waits(spec))).toBe("updated");
    expect(await engine.refresh(waits(spec))).toEqual([]);
    await engine.up(calls(11002));
    await reaches();
    await engine.up(waits({ firewall: "none" }));
    expect(await on(theirs)).toBe(before);
  }

  test("a host that drops what nobody has declared to let in is told before anything is done", async () => {
    await on(`nft '${DROPS}'`);
    const { message } = await failure(network.engine.up(waits()));
    expect(message).toContain("a host that drops what no rule lets in: inet filter input (policy drop)");
    expect(message).toContain('say firewall: "nftables", firewallChain: "inet filter input" on node lux');
    expect(await on("ip -br link show type tun")).toBe("");
    // Nobody calls it, or somebody else lets them in.
    expect(await network.engine.up(waits({ called: false }))).toBe("created");
    // What listens there already is as open or closed as it was.
    expect(await network.engine.up(waits({ mtu: 1400 }))).toBe("updated");
    expect((await failure(network.engine.up(waits({ listenPort: 11500 })))).message).toContain("UDP 11500");
    expect(await network.engine.up(waits({ firewall: "none" }))).toBe("updated");
  });

  test("what does not arrive is told, and nobody waits for it twice", async () => {
    const fra = calls(11002);
    expect(await network.engine.up(fra)).toBe("created");
    const [said, ...more] = network.engine.said(fra);
    expect(said).toMatch(
      /^UDP 11002 from fra to lux does not arrive at 203\.0\.113\.5, .* Let UDP 11002 in where lux is:/,
    );
    expect(more).toEqual([]);
    expect(await network.engine.refresh(fra)).toEqual([]);
    expect(network.engine.said(fra)).toEqual([said, said]);
  });

  test("nftables: a chain by its name, and a rule before all of its own", () =>
    letsIn(
      NFTABLES,
      `handle=$(nft -a list chain ${CHAIN} | sed -n '/overlay:/s/.* handle //p') && nft delete rule ${CHAIN} handle $handle`,
      [`nft insert rule ${CHAIN} udp dport 11002 accept comment "overlay:net/test:fra-lux"`],
      "nft -s list table inet filter",
    ));

  test("nftables: at boot and after a reload it is there once, also where its chain comes late; a chain that is none is a fault", async () => {
    await network.engine.up(waits(NFTABLES));
    const rules = `nft list chain ${CHAIN} | grep -c overlay:`;
    const boot =
      "mkdir -p /run/overlay && . /usr/local/lib/overlay/steps.sh && steps boot </etc/overlay/boot.d/50-inter-fra";
    expect(await on(`${boot} 2>/dev/null; ${rules}`)).toBe("1\n");
    await on("nft delete table inet filter");
    expect(await on(`${boot} 2>/dev/null`)).toContain(`nft insert rule ${CHAIN} udp dport 11002`);
    await on(`nft '${DROPS}'`);
    expect(await on(`${boot} 2>/dev/null; ${rules}`)).toBe("1\n");
    await on(
      `printf 'flush ruleset\n%s\n' '${DROPS}' >/etc/nftables.conf && systemctl restart nftables && systemctl reload nftables`,
    );
    expect(await on(rules)).toBe("1\n");
    // A chain of the other family that nobody has named, and then both.
    await on("nft 'table ip6 filter { chain input { type filter hook input priority 0; policy drop; }; }'");
    const other = (await failure(network.engine.up(waits({ ...NFTABLES, listenPort: 11500 })))).message;
    expect(other).toContain(`say firewallChain: ["${CHAIN}", "ip6 filter input"] on node lux`);
    const both = { firewall: "nftables", firewallChain: [CHAIN, "ip6 filter input"] };
    await network.engine.up(waits(both));
    expect(await network.engine.refresh(waits(both))).toEqual([]);
    expect(await on(`${rules}; nft list chain ip6 filter input`)).toMatch(/^1\n[\s\S]*udp dport 11002 accept/);
    await network.engine.up(waits({ firewall: "none" }));
    expect(await on(`nft list chain ip6 filter input; nft delete table ip6 filter`)).not.toContain("overlay:");
    await network.engine.up(waits(NFTABLES));
    const { message } = await failure(network.engine.up(waits({ firewall: "nftables", firewallChain: "ip a b" })));
    expect(message).toContain('firewallChain: found "ip a b", legal is a chain that the host has');
    await on("systemctl stop nftables; nft delete table inet filter || true");
    await network.engine.refresh(lux());
    await network.engine.up(lux());
    await network.engine.refresh(waits(NFTABLES));
    await network.engine.up(waits({ firewall: "none", mtu: 1410 }));
  });

  test("ufw: also where it is enabled afterwards", async () => {
    const { engine } = network;
    await on("ufw allow 22/tcp && ufw allow 12000/udp && ufw allow 12001/udp comment mine");
    await engine.up(waits({ firewall: "ufw" }));
    expect(await engine.refresh(waits({ firewall: "ufw" }))).toEqual([]);
    await on("ufw --force enable");
    await engine.up(calls(443));
    await reaches();
    await engine.up(waits({ firewall: "none" }));
    await letsIn(
      { firewall: "ufw" },
      "ufw delete allow 11002/udp",
      ["ufw allow 11002/udp comment overlay:net/test:fra-lux"],
      "ufw show added",
    );
  });

  test("a relay: what it forwards passes the chains of ufw and nftables, and of others it is told what to run", async () => {
    const { engine, lab } = network;
    await engine.up(host(lab, "hkg"));
    const known = network.outputs("lux", "fra", "hkg");
    const pair = ["fra", "hkg"] as const;
    const node = (name: string) => ({ name, addresses: [`10.255.0.${name === "fra" ? 2 : 3}`] });
    const relay = (spec: Values) =>
      pair.map((peer) =>
        side(lab, "lux", peer, known, { forwards: true, peer: { endpoint: undefined, keepalive: undefined }, ...spec }),
      );
    const ends = pair.map((own) =>
      side(lab, own, "lux", known, {
        firewall: "none",
        listenPort: ++port,
        relayed: [{ ...node(own === "fra" ? "hkg" : "fra"), by: "lux" }],
      }),
    );
    const up = (spec: Values) => Promise.all(relay(spec).map((it) => engine.up(it)));
    const refresh = async (spec: Values) => (await Promise.all(relay(spec).map((it) => engine.refresh(it)))).flat();
    // Not ping: ufw forwards echo requests for everybody.
    const passes = async (seconds = 5) =>
      (await lab.exec("fra", `timeout ${seconds} bash -c 'exec 3<>/dev/tcp/10.255.0.3/22'`)).code === 0;
    await engine.up(lux({ relay: [{ a: node("fra"), b: node("hkg") }] }));

    await up({ firewall: "ufw" });
    expect(await on("iptables -S FORWARD")).toContain("-P FORWARD DROP");
    await Promise.all(ends.map((it) => engine.up(it)));
    expect(await passes()).toBe(true);
    expect(await refresh({ firewall: "ufw" })).toEqual([]);
    await on("ufw route delete allow in on inter-fra");
    expect(await passes(1)).toBe(false);
    expect(await refresh({ firewall: "ufw" })).toEqual([
      "- ufw route allow in on inter-fra comment overlay:net/test:fra-lux",
    ]);
    await on("ufw --force disable");

    const forward = "inet fw forward";
    await on(
      `nft 'table inet fw { chain input { type filter hook input priority 0; }; chain forward { type filter hook forward priority 0; policy drop; }; }'`,
    );
    const declared = { firewall: "nftables", firewallChain: "inet fw input", forwardChain: forward };
    await up(declared);
    expect(await on("ufw show added")).not.toContain("overlay:");
    expect(await passes()).toBe(true);
    expect(await refresh(declared)).toEqual([]);
    await up({ ...declared, forwardChain: undefined });
    expect(await passes(1)).toBe(false);
    const [fra = ends[0]] = relay({ firewall: "none" });
    expect(engine.said(fra as Declared)).toEqual([
      expect.stringContaining(`say forwardChain: "${forward}" on node lux`),
    ]);
    await on("nft delete table inet fw");

    // As Docker has it, and what comes later shows at a refresh.
    await up({});
    const said = () => engine.said(fra as Declared).length;
    const before = said();
    await on("iptables -P FORWARD DROP");
    await refresh({});
    expect(engine.said(fra as Declared).at(-1)).toContain("run `iptables -I FORWARD -i inter-fra -j ACCEPT` there");
    expect(said()).toBe(before + 1);
    await on("iptables -I FORWARD -i inter-fra -j ACCEPT");
    await refresh({});
    expect(said()).toBe(before + 1);
    // What lies behind a node that forwards nothing.
    const behind = waits({ firewall: "none", behind: ["192.168.7.0/24"] });
    const warned = () =>
      engine.said(behind).filter((it) => it.includes("forwards nothing to 192.168.7.0/24 behind it")).length;
    await on("sysctl -q -w net.ipv4.ip_forward=1");
    await engine.up(behind);
    expect(warned()).toBe(0);
    await on("sysctl -q -w net.ipv4.ip_forward=0");
    await engine.refresh(behind);
    expect(warned()).toBe(1);
    await on("iptables -P FORWARD ACCEPT && iptables -D FORWARD -i inter-fra -j ACCEPT");

    await engine.destroy(side(lab, "lux", "hkg", known));
    await engine.up(waits({ firewall: "none" }));
    await engine.up(lux());
  });

  test("ufw: somebody else's rule for the same port is enough, and stays", async () => {
    const { engine } = network;
    await on("ufw allow 11002/udp comment mine");
    await engine.up(waits({ firewall: "ufw" }));
    expect(await engine.refresh(waits({ firewall: "ufw" }))).toEqual([]);
    await engine.up(waits({ firewall: "none" }));
    expect(await on("ufw show added")).toContain("11002/udp comment 'mine'");
    await on(`ufw --force reset >/dev/null && ${START_FIREWALLD}`);
  });

  test("Docker filters the frames of bridges: between a segment and a port it is told what to run, and that is enough", async () => {
    const { engine, lab } = network;
    const segment = (node: string, peer: string, more: Values): Declared => ({
      type: "overlay:vxlan:Member",
      name: `lan-${node}`,
      inputs: {
        ...side(lab, node, peer, network.outputs("lux", "fra")).inputs,
        spec: {
          ...{ node, owner: OWNER, segment: "lan", device: "vx-lan", vni: 100, variant: "static-flood", mtu: 1400 },
          ...{ id: IDS[node], mac: `02:00:00:64:00:0${IDS[node]}`, local: lab.json.hosts[node]?.addresses[0] },
          ...{ encrypted: false, peers: [vtepOf(peer)], ...more },
        },
      },
    });
    const vtepOf = (name: string) => ({
      ...{ name, vtep: lab.json.hosts[name]?.addresses[0], mac: `02:00:00:64:00:0${IDS[name]}` },
      addresses: name === "fra" ? ["10.100.0.2/24"] : [],
    });
    const bridge: Declared = {
      type: "overlay:vxlan:Bridge",
      name: "br-lan",
      inputs: {
        ...side(lab, "lux", "fra", network.outputs("lux", "fra")).inputs,
        spec: {
          ...{ node: "lux", owner: OWNER, device: "br-lan", id: 1, mac: "02:00:00:64:00:01", mtu: 1400 },
          ...{ ports: ["port0"], loopFree: true },
        },
      },
    };
    await on("systemctl stop firewalld");
    await on(
      "ip link add port0 type veth peer name h0 && ip netns add behind && ip link set h0 netns behind && ip link set port0 up",
    );
    await on("ip -n behind addr add 10.100.0.9/24 dev h0 && ip -n behind link set h0 mtu 1400 up");
    await engine.up(bridge);
    const wide = engine.said(bridge);
    expect(wide).toEqual([
      expect.stringMatching(/^lux has packets of 1500 bytes come by port0, and its bridge br-lan carries 1400/),
    ]);
    await on(/`(.*)`/.exec(wide[0] ?? "")?.[1] ?? "false");
    await engine.up(segment("lux", "fra", { bridge: "br-lan" }));
    await engine.up(segment("fra", "lux", { addresses: ["10.100.0.2/24"] }));
    const reached = async () =>
      (await lab.exec("lux", "ip netns exec behind ping -q -c 2 -i 0.2 -w 4 10.100.0.2")).code === 0;
    expect(await reached()).toBe(true);
    expect(await engine.refresh(bridge)).toEqual([]);
    expect(engine.said(bridge)).toEqual(wide);
    await on("systemctl start docker");
    expect(await reached()).toBe(false);
    await engine.refresh(bridge);
    const [said = "", ...none] = engine.said(bridge).slice(wide.length);
    expect(said).toContain(
      "lux filters frames of bridges, and drops those between ports of br-lan that no rule lets through",
    );
    expect(none).toEqual([]);
    await on(/`(.*)`/.exec(said)?.[1] ?? "false");
    expect(await reached()).toBe(true);
    await engine.refresh(bridge);
    expect(engine.said(bridge)).toHaveLength(2);
    await on(
      "systemctl stop docker docker.socket; iptables -D FORWARD -i br-lan -o br-lan -j ACCEPT; iptables -P FORWARD ACCEPT",
    );
    for (const it of [segment("fra", "lux", {}), segment("lux", "fra", {}), bridge]) await engine.destroy(it);
    await on(`ip netns delete behind && ${START_FIREWALLD}`);
  });

  test("firewalld: now, after a reload, and where it does not run", async () => {
    const { engine } = network;
    const rule = `rich-rule='rule priority="111" port port="11002" protocol="udp" accept'`;
    await letsIn(
      { firewall: "firewalld" },
      `firewall-cmd -q --remove-${rule}`,
      [`firewall-cmd --add-${rule}`],
      "firewall-cmd --list-all",
    );
    await on("systemctl stop firewalld");
    // As a relay's device, too.
    const relays = waits({ firewall: "firewalld", forwards: true });
    await engine.up(relays);
    expect(await engine.refresh(relays)).toEqual([]);
    const said = engine.said(relays).length;
    await on(START_FIREWALLD);
    expect(await engine.refresh(relays)).toEqual([]);
    expect(engine.said(relays)).toHaveLength(said);
    expect(await on("firewall-cmd --list-interfaces")).toBe("inter-fra\n");
    await engine.up(calls(11002));
    await reaches();
  });

  test("what is left of them goes with the node", async () => {
    expect(await network.engine.up(lux({ firewall: "firewalld" }))).toBe("same");
    await network.engine.destroy(lux());
    const left = ["--list-rich-rules", "--list-interfaces"].flatMap((what) => [what, `--permanent ${what}`]);
    expect(await on(left.map((what) => `firewall-cmd ${what}`).join("; "))).toBe("\n\n\n\n");
  });
});
