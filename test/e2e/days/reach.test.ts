/** Hosts that are reached in every way there is, and every reason why one is not, or will not have what is declared. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { type HostJson, Lab } from "../../lab";
import { must } from "../../lab/run";
import { kernel, leaks, network, on, pings, remember, rememberKeys } from "./network";
import type { Declared } from "./program";
import { errors, Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "hosts", () => {
  let lab: Lab;
  let work: Workspace;
  const built: Record<string, string> = {};
  const keys = mkdtempSync(join(tmpdir(), "overlay-days-"));

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "daysreach", fresh: true });
    work = await Workspace.make(lab, network(lab));
  });
  afterAll(async () => {
    work?.remove();
    rmSync(keys, { recursive: true, force: true });
    await Lab.down("daysreach");
  });

  const connection = (name: string): Record<string, unknown> =>
    (work.declared.nodes[name] as Declared["nodes"][string]).connection;

  /** A host's kernel without what peers may choose. */
  const settled = async (host: string): Promise<string> => (await kernel(lab, host)).replace(/^ *endpoint: .*$/gm, "");
  const whole = async (host: string): Promise<string> =>
    (await settled(host)) + (await on(lab, host, "cat /etc/overlay/boot.d/*"));

  test("a key in memory, a user with sudo, a bastion; IPv6 underneath, a port that is redirected, a pool of ports", async () => {
    await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(keys, "key")]);
    const key = readFileSync(join(keys, "key"), "utf8");
    remember(...key.split("\n").filter((line) => line.length > 60));
    const authorized = readFileSync(join(keys, "key.pub"), "utf8");
    for (const host of lab.hosts) {
      await lab.exec(host, "cat >>/root/.ssh/authorized_keys", { input: authorized });
      await lab.exec(host, "cat >/home/admin/.ssh/authorized_keys", { input: authorized }); // the operator's own key is not
    }
    work.declared.provider.identities = [key];
    const { nodes, links } = work.declared;
    const [lux6 = "", hkg6 = ""] = ["lux", "hkg"].map((host) => lab.json.hosts[host]?.addresses[1]);
    connection("fra").user = "admin";
    connection("hkg").proxyJump = "lux";
    connection("hkg").host = hkg6;
    Object.assign(nodes.lux ?? {}, { endpoints: [{ address: lux6, ports: [443] }] });
    Object.assign(nodes.fra ?? {}, { endpoints: [] });
    Object.assign(nodes.hkg ?? {}, { ports: [4500, 4501] });
    links["lux-fra"] = { a: "lux", b: "fra", family: "inet6", alsoPorts: { a: [443] } };
    links["lux-hkg"] = { a: "lux", b: "hkg", family: "inet" }; // one outside port is one link's

    const { resources, logins } = await work.up();
    expect({ resources, logins }).toEqual({ resources: ["+ 17 created"], logins: { lux: 1, fra: 1, hkg: 1 } });
    await rememberKeys(lab);
    await pings(lab, ["fra-hkg"]);
    await on(lab, "fra", "ping -q -c 2 -i 0.2 -w 15 10.255.0.1");
    expect((await on(lab, "fra", "wg show inter-lux endpoints")).split("\t")[1]).toBe(`[${lux6}]:443\n`);
    expect((await on(lab, "lux", "wg show inter-fra endpoints")).split("\t")[1]).toBe("[2001:db8:2::9]:11001\n");
    expect(await on(lab, "hkg", "wg show all listen-port | sort")).toBe("inter-fra\t4500\ninter-lux\t4501\n");
    const from = await on(lab, "hkg", "journalctl -u ssh | grep Accepted | tail -1");
    expect(from).toContain(` from ${lux6} `);
    for (const host of lab.hosts) built[host] = await whole(host);
  });

  test("the key in memory stands in no state, log or process, and a packet of full size passes the link", async () => {
    expect(await work.export()).toContain('"identities"');
    expect(leaks()).toEqual([]);
    await on(lab, "fra", "ping -q -c 2 -i 0.2 -w 15 -M do -s 1392 10.255.0.1");
  });

  test("every refusal in one run: each host says its own, and what is refused stays as it is", async () => {
    const { nodes } = work.declared;
    const [lux, fra, hkg] = ["lux", "fra", "hkg"].map((name) => lab.json.hosts[name] as HostJson);
    if (!lux || !fra || !hkg) throw new Error("another lab");
    const [, lux6 = ""] = lux.addresses;
    const [fra4 = "", fra6 = ""] = fra.addresses;
    const [hkg4 = "", hkg6 = ""] = hkg.addresses;
    // The same machines by other ways, none of which leads in.
    const ways = {
      stranger: { host: lux6, hostKey: lux.hostKey, user: "stranger" },
      closed: { host: fra4, hostKey: fra.hostKey, user: "admin", port: 23 },
      guest: { host: hkg4, hostKey: hkg.hostKey, user: "guest" },
      unknown: { host: fra6, user: "admin" },
      changed: { host: hkg6, hostKey: lux.hostKey, user: "root" },
    };
    const { knownHosts } = lab.json;
    writeFileSync(knownHosts, readFileSync(knownHosts, "utf8").replace(`,${fra6}`, ""));
    await lab.exec("hkg", "cat /root/.ssh/authorized_keys >/home/guest/.ssh/authorized_keys");
    for (const [index, [name, connection]] of Object.entries(ways).entries())
      nodes[name] = { id: 4 + index, connection };
    // A new machine is waited for: no longer than its customTimeouts say.
    work.declared.seconds = Object.fromEntries(Object.keys(ways).map((name) => [name, 8]));

    await on(lab, "fra", "mv /usr/bin/wg /usr/bin/wg.gone");
    await on(lab, "lux", "ip addr add 10.255.7.1/28 dev eth0");
    await on(lab, "hkg", "mount --bind /etc /etc && mount -o remount,ro,bind /etc");
    for (const name of lab.hosts) Object.assign(nodes[name] ?? {}, { prefixes: ["10.255.0.0/16", "fd00:6f::/48"] });
    const { done, text } = await work.tryUp("--continue-on-error");
    await on(lab, "fra", "mv /usr/bin/wg.gone /usr/bin/wg");
    await on(lab, "lux", "ip addr del 10.255.7.1/28 dev eth0");
    await on(lab, "hkg", "umount /etc");
    expect(done).toEqual([
      "changed creating failed",
      "closed creating failed",
      "fra updating failed",
      "guest creating failed",
      "hkg updating failed",
      "lux updating failed",
      "stranger creating failed",
      "unknown creating failed",
    ]);
    expect(
      errors(text).map((line) => line.replace(/sh: \d+/, "sh: N").replace(/SHA256:[^\s)]+/, "SHA256:HASH")),
    ).toEqual([
      'admin@198.51.100.9: packages: found a host without wg, legal is a host that has wg; `apt-get install --no-install-recommends wireguard-tools` there, or say packages: "install". [host/package]',
      "admin@198.51.100.9:23 refuses TCP port 23 (ssh: connect to host 198.51.100.9 port 23: Connection refused): start sshd there, or correct connection.port. [host/refused]",
      'guest@192.0.2.7 may not use sudo without a password (sudo: a password is required): write "guest ALL=(ALL) NOPASSWD: ALL" to a file in /etc/sudoers.d there, or connect as root. [host/sudo]',
      "nobody vouches for the host key of admin@2001:db8:2::9: set connection.hostKey to the host's own key (on its console: cat /etc/ssh/ssh_host_ed25519_key.pub), or connect once with ssh and compare the fingerprint. [host/hostKeyUnknown]",
      "root@2001:db8:3::7 shows another host key (SHA256:HASH) than the one that connection.hostKey pins; somebody may be listening in between: only if the host was rebuilt, set connection.hostKey to its new key (on its console: cat /etc/ssh/ssh_host_ed25519_key.pub). [host/hostKeyChanged]",
      "root@2001:db8:3::7: `put 0644 /etc/overlay/boot.d/10-node` failed (sh: N: cannot create /etc/overlay/boot.d/10-node.overlay-new: Read-only file system): the file system is read-only: mount it for writing (mount -o remount,rw /) and run again. [provider/failed]",
      'root@203.0.113.5: prefixes[0]: found "10.255.0.0/16", legal is a prefix that the host is not connected to, and its device eth0 is in 10.255.7.0/28; choose another prefix for the overlay. [input/overlap]',
      "stranger@2001:db8:1::5 accepts none of the keys on offer (stranger@2001:db8:1::5: Permission denied (publickey,password).): put a public key into ~stranger/.ssh/authorized_keys there, load its private key into your ssh-agent, or set the provider's identities. [host/auth]",
    ]);
    for (const host of ["lux", "fra"]) expect(await whole(host)).toBe(built[host]);
  });

  test("no private key was seen", async () => {
    await rememberKeys(lab);
    expect(leaks()).toEqual([]);
  });
});
