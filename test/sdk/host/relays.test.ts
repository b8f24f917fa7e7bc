/** Who is reached by way of which relay: what documents, the host's own program and its devices come to, line by line. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { agentPath } from "../../../sdk/host/agents";

const run = promisify(execFile);
const [FRA, HKG, NAS] = ["F", "H", "N"].map((letter) => `${letter.repeat(43)}=`) as [string, string, string];

const CONF = [
  `of ${FRA} net/prod fe80::2`,
  `of ${HKG} edge/prod`,
  `of ${NAS} edge/prod`,
  `far ${HKG} 10.255.0.3/32 fd00:6f::3/128`,
  "own 10.255.0.1",
  "own 10.255.1.1",
  "own fd00:6f::1",
];
const SAID = `relay ${HKG} ${FRA} hkg fra 2 1380`;
const device = (name: string, key: string, allowed: string, { group = 28417, mtu = 1420 } = {}): string[] => [
  `allowed ${name}\t${key}\t${allowed}`,
  `/sys/class/net/${name}/netdev_group:${group}`,
  `/sys/class/net/${name}/mtu:${mtu}`,
];
const LINK = device("inter-fra", FRA, "0.0.0.0/0 ::/0");
const V4 = "10.255.0.3/32 dev inter-fra proto 111 metric 8194";
const V6 = "fd00:6f::3/128 dev inter-fra proto 111 metric 8194";
/** As the status file has them, and as ip(8) shows them. */
const STATUS = [
  "relayed inter-fra 10.255.0.3/32 fra hkg metric 8194 src 10.255.0.1 mtu 1380",
  "relayed inter-fra fd00:6f::3/128 fra hkg metric 8194 src fd00:6f::1 mtu 1380",
];
const THERE = [
  "10.255.0.3 dev inter-fra scope 253 src 10.255.0.1 metric 8194 mtu 1380 ",
  "fd00:6f::3 dev inter-fra src fd00:6f::1 metric 8194 mtu 1380 pref medium",
];
const KEPT = ["keep", STATUS[0], "keep", STATUS[1]];

async function planned(...lines: (string | string[])[]): Promise<string[]> {
  const running = run("awk", ["-f", agentPath("choose/prefix.awk"), "-f", agentPath("choose/relays.awk")]);
  running.child.stdin?.end(`${lines.flat().join("\n")}\n`);
  return (await running).stdout.split("\n").filter(Boolean);
}

test("a route to each address that the program allows, with the relay's id and the smaller MTU of both halves", async () => {
  expect(await planned(CONF, SAID, LINK)).toEqual([
    "changed",
    `replace ${V4} src 10.255.0.1 mtu 1380`,
    STATUS[0],
    "log hkg (inter-fra): 10.255.0.3/32 by way of fra, as edge/prod says: metric 8194 src 10.255.0.1 mtu 1380",
    `replace ${V6} src fd00:6f::1 mtu 1380`,
    STATUS[1],
    "log hkg (inter-fra): fd00:6f::3/128 by way of fra, as edge/prod says: metric 8194 src fd00:6f::1 mtu 1380",
  ]);
  for (const mtu of ["", " 1420", " 1500"]) {
    expect((await planned(CONF, SAID.replace(" 1380", mtu), LINK))[1]).toBe(`replace ${V4} src 10.255.0.1`);
  }
  // None of a family that the node itself has no address of.
  expect((await planned(CONF.slice(0, -1), SAID, LINK)).join()).not.toContain("fd00");
});

test("what is there stays; what is missing, as after its device was made again, is put back; what it was not written down for is", async () => {
  expect(await planned(CONF, SAID, LINK, STATUS, THERE)).toEqual(KEPT);
  expect(await planned(CONF, SAID, LINK, STATUS, THERE[1] ?? "")).toEqual([
    "changed",
    `replace ${V4} src 10.255.0.1 mtu 1380`,
    STATUS[0],
    "log hkg (inter-fra): 10.255.0.3/32 by way of fra again: its route was gone",
    "keep",
    STATUS[1],
  ]);
  expect(await planned(CONF, SAID, LINK, THERE)).toEqual(["changed", ...KEPT]);
});

test("it goes when the document names the relay no more, the program allows it no more, or the relay is no peer", async () => {
  const gone = (why: string) => [
    "changed",
    `del ${V4}`,
    `log hkg (inter-fra): 10.255.0.3/32 no longer by way of fra: ${why}`,
    `del ${V6}`,
    `log hkg (inter-fra): fd00:6f::3/128 no longer by way of fra: ${why}`,
  ];
  const withdrawn = await planned(CONF, LINK, STATUS, THERE);
  expect(withdrawn).toEqual(gone("edge/prod does not name it any more"));
  const not = CONF.filter((line) => !line.startsWith("far"));
  expect(await planned(not, SAID, LINK, STATUS, THERE)).toEqual([
    ...gone("this host's own program does not say any more that it may be reached so"),
    "refused hkg by way of fra, as edge/prod says: refused, because this host's own program does not say that it may be reached so",
  ]);
  const nobody = "no route, because fra is no peer of a device of ours";
  for (const devices of [[], device("wg0", FRA, "0.0.0.0/0 ::/0", { group: 0 })]) {
    expect(await planned(CONF, SAID, devices, STATUS)).toEqual([
      ...gone(nobody),
      `refused hkg by way of fra, as edge/prod says: ${nobody}`,
    ]);
  }
});

