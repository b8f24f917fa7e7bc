/** What somebody who rents three servers has: they boot, can be logged in to, and reach each other. */
import { describeWhere } from "../can";
import { Lab, run } from ".";

jest.setTimeout(120_000);

describeWhere("lab", "three servers on the internet", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "tnet", fresh: true });
  });
  afterAll(() => Lab.down("tnet"));

  const ssh = (args: string[]) => run([...lab.json.ssh.split(" "), ...args]);

  test("each reaches every other, over IPv4 and IPv6, in full packets", async () => {
    const { hosts } = lab.json;
    const addresses = Object.values(hosts).flatMap((host) => host.addresses);
    expect(addresses).toHaveLength(6);
    for (const from of Object.keys(hosts)) {
      for (const to of addresses) {
        const size = to.includes(":") ? 1500 - 40 - 8 : 1500 - 20 - 8;
        const { code, stdout } = await lab.exec(from, ["ping", "-q", "-c1", "-W1", "-M", "do", "-s", String(size), to]);
        expect([from, to, code, stdout]).toEqual([from, to, 0, expect.any(String)]);
      }
    }
  });

  test("the operator logs in by name and by each address, and knows every host key", async () => {
    for (const [name, { addresses, machine, hostKey, host = "" }] of Object.entries(lab.json.hosts)) {
      for (const target of [name, ...addresses]) {
        const { stdout, stderr } = await ssh([target, "cat /etc/machine-id; hostname"]);
        expect({ target, stdout, stderr }).toEqual({ target, stdout: `${machine}\n${name}\n`, stderr: "" });
      }
      const { stdout } = await run([
        "nsenter",
        `--net=/run/netns/${lab.json.operator}`,
        "ssh-keyscan",
        "-t",
        "ed25519",
        host,
      ]);
      expect(stdout).toBe(`${host} ${hostKey}\n`);
    }
  });

  test("systemd comes up whole, and networkd has configured the network", async () => {
    for (const host of lab.hosts) {
      expect((await lab.exec(host, "systemctl is-system-running --wait")).stdout).toBe("running\n");
      expect((await lab.exec(host, "networkctl --no-legend list eth0")).stdout).toMatch(/routable\s+configured/);
    }
  });

  test("admin becomes root by sudo -n, guest does not", async () => {
    expect(await ssh(["-l", "admin", "lux", "sudo -n id -u"])).toMatchObject({ code: 0, stdout: "0\n" });
    expect(await ssh(["-l", "guest", "lux", "sudo -n id -u"])).toMatchObject({ code: 1, stdout: "" });
  });

  test("exec hands over arguments, input and exit codes as they are", async () => {
    const words = ["printf", "%s|", "a b", "$HOME", "'", ""];
    expect((await lab.exec("lux", words)).stdout).toBe("a b|$HOME|'||");
    expect(await lab.exec("lux", "cat; echo to stderr >&2; exit 7", { input: "in" })).toEqual({
      code: 7,
      stdout: "in",
      stderr: "to stderr\n",
    });
    expect(() => lab.exec("nowhere", "true")).toThrow("its hosts are lux, fra, hkg");
  });

  test("dead addresses fail each in its own way", async () => {
    const dial = async (address: string) => (await ssh(["-o", "ConnectTimeout=4", address, "true"])).stderr;
    const { drops, refuses, absent } = lab.dead;
    const [dropped, refused, nobody] = await Promise.all([drops, refuses, absent].map(dial));
    expect(dropped).toContain("Connection timed out");
    expect(refused).toContain("Connection refused");
    expect(nobody).toContain("No route to host");
  });

  test("a machine of one's own: WireGuard, VXLAN, nft, sysctls, timers, packages", async () => {
    const key = (host: string) => lab.exec(host, "cat > /root/setup; sh /root/setup", { input: WIREGUARD });
    const [lux, fra] = await Promise.all([key("lux"), key("fra")]);
    expect([lux.code, fra.code, lux.stderr]).toEqual([0, 0, ""]);
    await lab.exec(
      "lux",
      `wg set wg0 peer ${fra.stdout.trim()} allowed-ips 10.9.0.2/32 endpoint 198.51.100.9:51820; ip addr add 10.9.0.1/24 dev wg0`,
    );
    await lab.exec(
      "fra",
      `wg set wg0 peer ${lux.stdout.trim()} allowed-ips 10.9.0.1/32; ip addr add 10.9.0.2/24 dev wg0`,
    );
    expect((await lab.exec("lux", "ping -q -c2 -i 0.2 -W2 10.9.0.2")).stdout).toContain(" 0% packet loss");
    // The loop guard's words: a packet that would leave by a tunnel.
    await lab.exec("lux", "nft -f -", {
      input: `table inet t {
  chain guard {
    type filter hook postrouting priority 300
    meta oifkind { "wireguard", "tun", "vxlan" } counter drop
  }
}
`,
    });
    expect((await lab.exec("lux", "ping -q -c1 -W1 10.9.0.2")).code).toBe(1);
    expect((await lab.exec("lux", "nft list table inet t")).stdout).toContain("counter packets 1 ");
    const able = [
      "ip link add vxlan100 type vxlan id 100 dstport 4789 local 203.0.113.5",
      "sysctl -q -w net.ipv6.conf.all.forwarding=1 net.ipv4.conf.eth0.rp_filter=2",
      "systemd-run --quiet --collect --wait true",
      "ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111",
      "dpkg --purge wireguard-tools && ! command -v wg && apt-get install -y wireguard-tools && wg --version",
    ];
    for (const command of able)
      expect([command, await lab.exec("lux", command)]).toEqual([command, expect.objectContaining({ code: 0 })]);
  });
});

/** wireguard-go under a unit; prints the public key. */
const WIREGUARD = `set -eu
umask 077
printf '[Service]\\nExecStart=/usr/bin/wireguard-go -f wg0\\n' >/etc/systemd/system/wg0.service
systemctl daemon-reload
systemctl start wg0
until wg show wg0 >/dev/null 2>&1; do sleep 0.02; done
wg genkey >/root/key
wg set wg0 private-key /root/key listen-port 51820 fwmark 0x6f
ip link set wg0 mtu 1420 up
wg show wg0 public-key
`;
