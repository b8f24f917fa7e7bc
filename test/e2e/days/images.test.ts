/** Hosts of other releases: their tools say the same things in other words, and each must be understood. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { must } from "../../lab/run";
import { IDS, KEY, kernel, LINKS, leaks, network, on, pings, rememberKeys, traces } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "images", "engine"], "hosts of other releases", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};
  const built: Record<string, string> = {};

  beforeAll(async () => {
    lab = await Lab.up(process.env.OVERLAY_IMAGES ?? "images", { name: "images", fresh: true });
    // One of them knows a unit already that is to do more.
    await on(lab, lab.hosts[0] ?? "", "systemctl enable --now nftables");
    for (const host of lab.hosts) {
      // Ubuntu marks in a file that somebody has logged in.
      await must([...lab.ssh(host), "true"]);
      found[host] = await traces(lab, host);
    }
    work = await Workspace.make(lab, network(lab));
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("images");
  });

  test("they are the releases that this is about", async () => {
    const release = async (host: string) =>
      (await on(lab, host, '. /etc/os-release && echo "$VERSION_CODENAME"')).trim();
    expect(await Promise.all(lab.hosts.map(release))).toEqual(lab.hosts.map((host) => lab.topology.hosts[host]?.image));
  });

  test("the first `up`: packets of both families pass", async () => {
    const { resources, logins } = await work.up();
    expect({ resources, logins }).toEqual({ resources: ["+ 17 created"], logins: { lux: 1, fra: 1, hkg: 1 } });
    await rememberKeys(lab);
    await pings(lab);
  });

  test("systemd knows every unit as its files say, those that it had loaded before and those that it had not", async () => {
    const units = "nftables.service overlay-early.service overlay-late.service";
    for (const host of lab.hosts) {
      const said = await on(lab, host, `systemctl show -p DropInPaths,LoadState,NeedDaemonReload ${units}`);
      expect(said).toContain("/etc/systemd/system/nftables.service.d/50-overlay.conf");
      expect(said.match(/LoadState=loaded/g)).toHaveLength(3);
      expect(said.match(/NeedDaemonReload=no/g)).toHaveLength(3);
    }
  });

  test("an MTU is changed: one command and nothing that a look has found, and a boot file on each side that a reboot replays", async () => {
    for (const link of Object.values(work.declared.links)) link.mtu = 1400;
    const { done } = await work.up("--refresh");
    expect(done).toEqual(
      ["fra-hkg@fra", "fra-hkg@hkg", "lux-fra@fra", "lux-fra@lux", "lux-hkg@hkg", "lux-hkg@lux"].map(
        (side) => `${side} updated 1 command`,
      ),
    );
    for (const host of lab.hosts) built[host] = await kernel(lab, host);
    await Promise.all(lab.hosts.map((host) => lab.reboot(host)));
    await pings(lab);
    for (const host of lab.hosts) expect(await kernel(lab, host)).toBe(built[host]);
  });

  test("on its console each goes back to what it was before and forth again, and down and up", async () => {
    const anew = async (host: string) => {
      await on(lab, host, "overlay-host status && overlay-host rollback --yes");
      expect(await on(lab, host, "cat /sys/class/net/inter-*/mtu")).toBe("1420\n1420\n");
      await on(
        lab,
        host,
        "overlay-host rollback --yes && overlay-host stop && overlay-host start && overlay-host status",
      );
      expect(await kernel(lab, host)).toBe(built[host]);
    };
    await Promise.all(lab.hosts.map(anew));
  });

  test("what somebody changed by hand is found, line by line and nothing else, and mended", async () => {
    const drifted = lab.hosts.map(async (host, index) => {
      const peer = lab.hosts[(index + 1) % lab.hosts.length] ?? "";
      const [device, port, to, from] = [`inter-${peer}`, 11000 + (IDS[peer] ?? 0), IDS[peer], IDS[host]];
      await on(
        lab,
        host,
        `ip link set dev ${device} mtu 1300
         ip addr add 10.9.9.9/32 dev ${device}
         ip route del 10.255.0.${to}/32 dev ${device}
         wg set ${device} fwmark 0
         nft delete element inet overlay guard { ${port} }
         ip rule del pref 5111`,
      );
      const [link] = Object.entries(LINKS).find(([, ends]) => ends.includes(host) && ends.includes(peer)) ?? [];
      const rest = `group 28417 addrgenmode none alias overlay:net/prod:${link}`;
      return [
        `- ip link set dev ${device} mtu 1400 ${rest}`,
        `+ ip link set dev ${device} mtu 1300 ${rest}`,
        `+ ip addr add 10.9.9.9/32 dev ${device}`,
        `- ip route add 10.255.0.${to}/32 dev ${device} proto 111 metric 4096 src 10.255.0.${from}`,
        `- wg set ${device} listen-port ${port} fwmark 0x6f private-key ${KEY}`,
        `+ wg set ${device} listen-port ${port} fwmark 0x0 private-key ${KEY}`,
        `- nft add counter inet overlay link-${device}`,
        `- nft add element inet overlay guard { ${port} : "link-${device}" }`,
        "- ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111",
      ];
    });
    const expected = (await Promise.all(drifted)).flat().sort();
    const lines = (await work.drift()).map((line) => line.trim());
    expect(lines.filter((line) => /^[-+] (#|[a-z-]+ )/.test(line)).sort()).toEqual(expected);
    const told = lab.hosts.map((host) =>
      on(lab, host, "overlay-host status | sed -n 's/^  \\(ip\\|wg\\|nft\\) /- &/p'"),
    );
    const missing = (await Promise.all(told)).flatMap((text) => text.trim().split("\n"));
    const declared = expected.filter((line) => /^- (?!nft add counter)/.test(line));
    expect(missing.map((line) => line.replace(/\s+/g, " ")).sort()).toEqual(declared);
    await work.up("--refresh");
    for (const host of lab.hosts) expect(await kernel(lab, host)).toBe(built[host]);
  });

  test("all of it is destroyed: each host is as it was found", async () => {
    expect((await work.destroy()).logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    for (const host of lab.hosts) {
      // The kernel's own WireGuard switches ICMP redirects off for good: drivers/net/wireguard/device.c, wg_open.
      const isVm = lab.topology.hosts[host]?.kind === "vm";
      const left = (text = "") => (isVm ? text.replace("all.send_redirects = 1", "all.send_redirects = 0") : text);
      expect(await traces(lab, host)).toBe(left(found[host]));
    }
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