test("another relay, another metric: the old route goes before the new one comes", async () => {
  const ams = `${"A".repeat(43)}=`;
  const both = [...LINK, ...device("inter-ams", ams, "0.0.0.0/0")];
  const four = CONF.slice(0, -1);
  expect(await planned(four, `relay ${HKG} ${ams} hkg ams 9`, both, STATUS[0] ?? "", THERE[0] ?? "")).toEqual([
    "changed",
    `del ${V4}`,
    "log hkg (inter-fra): 10.255.0.3/32 no longer by way of fra: edge/prod does not name it any more",
    "replace 10.255.0.3/32 dev inter-ams proto 111 metric 8201 src 10.255.0.1",
    "relayed inter-ams 10.255.0.3/32 ams hkg metric 8201 src 10.255.0.1",
    "log hkg (inter-ams): 10.255.0.3/32 by way of ams, as edge/prod says: metric 8201 src 10.255.0.1",
  ]);
  const other = await planned(four, SAID.replace("fra 2 ", "fra 12 "), LINK, STATUS[0] ?? "", THERE[0] ?? "");
  expect(other.slice(1, 3)).toEqual([`del ${V4}`, `replace ${V4.replace("8194", "8204")} src 10.255.0.1 mtu 1380`]);
  // Of two both stay, and the kernel takes the one with the smaller id.
  const two = await planned(four, SAID, `relay ${HKG} ${ams} hkg ams 9`, both);
  expect(two.filter((line) => line.startsWith("relayed")).map((line) => line.split(" ")[1])).toEqual([
    "inter-fra",
    "inter-ams",
  ]);
});

test("in a mesh there is one where the relay's entry has the address alone", async () => {
  const mesh = (allowed: string) => device("mesh", FRA, allowed);
  expect(await planned(CONF, SAID, mesh("10.255.0.2/32 10.255.0.3/32"))).toEqual([
    "changed",
    "replace 10.255.0.3/32 dev mesh proto 111 metric 8194 src 10.255.0.1 mtu 1380",
    expect.stringMatching(/^relayed mesh 10\.255\.0\.3\/32 /),
    expect.stringMatching(/^log hkg \(mesh\): /),
    "refused hkg by way of fra, as edge/prod says: no route, because no device has fd00:6f::3/128 among the allowed IPs of fra",
  ]);
  expect(await planned(CONF, SAID, mesh("(none)"))).toHaveLength(2);
});

test("a node that the program does not allow is never routed to, whatever the document says of it", async () => {
  expect(await planned(CONF, `relay ${NAS} ${FRA} nas fra 2`, LINK)).toEqual([
    "refused nas by way of fra, as edge/prod says: refused, because this host's own program does not say that it may be reached so",
  ]);
  // Of an older stack, with keys alone.
  expect(await planned(CONF, `relay ${HKG} ${FRA}`, LINK)).toEqual([]);
});

test("what the program itself has declared is its own: neither replaced nor removed", async () => {
  const declared = [V4, V6].map((route) => `ip route add ${route} src 10.255.0.1`);
  expect(await planned(CONF, SAID, LINK, declared)).toEqual([]);
  expect(await planned(CONF, SAID, LINK, declared[0]?.replace("inter-fra", "mesh") ?? "")).not.toContainEqual(
    expect.stringContaining("10.255.0.3"),
  );
  expect(await planned(CONF, SAID, LINK, declared, STATUS, THERE)).toEqual([
    "changed",
    "log hkg (inter-fra): 10.255.0.3/32 by way of fra is the program's own route by now",
    "log hkg (inter-fra): fd00:6f::3/128 by way of fra is the program's own route by now",
  ]);
  // With another metric, as to a peer of a mesh: then it is another route.
  const peer = declared[0]?.replace("8194", "4096") ?? "";
  expect(await planned(CONF.slice(0, -1), SAID, LINK, peer, STATUS[0] ?? "", THERE[0] ?? "")).toEqual([
    "changed",
    `del ${V4}`,
    "log hkg (inter-fra): 10.255.0.3/32 no longer by way of fra: the program itself has a route there",
  ]);
  // In the table of what lies behind a node, or the direct way: another thing.
  const beside = [`${declared[0]} table 111`, "ip route add 10.255.0.3/32 dev inter-hkg proto 111 metric 4096"];
  expect((await planned(CONF, SAID, LINK, beside))[1]).toBe(`replace ${V4} src 10.255.0.1 mtu 1380`);
});
