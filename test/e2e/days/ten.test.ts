/** One of ten hosts is dead when all of them are to change. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { leaks, node, on, rememberKeys } from "./network";
import { errors, Workspace } from "./workspace";

jest.setTimeout(300_000);

const DEAD = "n7";

describeWhere(["lab", "engine"], "one of ten hosts", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("ten", { name: "tendays", fresh: true });
    const nodes = Object.fromEntries(lab.hosts.map((name, index) => [name, node(lab, name, index + 1)]));
    for (const { connection } of Object.values(nodes)) connection.connectTimeout = 2;
    work = await Workspace.make(lab, {
      nodes,
      links: {},
      meshes: { mesh: { nodes: lab.hosts } },
    });
    await work.up();
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("tendays");
  });

  const alive = () => lab.hosts.filter((host) => host !== DEAD);
  const mtu = (host: string) => on(lab, host, "cat /sys/class/net/mesh/mtu");
  const reach = (others: number[]) =>
    on(
      lab,
      "n1",
      others.map((id) => `ping -q -c 1 -w 15 10.255.0.${id} && ping -q -c 1 -w 15 fd00:6f::${id}`).join(" && "),
    );

  test("dead, it is named; the nine are changed all the same and reach each other", async () => {
    await lab.powerOff(DEAD);
    Object.assign(work.declared.meshes?.mesh ?? {}, { mtu: 1380 });
    const { code, text, logins } = await work.tryUp();
    expect(code).not.toBe(0);
    expect(errors(text)).toEqual([expect.stringMatching(/^root@203\.0\.113\.17 cannot be reached/)]);
    for (const host of alive()) expect({ [host]: logins[host] }).toEqual({ [host]: 1 });
    expect(await Promise.all(alive().map(mtu))).toEqual(alive().map(() => "1380\n"));
    await reach([2, 3, 4, 5, 6, 8, 9, 10]);
  });

  test("back, it alone is told the rest", async () => {
    await lab.start(DEAD);
    expect((await work.up()).logins).toEqual({ [DEAD]: 1 });
    expect(await mtu(DEAD)).toBe("1380\n");
    await reach([7]);
  });

  test("no private key was seen", async () => {
    await rememberKeys(lab);
    expect(leaks()).toEqual([]);
  });
});
