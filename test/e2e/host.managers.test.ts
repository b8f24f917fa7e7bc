/** Others who manage a host's network or firewall, and do so after us: what is ours stays, or comes back by itself. */
import type { Hosts, Session } from "../../sdk/host";
import type { Fact } from "../../sdk/kernel";
import { describeWhere } from "../can";
import { Lab } from "../lab";
import { until } from "../lab/run";
import { asking, eventually, kernel, on as onHost, traffic } from "./days/network";
import { bring, bringLink, connectionTo, differences, hostsOf, nodeFacts } from "./hosts";

jest.setTimeout(120_000);

describeWhere(["lab", "images"], "managers of a host", () => {
  let lab: Lab;
  let hosts: Hosts;
  let lux: Session;
  let facts: Fact[];
  beforeAll(async () => {
    lab = await Lab.up("managers", { name: "managers", fresh: true });
    hosts = hostsOf(lab);
    lux = hosts.session(connectionTo(lab, "lux"));
    facts = (await bringLink(lab, hosts)).lux;
  });
  afterAll(async () => {
    await hosts?.close();
    await Lab.down("managers");
  });

  const on = (command: string): Promise<string> => onHost(lab, "lux", command);
  const whole = async () => {
    await until(30_000, async () => (await differences(lux, facts)).length === 0, 100);
    expect(await differences(lux, facts)).toEqual([]);
  };
  /** Packets that the link loses while this happens. */
  const lost = async (happens: () => Promise<unknown>): Promise<number> => {
    const packets = await traffic(lab, "lux-fra", 100);
    await happens();
    return (await packets.end()).lost;
  };
  const setup = async (device: string): Promise<string> =>
    (await on(`networkctl --no-legend --no-pager list ${device}`)).trim().split(/ +/).at(-1) ?? "";

  test("networkd as it was before the first change: what it configures anew takes rules away, and they come back", async () => {
    const watches = async () => (await lab.exec("lux", "systemctl is-active overlay-networkd.service")).code === 0;
    await eventually("nobody watches networkd", watches);
    await on("timeout 20 ip monitor rule >/run/rules 2>&1 & sleep 0.5; networkctl reconfigure eth0");
    await eventually("no rule was taken away", async () => (await on("cat /run/rules")).includes("Deleted 5111:"));
    await whole();
  });

  test("nftables.service, reloaded and restarted, flushes our tables, and they are there again", async () => {
    await on("systemctl start nftables");
    await whole();
    const before = await kernel(lab, "lux");
    expect(await lost(() => on("systemctl reload nftables && systemctl restart nftables"))).toBe(0);
    expect(await kernel(lab, "lux")).toBe(before);
    expect(await on("nft list ruleset")).toContain("table inet filter");
  });

  test("networkd with a file for any device leaves ours alone: reloaded, restarted, and a device made after that", async () => {
    await on("printf '[Match]\\nName=*\\n[Network]\\nDHCP=yes\\n' >/etc/systemd/network/90-any.network");
    expect(await lost(() => on("networkctl reload && sleep 0.5 && systemctl restart systemd-networkd"))).toBe(0);
    await whole();
    expect(await setup("inter-fra")).toBe("unmanaged");
    expect(await on("networkctl status lo")).toContain("90-any.network");

    await on("systemctl stop overlay-wireguard-go@inter-fra && rm /run/systemd/network/* && networkctl reload");
    expect(await bring(lux, facts.slice(nodeFacts("lux").length), "50-inter-fra")).toEqual([]);
    expect(await setup("inter-fra")).toBe("unmanaged");
  });

  test("netplan apply, which has networkd begin anew", async () => {
    await on(
      `rm /etc/systemd/network/*.network
       umask 077 && cat >/etc/netplan/50.yaml <<'X'
network:
  version: 2
  ethernets:
    eth0:
      addresses: [203.0.113.5/24, "2001:db8:1::5/64"]
      routes: [{ to: default, via: 203.0.113.1 }, { to: "::/0", via: "2001:db8:1::1" }]
X`,
    );
    // It has udev look at all devices again, and waits for that: a container has no udev, so what tells it does nothing here.
    await on("mkdir /run/no-udev && ln -s /bin/true /run/no-udev/udevadm");
    // It has networkd give the device below its addresses and routes anew, and while these are away all of the host is.
    const below = await asking(lab, "lux", lab.json.hosts.fra?.addresses[0] ?? "", 100);
    const inside = await lost(() => on("PATH=/run/no-udev:$PATH netplan apply"));
    const { lost: outside } = await below.end();
    expect(inside).toBeLessThanOrEqual(outside + 2);
    await whole();
    expect(await on("networkctl status eth0")).toContain("netplan");
  });

  test("cloud-init, all of its stages as at the first boot of an image, and a boot by the network that it has written", async () => {
    await on(
      `rm /etc/netplan/50.yaml
       printf 'datasource_list: [NoCloud]\n' >/etc/cloud/cloud.cfg.d/90-lab.cfg
       mkdir -p /var/lib/cloud/seed/nocloud && cd /var/lib/cloud/seed/nocloud
       printf 'instance-id: lux-1\n' >meta-data
       printf '#cloud-config\nssh_deletekeys: false\ndisable_root: false\nusers: []\n' >user-data
       cat >network-config <<'X'
version: 2
ethernets:
  eth0:
    addresses: [203.0.113.5/24, "2001:db8:1::5/64"]
    routes: [{ to: 0.0.0.0/0, via: 203.0.113.1 }, { to: "::/0", via: "2001:db8:1::1" }]
X`,
    );
    // Modules that want what a container has not, such as a disk to grow, end with an error, and the others are run.
    const stages =
      "cloud-init init --local && cloud-init init && { cloud-init modules --mode=config; cloud-init modules --mode=final; :; }";
    expect(await lost(() => on(`cloud-init clean && ${stages}`))).toBe(0);
    await whole();
    expect(await on("cat /etc/netplan/50-cloud-init.yaml")).toContain("203.0.113.5/24");
    await lab.reboot("lux");
    await whole();
    await on("ping -q -c 1 -w 15 10.255.0.2");
    expect(await on("networkctl status eth0")).toContain("netplan");
  });

  test("NetworkManager, started after us, told to read its files again, and restarted", async () => {
    const state = () => on("nmcli -t -f DEVICE,STATE device | grep inter-fra");
    for (const does of ["systemctl start", "systemctl reload", "nmcli general reload #", "systemctl restart"]) {
      expect({ does, lost: await lost(() => on(`${does} NetworkManager`)) }).toEqual({ does, lost: 0 });
      expect(await state()).toContain("(externally)");
    }
    await on("systemctl stop NetworkManager");
    await whole();
  });

  test("Docker, started after us: a link loses nothing to its FORWARD policy", async () => {
    expect(await lost(() => on("systemctl start docker"))).toBe(0);
    expect(await on("iptables -S FORWARD; sysctl net.bridge.bridge-nf-call-iptables")).toMatch(
      /-P FORWARD DROP[\s\S]*bridge-nf-call-iptables = 1/,
    );
    await whole();
  });

  test.each([
    ["ufw", "ufw --force enable", "ufw disable"],
    ["firewalld", "systemctl start firewalld && firewall-cmd --state", "systemctl stop firewalld"],
  ])(
    "%s, enabled after us with the link's port not opened: what the host sends is answered as before",
    async (_, enable, disable) => {
      expect(await lost(() => on(enable))).toBe(0);
      await whole();
      const device = "wg set inter-fra peer $(wg show inter-fra peers)";
      // The host has heard nothing of the link since: whoever calls it is let in after its own next packet.
      await on(`${device} persistent-keepalive 0`);
      await on(`conntrack -D -p udp 2>/dev/null || true; ${device} persistent-keepalive 1`);
      await onHost(lab, "fra", "ping -q -c 1 -w 20 10.255.0.1");
      await on(disable);
      await on(`${device} persistent-keepalive off`);
    },
  );

  test("kube-proxy's mark is another one: what it would masquerade are not our packets", async () => {
    await on(
      `iptables -t nat -N KUBE-POSTROUTING && iptables -t nat -A POSTROUTING -j KUBE-POSTROUTING
       iptables -t nat -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
       iptables -t nat -A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
       iptables -t nat -A KUBE-POSTROUTING -j MASQUERADE --random-fully`,
    );
    await on("wg set inter-fra listen-port 11902 && ping -q -c 2 -w 15 10.255.0.2"); // a new flow
    expect(await onHost(lab, "fra", "wg show inter-lux endpoints")).toMatch(/:11902$/m);
    expect(await on("iptables -t nat -v -x -n -L KUBE-POSTROUTING")).toMatch(/^ *0 +0 MASQUERADE/m);
    await on("wg set inter-fra listen-port 11002 && ping -q -c 2 -w 15 10.255.0.2");
    await whole();
  });
});
