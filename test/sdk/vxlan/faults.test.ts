/** What only the live host can tell to be wrong with a member of a segment, or with its bridge. */
import { marked } from "../../../sdk/codes";
import { formatWithCodes, parse } from "../../../sdk/faults";
import type { Snapshot } from "../../../sdk/kernel";
import { vxlan, vxlanBridge } from "../../../sdk/vxlan";
import type { BridgeSpec } from "../../../sdk/vxlan/bridge";
import { KernelModel } from "../../kernel-model";
import { bridge, member as fra } from "./declared";

const member = { ...fra, variant: "static-flood" as const };

/** A host that has the member's address, and on which this was done. */
function host(...commands: string[]): Snapshot {
  const model = new KernelModel({ wireguard: "kernel" });
  model.run([
    "ip link add dev inter-lux group 28417 type wireguard",
    "ip link set dev inter-lux up",
    "ip addr add 10.255.0.2/32 dev inter-lux",
    ...commands,
  ]);
  return model.snapshot();
}

function told(snapshot: Snapshot, change: object = {}): string {
  const result = parse(vxlan.spec, { ...member, ...change });
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  return formatWithCodes(vxlan.faults?.(result.value, snapshot) ?? []);
}

function toldOfBridge(snapshot: Snapshot, change: object = {}): string {
  const result = parse(vxlanBridge.spec, { ...bridge, ...change });
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  return formatWithCodes(vxlanBridge.faults?.(result.value, snapshot) ?? []);
}

test("nothing on a host that is ready", () => {
  expect(told(host())).toBe("");
  expect(toldOfBridge(host())).toBe("");
});

test("an address that the host has not", () => {
  expect(told(host(), { local: "10.255.0.9" })).toMatchInlineSnapshot(
    `"local: found "10.255.0.9", legal is an address of the host, because packets are to come from it; correct it; \`ip addr\` shows them. [input/reference]"`,
  );
});

describe("somebody else's VXLAN device", () => {
  const theirs = (words: string) => host(`ip link add dev flannel.1 type vxlan ${words}`);

  test("with the same VNI and port", () => {
    expect(told(theirs("id 100 dstport 4789"))).toMatchInlineSnapshot(
      `"vni: found 100, legal is a VNI that no other device has at port 4789, and the host's device flannel.1 has this one; give the segment another \`vni\`, or another \`port\`. [input/duplicate]"`,
    );
  });
  test("with another of the two is nobody's business", () => {
    expect(told(theirs("id 1 dstport 4789"))).toBe("");
    expect(told(theirs("id 100 dstport 8472"))).toBe("");
  });
  test("that takes every VNI at the port, or where ours is to", () => {
    const said = [
      told(theirs("external dstport 4789")),
      told(theirs("id 7 dstport 4789"), { variant: "unicast-routing" }),
      told(theirs("external dstport 4789"), { variant: "unicast-routing" }),
    ];
    expect(said[0]).toMatchInlineSnapshot(
      `"port: found 4789, legal is a port of its own, because a device takes all VNIs at it, and the host's device flannel.1 has this one; give the segment another \`port\`, on all members. [input/duplicate]"`,
    );
    expect(new Set(said).size).toBe(1);
  });
  test("is none where it is ours: it may be about to go", () => {
    expect(told(host("ip link add dev vx-old group 28418 type vxlan id 100 dstport 4789"))).toBe("");
  });
});

test("a network that the host is in by a device of its own", () => {
  const seen = host("ip link add dev eth1 type dummy");
  const connected = { dst: "10.100.0.0/16", dev: "eth1", protocol: "kernel", type: "unicast", table: "main" };
  const there = { ...seen, routes4: [connected] };
  expect(told(there)).toMatchInlineSnapshot(
    `"addresses[0]: found "10.100.0.2/24", legal is an address in a prefix that the host is not connected to, and its device eth1 is in 10.100.0.0/16; give the segment another prefix. [input/overlap]"`,
  );
  const addresses = ["10.100.0.2/24"];
  expect(toldOfBridge(there, { addresses })).toBe(told(there));
  expect(toldOfBridge(there, { addresses, ports: ["eth1"], stp: true })).toMatchInlineSnapshot(
    `"addresses[0]: found "10.100.0.2/24", legal is an address in a prefix that the host is not connected to, and its device eth1 is in 10.100.0.0/16; give the segment another prefix; or take the port's own addresses off, where the bridge has them. [input/overlap]"`,
  );
  expect(toldOfBridge(there, { addresses: ["10.101.0.2/24"] })).toBe("");
});

