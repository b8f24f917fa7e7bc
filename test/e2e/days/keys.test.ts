/**
 * Keys of a link's own. A link that somebody made with wg-quick is taken over with its key and loses no packet; later it
 * gets new keys while packets pass.
 */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { byHand, eventually, leaks, network, on, pings, remember, traces, traffic } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

const LINK = ["lux-fra"];
const PORT = 51820;
/** Pings a second where it is measured how long none pass. */
const RATE = 250;
const BEHIND_FRA = "192.168.9.0/24"; // by hand it is on both

describeWhere(["lab", "engine"], "keys of a link's own", () => {
  let lab: Lab;
  let work: Workspace;
  let found: string;
  const hosts = ["lux", "fra"];
  const both = <T>(ask: (host: string) => Promise<T>): Promise<T[]> => Promise.all(hosts.map(ask));
  const publicKeys = () => both((host) => on(lab, host, "wg show wg0 public-key"));
  const rememberKeys = () => both(async (host) => remember((await on(lab, host, "wg show wg0 private-key")).trim()));

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "keys", fresh: true });
    found = await traces(lab, "fra");
    await byHand(
      lab,
      hosts.map((host) => ({ host, device: "wg0", port: PORT })),
    );
    work = await Workspace.make(lab, network(lab, hosts));
    const adopted = { adopt: { a: true, b: true }, devices: { a: "wg0", b: "wg0" }, ports: { a: PORT, b: PORT } };
    Object.assign(work.declared.links["lux-fra"] ?? {}, adopted, { routes: { b: [BEHIND_FRA] } });
    await pings(lab, LINK);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("keys");
  });

  test("a link of wg-quick's is taken over as the preview says: its key stays, its file is a backup, and no packet is lost", async () => {
    const keys = await publicKeys();
    const packets = await Promise.all(["lux-fra", "fra-lux"].map((link) => traffic(lab, link)));
    const { code, text } = await work.run("up", "--yes", "--diff");
    const lost = await Promise.all(packets.map((one) => one.end()));
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(lost).toMatchObject([{ lost: 0 }, { lost: 0 }]);
    const [preview = ""] = text.split("\nUpdating ");
    expect(preview).toContain("wg show wg0 private-key > /etc/overlay/keys/wg0.adopted.key");
    expect(preview).toContain("wg0 of root@203.0.113.5 is taken over as it is, by these steps:");
    expect(preview).toContain("Until the next boot only: what PostUp of /etc/wireguard/wg0.conf did, ");
    expect(preview.split(`Until the next boot only: the routes to ${BEHIND_FRA}.`)).toHaveLength(2); // on fra alone
    expect(preview).toContain("At once: the routes to 10.255.0.0/24 go");
    expect(preview).toMatch(
      /^systemctl disable wg-quick@wg0\.service\nretire \S+\n(?:ip addr del fe80\S+ dev wg0\n)?ip addr del 10\.255\.0\.1\/24 dev wg0$/m,
    );
    expect(preview).not.toMatch(/wg set wg0 peer \S+ remove|ip link (add|delete) dev wg0$/m);
    expect(await publicKeys()).toEqual(keys);
    const files = await both((host) => on(lab, host, "ls /etc/wireguard; systemctl is-enabled wg-quick@wg0 || :"));
    expect(files).toEqual(hosts.map(() => "wg0.conf.before-overlay\ndisabled\n"));
    expect(await on(lab, "lux", "ip -br addr show dev wg0")).toMatch(
      /10\.255\.0\.1\/32 fd00:6f::1\/128 fe80::1\/64 *\n$/,
    );
    await pings(lab, LINK);
  });

  test("then there is nothing more to do, and a reboot brings it back with the same key", async () => {
    const keys = await publicKeys();
    await work.up("--refresh", "--expect-no-changes");
    await lab.reboot("lux");
    await eventually("lux does not answer by the link", async () => {
      const { code } = await lab.exec("fra", "ping -q -c 1 -W 1 10.255.0.1");
      return code === 0;
    });
    expect(await publicKeys()).toEqual(keys);
    expect(await on(lab, "lux", "ip route get 192.168.9.7")).toContain(" dev wg0 table 111 ");
    await pings(lab, LINK);
  });

  test("another label: new keys on both, what that costs is told, and the old ones go in the end", async () => {
    const keys = await publicKeys();
    Object.assign(work.declared.links["lux-fra"] ?? {}, { rotate: "2026-11" });
    const packets = await Promise.all(["lux-fra", "fra-lux"].map((link) => traffic(lab, link, RATE)));
    const began = Date.now();
    const { code, text } = await work.run("up", "--yes", "--diff");
    const counted = await Promise.all(packets.map((one) => one.end()));
    const seconds = (Date.now() - began) / 1000;
    expect({ code, text }).toMatchObject({ code: 0 });
    const [preview = ""] = text.split("\nUpdating ");
    const said = preview.match(/wgDevice wg0 gets another key: until the other side is told of it, about 0\.2 s /g);
    expect(said).toHaveLength(2);
    // Seconds in which no answer comes: 0 where the side that changes first asks, for what it sends waits; 0.15 where the other
    // does. With as much again, and some, for a machine that is busy.
    for (const { sent, lost } of counted) {
      expect(sent / seconds).toBeGreaterThan(20);
      expect((lost / sent) * seconds).toBeLessThan(0.5);
    }
    for (const key of await publicKeys()) expect(keys).not.toContain(key);
    expect(await both((host) => on(lab, host, "ls /etc/overlay/keys"))).toEqual(
      hosts.map(() => "wg0.2026-11.key\nwireguard.key\n"),
    );
    await rememberKeys();
    await pings(lab, LINK);
  });

  test("destroyed, nothing of ours is left, and the backup of theirs is", async () => {
    await work.destroy();
    await both((host) => on(lab, host, "! ip link show wg0 && rm /etc/wireguard/wg0.conf.before-overlay"));
    expect(await traces(lab, "fra")).toBe(found);
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
