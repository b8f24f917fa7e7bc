/** overlay-host: what somebody does on a host's console, without Pulumi, and how Pulumi sees it afterwards. */
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab, type Result } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { host, KEY, Network, side } from "./network";

jest.setTimeout(180_000);

/** A login that comes by the link with fra. */
const BY_FRA = "SSH_CONNECTION='10.255.0.2 40000 10.255.0.1 22'";

describeWhere("lab", "the console of a host", () => {
  let network: Network;
  let toFra: (spec?: Values) => Declared;
  let toHkg: (spec?: Values) => Declared;
  const lux = (spec: Values = {}) => host(network.lab, "lux", spec);
  const filtering = () => lux({ sysctls: { "net.ipv4.conf.all.rp_filter": "2" } });

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "consolea", fresh: true }));
    await network.link("lux", "fra");
    await network.link("lux", "hkg");
    const known = network.outputs("lux", "fra", "hkg");
    toFra = (spec = {}) => side(network.lab, "lux", "fra", known, spec);
    toHkg = (spec = {}) => side(network.lab, "lux", "hkg", known, spec);
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("consolea");
  });

  const on = (command: string) => network.on("lux", command);
  const overlayHost = (words: string): Promise<Result> => network.exec("lux", `overlay-host ${words}`);
  const generations = async () =>
    (await on("cd /etc/overlay && echo generations/*")).replaceAll("generations/", "").trim();
  const mtu = () => on("cat /sys/class/net/inter-fra/mtu").then(Number);
  /** One run of Pulumi in which these change. */
  async function run(...declared: Declared[]): Promise<void> {
    await network.restart();
    for (const one of declared) expect(await network.engine.up(one)).toBe("updated");
  }
  const drift = async (...declared: Declared[]) =>
    (await Promise.all(declared.map((one) => network.engine.refresh(one)))).flat();

  test("a run that changes boot files leaves one generation, one that does not none; three stay", async () => {
    expect(await generations()).toBe("*");
    expect(await overlayHost("rollback --yes")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there is no generation to go back to"),
    });
    await run(toFra({ mtu: 1400 }), toHkg({ mtu: 1400 }));
    expect(await generations()).toBe("1");
    expect(await on("grep -ho 'mtu [0-9]*' /etc/overlay/generations/1/50-*")).toBe("mtu 1420\nmtu 1420\n");
    await network.restart();
    await on("ip link set dev inter-fra mtu 1300");
    await drift(toFra());
    expect(await network.engine.up(toFra({ mtu: 1400 }))).toBe("updated");
    expect(await generations()).toBe("1");
    await run(toFra({ mtu: 1390 }));
    await run(filtering()); // its boot file comes with the confirmation
    expect(await generations()).toBe("1 2 3");
    await run(toFra({ mtu: 1380 }));
    expect(await generations()).toBe("2 3 4");
  });

  test("status says what there is and what does not hold, and shows no secret", async () => {
    await on("ping -c 1 -W 9 10.255.0.2");
    const whole = await overlayHost("status");
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    for (const words of [
      /^This host, lux, belongs to the stack net\/test\.$/m,
      /^ {2}overlay-early\.service {2}enabled at boot$/m,
      /^ {2}inter-fra {2}up, mtu 1380 {2}overlay:net\/test:fra-lux\n {4}listens on UDP port 11002\n {4}peer \S{44} {2}198\.51\.100\.9:11001\n {6}handshake \d+ s ago, received \d+ B, sent \d+ B$/m,
      /^ {2}4 {2}what this host booted from until 20\S+ \S+ UTC\n {5}differs in 50-inter-fra: -0 \+1 lines to go back$/m,
      /^All lines of the boot files hold\.$/m,
    ]) {
      expect(whole.stdout).toMatch(words);
    }
    await on(
      `ip addr del 10.255.0.1/32 dev inter-fra; nft flush chain inet overlay nested; ip rule del pref 5111
       wg set inter-hkg listen-port 999; wg set inter-fra peer $(wg show inter-fra peers) allowed-ips 10.0.0.0/8`,
    );
    const broken = await overlayHost("status");
    expect(broken.code).toBe(1);
    expect(
      broken.stdout
        .split("DO NOT HOLD")[1]
        ?.replace(/\S{43}=/, "KEY")
        .split("\n")
        .slice(1),
    ).toEqual([
      "  nft add rule inet overlay nested counter name udp sport map @guard drop",
      "  nft add rule inet overlay nested counter drop",
      "  ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111",
      expect.stringMatching(/^ {2}wg set inter-fra peer KEY allowed-ips 0\.0\.0\.0\/0,::\/0 /),
      "  ip addr add 10.255.0.1/32 dev inter-fra",
      "  ip route add 10.255.0.2/32 dev inter-fra proto 111 metric 4096 src 10.255.0.1",
      "  wg set inter-hkg listen-port 11003 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key",
      "",
    ]);
    await on("nft 'add counter inet overlay link-inter-old { packets 5 bytes 300 ; }'");
    expect((await overlayHost("status")).stdout).toMatch(
      /^WARNING: 5 encrypted packets of inter-old were about to be/m,
    );
    await on("nft delete counter inet overlay link-inter-old");
    expect(whole.stdout).not.toContain("DROPPED");
    await on(
      `nft 'add chain inet overlay spoofed; add rule inet overlay spoofed fib saddr . iif oif missing counter packets 2 bytes 168 drop
       add rule inet overlay forward iifgroup 28417 counter packets 3 bytes 252 drop; add rule inet overlay forward oifgroup 28417 counter packets 4 bytes 336 drop'`,
    );
    const { stdout: dropped } = await overlayHost("status");
    expect(dropped).toMatch(/^DROPPED: 7 packets from or to a link, which no pair of a relay lets through/m);
    expect(dropped).toMatch(/^DROPPED: 2 packets that came by another link/m);
    const secrets = await on(`cat ${KEY}`);
    expect(whole.stdout + broken.stdout).not.toContain(secrets.trim());
  });

  test("start brings back what does not hold, and says what it cannot", async () => {
    expect(await overlayHost("start")).toMatchObject({ code: 0, stderr: "" });
    await network.restart();
    expect(await drift(lux(), toFra(), toHkg())).toEqual([]);
    await on("echo 'ip addr add 192.0.2.200/32 dev nowhere' >/etc/overlay/boot.d/90-odd");
    const odd = await overlayHost("start");
    expect(odd.code).toBe(1);
    expect(odd.stderr).toMatch(/^ip addr add 192\.0\.2\.200\/32 dev nowhere: Cannot find device "nowhere"$/m);
    await on("rm /etc/overlay/boot.d/90-odd");
    // A change of Pulumi's that waits for its confirmation is nobody's to meddle with: it ends by itself.
    await on("mkdir /run/overlay/undo.f00d && : >/run/overlay/undo.f00d/commands");
    await on("systemd-run -q --collect --unit=overlay-undo-f00d sh -c 'sleep 4; rm -r /run/overlay/undo.f00d'");
    expect((await overlayHost("status")).stdout).toMatch(/^WARNING: a change waits for its confirmation/m);
    expect((await overlayHost("start")).stdout).toMatch(/^A change of another run waits/);
    await on("! ls -d /run/overlay/undo.f00d 2>/dev/null");
    expect(await drift(lux(), toFra(), toHkg())).toEqual([]);
  });

  test("a rollback says what it does and does it; a refresh shows it, and another rollback undoes it", async () => {
    expect(await network.exec("lux", `${BY_FRA} sudo overlay-host rollback`)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^WARNING: you are logged in by inter-fra, which this changes/m),
      stderr: expect.stringContaining("--yes"),
    });
    const other = await network.exec("lux", `${BY_FRA.replace("0.2", "0.3")} overlay-host rollback`);
    expect(other.stdout).not.toContain("WARNING");
    const asked = await on("echo n | script -qec 'overlay-host rollback' /dev/null || :");
    expect(asked).toMatch(/^Do it\? \[y\/N\] .*nothing was done/ms);
    expect(await mtu()).toBe(1380);
    const line = (bytes: number) =>
      `ip link set dev inter-fra mtu ${bytes} group 28417 addrgenmode none alias overlay:net/test:fra-lux`;
    const { code, stdout } = await overlayHost("rollback --yes");
    expect({ code, said: stdout.split("\n").slice(0, 2) }).toEqual({
      code: 0,
      said: [expect.stringMatching(/^Back to generation 4, .*:$/), `+ ${line(1390)}`],
    });
    expect(await mtu()).toBe(1390);
    expect(await generations()).toBe("2 3 5");
    expect(await drift(toFra())).toEqual([
      `- ${line(1380)}`,
      `+ ${line(1390)}`,
      "+ # /etc/overlay/boot.d/50-inter-fra differs: a reboot brings back something else",
    ]);
    await on("overlay-host rollback --yes");
    expect(await mtu()).toBe(1380);
    await drift(toFra());
    expect(await network.engine.up(toFra({ mtu: 1380 }))).toBe("same");
    // A key of a link's own comes with such a file, and goes with its resource alone.
    await on("echo '# overlay:wireguard:Key::own' >/etc/overlay/boot.d/40-inter-fra.own");
    await on("overlay-host rollback --yes 3"); // before the setting of the whole host
    expect(await on("cat /proc/sys/net/ipv4/conf/all/rp_filter")).toBe("0\n");
    await on("overlay-host rollback --yes");
    expect(await drift(lux(), toFra())).toEqual([]);
    expect(await on("ls /etc/overlay/boot.d; cat /proc/sys/net/ipv4/conf/all/rp_filter")).toBe(
      "10-node\n40-inter-fra.own\n50-inter-fra\n50-inter-hkg\n2\n",
    );
    await on("rm /etc/overlay/boot.d/40-inter-fra.own");
    const elsewhere =
      "sed -i 's|private-key .*|private-key /etc/overlay/keys/gone.key|' /etc/overlay/generations/*/50-inter-fra";
    await on(`cp -r /etc/overlay/generations /root/kept && ${elsewhere}`);
    expect((await overlayHost("rollback")).stdout).toMatch(/^WARNING: the key of inter-fra from then is gone/m);
    await on("rm -r /etc/overlay/generations && mv /root/kept /etc/overlay/generations");
  });

  test("a link that is made again by it costs others nothing, and Pulumi brings back what is declared", async () => {
    await run(toFra({ mtu: 1380, device: "to-fra" }));
    const pings = on("ping -q -i 0.02 -c 150 10.255.0.3");
    await on("overlay-host rollback --yes");
    expect(await pings).toContain("150 packets transmitted, 150 received, 0% packet loss");
    await on("ping -c 1 -W 9 10.255.0.2 && ! ip link show to-fra && ! ls /etc/overlay/boot.d/50-to-fra");
    expect(await overlayHost("status")).toMatchObject({ code: 0 });
    expect(await network.engine.refresh(toFra({ device: "to-fra" }))).toBe(false); // it is gone: to be made again
    expect(await network.engine.up(toFra({ mtu: 1380 }))).toBe("created");
    expect(await drift(lux(), toFra(), toHkg())).toEqual([]);
  });

  const ours =
    "ip -br link | grep inter-; ip rule | grep 5111; nft list tables | grep overlay; ip route show table all proto 111; ip -6 route show table all proto 111; pgrep wireguard-go; cat /proc/sys/net/ipv4/conf/all/rp_filter";

  test("stop takes all down and keeps the files; a refresh shows that it is gone, start brings it back", async () => {
    await on("ip link add stray type veth peer name stray1; ip link set stray group 28417"); // as of a run that broke off
    const rule = 'udp dport 11002 accept comment "overlay:net/test:fra-lux"'; // in a chain of somebody else's
    const rules = () => on("nft list chain inet filter input").then((text) => text.match(/udp dport .*/g) ?? []);
    await on("nft 'add table inet filter; add chain inet filter input { type filter hook input priority 0 ; }'");
    await on(`echo 'nft insert rule inet filter input ${rule}' >/etc/overlay/boot.d/90-firewall`);
    expect((await overlayHost("status")).stdout).toContain(
      `DO NOT HOLD (\`overlay-host start\` tries them again):\n  nft insert rule`,
    );
    expect(await overlayHost("start")).toMatchObject({ code: 0, stderr: "" });
    expect(await rules()).toEqual([rule]);
    expect(await network.exec("lux", `${BY_FRA} overlay-host stop`)).toMatchObject({ code: 1 });
    await on("ip link show inter-fra");
    expect((await overlayHost("stop")).stdout).toContain("A reboot or `overlay-host start` brings it back");
    expect(
      await on(`${ours}; systemctl restart overlay-early overlay-late; ip -br link | grep -c -e inter -e stray || :`),
    ).toBe("0\n0\n");
    expect((await overlayHost("status")).stdout).toMatch(/It was STOPPED here at/);
    expect(await rules()).toEqual([]);
    const gone = await drift(lux(), toFra(), toHkg());
    expect(gone).toEqual(
      expect.arrayContaining(["- ip link add dev inter-fra type wireguard", "- nft add table inet overlay"]),
    );
    expect(await overlayHost("start")).toMatchObject({ code: 0, stderr: "" });
    expect(await rules()).toEqual([rule]);
    await on("nft delete table inet filter; rm /etc/overlay/boot.d/90-firewall");
    await drift(lux(), toFra(), toHkg());
    expect(await network.engine.up(toFra({ mtu: 1380 }))).toBe("same");
    expect(await network.engine.up(toHkg({ mtu: 1400 }))).toBe("same");
    expect(await network.engine.up(filtering())).toBe("same");
    await on("ping -c 1 -W 9 10.255.0.2 && ping -c 1 -W 9 fd00:6f::3");
  });

  test("what is exported builds the same link with wg-quick and ip alone", async () => {
    const text = await network.on("fra", "overlay-host export | tee /root/overlay.sh");
    expect(text).not.toContain((await network.on("fra", `cat ${KEY}`)).trim());
    await network.on("fra", "overlay-host stop && sh -u /root/overlay.sh 2>&1");
    expect(
      await network.on("fra", "systemctl is-active wg-quick@inter-lux; cat /sys/class/net/inter-lux/netdev_group"),
    ).toBe("active\n28417\n");
    await network.on("fra", "ping -c 1 -w 15 fd00:6f::1 && ! ping -c 1 -W 1 10.255.0.77");
    await on("ping -c 1 -W 9 10.255.0.2 && ping -c 1 -W 9 fd00:6f::2");
  });

  test("with the node go its generations and the command", async () => {
    for (const one of [toFra(), toHkg(), lux()]) await network.engine.destroy(one);
    await on("! ls -d /etc/overlay /usr/local/sbin/overlay-host 2>/dev/null");
  });
});
