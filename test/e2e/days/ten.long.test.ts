/** Ten hosts, one of which is dead when all of them are to change. */
import { resolve } from "node:path";
import type { Status } from "../../../sdk/cli/status/rows";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { leaks, node, on, rememberKeys } from "./network";
import { madeAgain } from "./segments";
import { errors, Workspace } from "./workspace";

jest.setTimeout(300_000);

const DEAD = "n7";
const OVERLAY = resolve(__dirname, "../../../bin/overlay");

describeWhere(["lab", "engine"], "one of ten hosts", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("ten", { name: "tendays", fresh: true });
    const nodes = Object.fromEntries(lab.hosts.map((name, index) => [name, node(lab, name, index + 1)]));
    for (const { connection } of Object.values(nodes)) connection.connectTimeout = 2;
    // Not in the order of names, and more of them than the engine lets be at work at once.
    const members = lab.hosts.toReversed().map((name) => [name, { addresses: [`10.100.0.${name.slice(1)}/24`] }]);
    work = await Workspace.make(lab, {
      nodes,
      links: {},
      meshes: { mesh: { nodes: lab.hosts } },
      segments: { lan: { vni: 100, variant: "static-flood", members: Object.fromEntries(members) } },
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

  /** A port is what a segment's device has for good. */
  const remake = (port: number) => Object.assign(work.declared.segments?.lan ?? {}, { port });

  test("a segment is made again at one after the other, in the order of their names, as the nodes change", async () => {
    for (const declared of Object.values(work.declared.nodes)) {
      Object.assign(declared, { sysctls: { "net/core/somaxconn": "4000" } });
    }
    remake(4790);
    // Who waits holds one of the places that the engine has for work: no more of them than there are.
    await work.up("--parallel", "20");
    expect(await madeAgain(lab, "vx-lan", lab.hosts)).toEqual(lab.hosts.toSorted());
    remake(4791);
    await work.up("--target", "**n8", "--target", "**n2", "--target", "**n4");
    expect((await madeAgain(lab, "vx-lan", lab.hosts)).slice(-3)).toEqual(["n2", "n4", "n8"]);
  });

  test("dead, it is named; the nine are changed all the same and reach each other", async () => {
    await lab.powerOff(DEAD);
    Object.assign(work.declared.meshes?.mesh ?? {}, { mtu: 1380 });
    remake(4789);
    const { code, text, logins } = await work.tryUp("--continue-on-error");
    expect(await madeAgain(lab, "vx-lan", alive())).toEqual(alive().toSorted());
    expect(code).not.toBe(0);
    expect(errors(text)).toEqual([expect.stringMatching(/^root@203\.0\.113\.17 cannot be reached/)]);
    for (const host of alive()) expect({ [host]: logins[host] }).toEqual({ [host]: 1 });
    expect(await Promise.all(alive().map(mtu))).toEqual(alive().map(() => "1380\n"));
    await reach([2, 3, 4, 5, 6, 8, 9, 10]);
    expect(await on(lab, "n1", "ping -q -c 2 -w 15 10.100.0.9")).toContain(" 0% packet loss");
  });

  test("`overlay status` has it as a row, and how the others are, by one login to each", async () => {
    await on(lab, "n3", "ip link set dev mesh mtu 1300");
    const { text, logins } = await work.shell(`${OVERLAY} status --json`);
    const { stack, hosts } = JSON.parse(text) as Status;
    expect({ stack, hosts: hosts.map(({ name }) => name) }).toEqual({ stack: "net/prod", hosts: lab.hosts });
    for (const { name, reachable, fault, drift, rows, guards } of hosts) {
      expect({ [name]: logins[name] }).toEqual({ [name]: 1 });
      if (name === DEAD) {
        expect({ reachable, rows }).toEqual({ reachable: false, rows: [] });
        expect(fault).toMatch(/^root@203\.0\.113\.17 cannot be reached/);
        continue;
      }
      expect(guards).toEqual([{ device: "mesh", packets: 0 }, { packets: 0 }]);
      const device = name === "n3" ? 1300 : 1380;
      expect({ reachable, drift }).toEqual({ reachable: true, drift: drift.filter(() => name === "n3") });
      const peers = rows.filter(({ kind }) => kind === "mesh");
      expect(peers.map(({ peer }) => peer)).toEqual(lab.hosts.filter((it) => it !== name));
      for (const row of peers.filter(({ peer }) => peer !== DEAD)) {
        expect(row).toMatchObject({ link: "mesh", device: "mesh", state: "up", why: "declared" });
        expect(row.mtu).toEqual({ declared: 1380, device });
        expect(row.handshake).toBeLessThan(180);
        expect(Math.min(row.rx ?? 0, row.tx ?? 0)).toBeGreaterThan(0);
      }
      expect(rows.filter(({ kind }) => kind === "segment")).toMatchObject([
        { link: "lan", device: "vx-lan", state: "up" },
      ]);
    }
    expect(hosts.find(({ name }) => name === "n3")?.drift).toEqual([
      expect.stringMatching(/^- ip link set dev mesh mtu 1380 /),
      expect.stringMatching(/^\+ ip link set dev mesh mtu 1300 /),
    ]);
  });

  test("in a narrow terminal, for Prometheus, and as a picture", async () => {
    const narrow = (await work.shell(`COLUMNS=60 ${OVERLAY} status --host n3 ${DEAD}`)).text;
    expect(narrow.split("\n").filter((line) => line.length > 60)).toEqual([]);
    expect(narrow).toContain("  mesh to n1: up, handshake ");
    expect(narrow).toContain(`\n${DEAD}  unreachable\n`);
    expect(narrow).not.toContain("\x1b");
    const metrics = (await work.shell(`${OVERLAY} status --host n1 ${DEAD} --format prometheus`)).text;
    expect(metrics).toContain(`overlay_host_reachable{stack="net/prod",host="${DEAD}"} 0\n`);
    expect(metrics).toMatch(
      /\noverlay_link_receive_bytes_total\{stack="net\/prod",host="n1",kind="mesh",link="mesh",device="mesh",peer="n2",by=""\} \d+\n/,
    );
    const picture = (await work.shell(`${OVERLAY} topology --live`)).text;
    expect(picture.match(/class="node n\d+ bad"/g)).toHaveLength(2);
    expect(picture).toContain(">unreachable</text>");
    await on(lab, "n3", "ip link set dev mesh mtu 1380");
  });

  test("back, it alone is told the rest", async () => {
    await lab.start(DEAD);
    expect((await work.up()).logins).toEqual({ [DEAD]: 1 });
    expect(await mtu(DEAD)).toBe("1380\n");
    await reach([7]);
    expect(await on(lab, "n1", "ping -q -c 2 -w 15 10.100.0.7")).toContain(" 0% packet loss");
  });

  test("no private key was seen", async () => {
    await rememberKeys(lab);
    expect(leaks()).toEqual([]);
  });
});
