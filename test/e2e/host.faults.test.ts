/** A reboot with something broken: SSH is there within half a minute all the same, and the overlay as far as it can be. */
import type { Hosts, Session } from "../../sdk/host";
import type { Fact } from "../../sdk/kernel";
import { describeWhere } from "../can";
import { Lab } from "../lab";
import { run, until } from "../lab/run";
import { on as onHost } from "./days/network";
import { bringLink, connectionTo, differences, hostsOf } from "./hosts";
import { atBoot, inBootFiles, NO_DHCP, NOT_UNDERSTOOD } from "./plants";

jest.setTimeout(120_000);

describeWhere("lab", "a reboot with a fault planted", () => {
  let lab: Lab;
  let hosts: Hosts;
  let lux: Session;
  let facts: Fact[];
  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "managersfaults", fresh: true });
    hosts = hostsOf(lab);
    lux = hosts.session(connectionTo(lab, "lux"));
    facts = (await bringLink(lab, hosts)).lux;
  });
  afterAll(async () => {
    await hosts?.close();
    await Lab.down("managersfaults");
  });

  const on = (command: string): Promise<string> => onHost(lab, "lux", command);
  /** Reboots, and logs in over the network as somebody does who has nothing to do with the lab. */
  const reachable = async (): Promise<boolean> => {
    await lab.reboot("lux");
    return until(30_000, async () => (await run([...lab.ssh("lux"), "true"], { timeout: 10_000 })).code === 0, 100);
  };
  const whole = async () => {
    await until(10_000, async () => (await differences(lux, facts)).length === 0, 100);
    expect(await differences(lux, facts)).toEqual([]);
    await on("ping -q -c 1 -w 15 10.255.0.2");
  };

  const boot = "/etc/overlay/boot.d";
  test.each([
    ["that no tool understands", NOT_UNDERSTOOD],
    [
      "that nft refuses",
      inBootFiles(`sed -i '/ overlay nested /i nft add rule inet overlay nested garbage' ${boot}/10-node`),
    ],
    ["that is no tool's, and half of one", inBootFiles(`printf 'rm -rf /nowhere\\nnft add ta' >${boot}/00-broken`)],
  ])("a bad line in a boot file, %s", async (_, { plant, mend }) => {
    await on(plant);
    expect(await reachable()).toBe(true);
    await whole();
    expect(await on("journalctl -b -u overlay-early -o cat")).not.toBe("");
    await on(`systemctl stop overlay-late; ${mend}`);
  });

  test("no DHCP server answers: by the other family", async () => {
    await on(NO_DHCP.plant);
    await expect(lab.reboot("lux", 8_000)).rejects.toThrow(/ lacks .*203.0.113.5/);
    const [, ssh6 = ""] = lab.json.hosts.lux?.addresses ?? [];
    const login = [...lab.ssh("lux").slice(0, -1), "-o", `HostName=${ssh6}`, "lux"];
    expect(await until(30_000, async () => (await run([...login, "true"], { timeout: 10_000 })).code === 0, 100)).toBe(
      true,
    );
    expect(await on("ip -4 addr show dev eth0 scope global; nft list tables; ip -br link show group 28417")).toMatch(
      /^table inet overlay\ninter-fra /,
    );
    // And when somebody gives it its address at last:
    await on(`${NO_DHCP.mend} && systemctl restart systemd-networkd`);
    await whole();
  });

  test("nftables.service flushes all, and networkd is restarted, while the host boots", async () => {
    await on(`systemctl -q enable nftables && ${atBoot("systemctl restart nftables systemd-networkd").plant}`);
    expect(await reachable()).toBe(true);
    await whole();
  });
});