describe("a bridge", () => {
  const bridged = { bridge: "br-lan", addresses: [] };

  test("that is not there, none, or somebody else's", () => {
    const all = [[], ["ip link add dev br-lan type dummy"], ["ip link add dev br-lan type bridge"]];
    expect(all.map((commands) => told(host(...commands), bridged))).toMatchInlineSnapshot(`
[
  "bridge: found "br-lan", legal is a bridge of ours, and the host has no device br-lan; give the bridge another name, which the host does not know yet. [provider/foreign]",
  "bridge: found "br-lan", legal is a bridge of ours, and br-lan is a device of type dummy; give the bridge another name, which the host does not know yet. [provider/foreign]",
  "bridge: found "br-lan", legal is a bridge of ours, and br-lan is a bridge that this package did not make; give the bridge another name, which the host does not know yet. [provider/foreign]",
]
`);
  });
  test("of ours", () => {
    expect(told(host("ip link add dev br-lan group 28418 type bridge"), bridged)).toBe("");
  });
  test("whose port is not there, or another bridge's", () => {
    const port = { ports: ["eth1"], stp: true };
    expect(toldOfBridge(host(), port)).toMatchInlineSnapshot(
      `"ports[0]: found "eth1", legal is a device that the host has; correct it; \`ip link\` shows them. [input/reference]"`,
    );
    const taken = host(
      "ip link add dev eth1 type dummy",
      "ip link add dev docker0 type bridge",
      "ip link set dev eth1 master docker0",
    );
    expect(toldOfBridge(taken, port)).toMatchInlineSnapshot(
      `"ports[0]: found "eth1", legal is a device that is in no other bridge or bond, and this one is in docker0; take it out of there: ip link set dev eth1 nomaster. [input/duplicate]"`,
    );
  });
  test("whose port takes larger frames than it carries is a warning", () => {
    const { value } = parse(vxlanBridge.spec, { ...bridge, ports: ["eth1"], stp: true }) as { value: BridgeSpec };
    const told = (mtu: number) =>
      vxlanBridge
        .warnings?.(value, host("ip link add dev eth1 type dummy", `ip link set dev eth1 mtu ${mtu}`))
        .map(({ code, text }) => marked(code, text));
    expect(told(1500)).toMatchInlineSnapshot(`
[
  "fra has packets of 1500 bytes come by eth1, and its bridge br-lan carries 1370: larger ones are dropped, and nobody is told. Run \`ip link set dev eth1 mtu 1370\` there, see that it is so after a reboot, and give the machines behind it the same MTU. [warning/wide]",
]
`);
    expect(told(1370)).toEqual([]);
  });
  test("to which somebody has added a port, unless loops are seen to", () => {
    const seen = host(
      "ip link add dev br-lan group 28418 type bridge",
      "ip link add dev vx-lan group 28418 type vxlan id 100 dstport 4789",
      "ip link set dev vx-lan master br-lan",
      "ip link add dev tap0 type tun",
      "ip link set dev tap0 master br-lan",
    );
    expect(toldOfBridge(seen)).toMatchInlineSnapshot(
      `"device: found "br-lan", legal is a bridge with the port tap0, which somebody has added, with stp: true or loopFree: true, because a second way between two ports multiplies every broadcast; say stp: true; or loopFree: true where nothing behind the port leads back here. [input/conflict]"`,
    );
    expect(toldOfBridge(seen, { stp: true })).toBe("");
    expect(toldOfBridge(seen, { loopFree: true })).toBe("");
  });
});
