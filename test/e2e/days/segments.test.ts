/** Segments of every variant, from the first `up` to `destroy`: what their packets do, and what others cannot do to them. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { network, on, traces } from "./network";
import { HOST_BEHIND, inside, SEGMENTS, segments, silent, Watch } from "./segments";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "segments of every variant", () => {
  let lab: Lab;
  let work: Workspace;
  let watch: Watch;
  const found: Record<string, string> = {};

  beforeAll(async () => {
    lab = await Lab.up("rack", { name: "segments", fresh: true });
    await on(lab, "fra", HOST_BEHIND);
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    work = await Workspace.make(lab, { ...network(lab), segments: segments() });
    watch = new Watch(lab, "lux");
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("segments");
  });

  /** What lux calls in a segment. */
  const others = (vni: number, to: string) => inside(vni, to).map((address) => ({ address }));
  /** All that lux can call in all segments. */
  const everybody = () => [
    ...SEGMENTS.flatMap(({ vni, members, segment }) =>
      members.filter((to) => to !== "lux" && !segment.members[to]?.bridge).flatMap((to) => others(vni, to)),
    ),
    { address: "10.99.0.50" },
    { address: "fd00:99::50" },
  ];

  test("up makes all of them; every member answers in both families, and what lies behind a router that is not there", async () => {
    const { logins } = await work.up();
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    await watch.start();
    expect(await silent(lab, "lux", everybody())).toEqual([]);
  });
});
