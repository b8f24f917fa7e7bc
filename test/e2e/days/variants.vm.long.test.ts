/**
 * A segment of each variant on a host with a kernel of its own, which is Debian's, over its own WireGuard. Each command costs
 * an emulated host a tenth of a second: there is but one, no more is done there than this, and the other one asks.
 */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { eventually, network, on } from "./network";
import { askedForNobody, HOSTS_BEHIND, inside, pastTheRouter, SEGMENTS, segments, silent, Watch } from "./segments";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

/** Between two members each, some over IPv4 and some over IPv6. */
const NAMES = ["pair4", "group4", "flood6", "l26", "arpnd6", "short6", "route4"];
const TRIED = SEGMENTS.filter(({ name }) => NAMES.includes(name));

describeWhere(["lab", "vm", "engine"], "segments in a kernel of its own", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("rack-vm", { name: "variants", fresh: true });
    await on(lab, "fra", HOSTS_BEHIND);
    work = await Workspace.make(lab, { ...network(lab, lab.hosts), segments: segments(TRIED) });
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("variants");
  });

  /** Addresses of lux that fra gets no answer from, in both families. */
  const missing = () => {
    const ofBoth = TRIED.filter(({ segment }) => segment.members.fra?.bridge === undefined);
    const all = ofBoth.flatMap(({ vni }) => inside(vni, "lux"));
    return silent(lab, "fra", all, 10);
  };

  test("members answer in both families, and frames go where the variant says", async () => {
    const { logins } = await work.up();
    expect(logins).toEqual({ lux: 1, fra: 1 });
    expect(await on(lab, "lux", "ip -d link show inter-fra")).toContain("    wireguard ");
    expect(await missing()).toEqual([]);
    const watch = new Watch(lab, "lux");
    await watch.start();
    expect(await askedForNobody(lab, watch, TRIED)).toEqual([
      ...["101 > fra", "102 > group", "113 > fra", "114 > fra", "116 > fra"],
    ]);
    expect(await pastTheRouter(lab, "vx-short6")).toEqual({ lux: { past: 4, to: 0 }, fra: { past: 4, to: 0 } });
  });

  test("what hands have changed is found, and nothing else, and mended", async () => {
    await on(
      lab,
      "lux",
      `set -e
      bridge fdb del 00:00:00:00:00:00 dev vx-flood6 dst fd00:6f::2
      bridge fdb append 02:aa:00:00:00:01 dev vx-l26 dst fd00:6f::2
      bridge fdb replace 02:00:00:73:00:02 dev vx-arpnd6 dst fd00:6f::9
      ip neigh del 10.115.0.2 dev vx-arpnd6
      ip route del 10.107.0.2/32 dev vx-route4
      ip addr del 10.101.0.1/24 dev vx-pair4
      ip link set dev vx-group4 mtu 1300
      ip link set dev vx-group4 type vxlan ttl 3
      ip link del vx-short6`,
    );
    const { done } = await work.up("--refresh");
    expect(done).toMatchInlineSnapshot(`
[
  "arpnd6@lux updated 2 commands",
  "flood6@lux updated 1 command",
  "group4@lux updated 2 commands",
  "l26@lux updated 1 command",
  "pair4@lux updated 1 command",
  "route4@lux updated 1 command",
  "short6@lux updated 20 commands",
]
`);
    expect(await missing()).toEqual([]);
  });

  test("after a reboot all is there, and there is nothing to do", async () => {
    await lab.reboot("lux");
    await eventually("not all answer", async () => (await missing()).length === 0);
    expect(await work.drift()).toEqual([]);
  });
});
