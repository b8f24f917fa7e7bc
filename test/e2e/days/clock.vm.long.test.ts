/**
 * A host that boots in 1970, as one does whose clock has no battery. Its peer remembers that it has called later than that: so
 * it calls in vain until its clock is right, if nobody calls it.
 */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { pause } from "../../lab/run";
import { eventually, leaks, network, on, pings, rememberKeys } from "./network";
import { Workspace, well } from "./workspace";

jest.setTimeout(300_000);

/** Sets the clock before a link is there that could call. */
const NO_BATTERY = `[Unit]
DefaultDependencies=no
Before=overlay-early.service
[Service]
Type=oneshot
ExecStart=/bin/date -s @60
[Install]
RequiredBy=overlay-early.service`;

describeWhere(["lab", "vm", "engine"], "a clock in 1970", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("vm", { name: "daysclock", fresh: true });
    const declared = network(lab, ["lux", "fra"]);
    // lux alone calls, as from behind a router.
    Object.assign(declared.nodes.lux ?? {}, { endpoints: [] });
    work = await Workspace.make(lab, declared);
    await work.up();
    await pings(lab, ["lux-fra"]);
    await rememberKeys(lab);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("daysclock");
  });

  const answers = async (seconds: number): Promise<boolean> =>
    (await lab.exec("lux", `ping -q -c 1 -w ${seconds} 10.255.0.2`)).code === 0;
  const handshake = async (host: string, device: string): Promise<number> =>
    Number((await on(lab, host, `wg show ${device} latest-handshakes`)).split("\t")[1]);

  test("it boots, its device is there and SSH lets in; the link is silent, for the other end takes no call of the past", async () => {
    // Whose last packet is not answered within 15 s calls by itself (the WireGuard paper, section 6.1), and is taken up on it.
    await pause(15_000);
    const before = await handshake("fra", "inter-lux");
    await on(lab, "lux", `cat >/etc/systemd/system/no-battery.service <<'X'\n${NO_BATTERY}\nX`);
    await on(lab, "lux", "systemctl enable no-battery && sync");
    await lab.reboot("lux");
    const up = "systemctl is-active overlay-late.service";
    await eventually("the boot units have not ended", async () => (await lab.exec("lux", up)).stdout === "active\n");
    expect(await on(lab, "lux", "date +%Y")).toBe("1970\n");
    expect(await answers(12)).toBe(false);
    expect([await handshake("lux", "inter-fra"), await handshake("fra", "inter-lux")]).toEqual([0, before]);
  });

  test("a refresh says which clock it is, and what to run", async () => {
    const { text } = well(await work.run("refresh", "--preview-only", "--target", "**overlay:node:Host::lux"));
    expect(text).toMatch(
      /warning: The clock of lux says 1970-01-01T\S+, which is behind: .*`timedatectl set-ntp true` on lux/,
    );
  });

  test("its clock set right, as the warning says, the link is back with its next call", async () => {
    expect(await answers(2)).toBe(false);
    await on(lab, "lux", `date -s @${Math.ceil(Date.now() / 1000)}`);
    const began = Date.now();
    while (!(await answers(1)) && Date.now() < began + 30_000) await pause(100);
    // It calls every 5 s.
    expect((Date.now() - began) / 1000).toBeLessThan(10);
    await pings(lab, ["lux-fra"]);
    const { text } = well(await work.run("refresh", "--preview-only"));
    expect(text).not.toContain("The clock of");
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
