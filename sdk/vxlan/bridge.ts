/** The bridge of a node that segments are in: one for all of them, so none of their members has it alone. */
import { z } from "zod";
import { type Fault, fault, type Objection, objectAcross, unlessFaulty } from "../faults";
import { type Fact, factId } from "../kernel/fact";
import { bridgeQueries, closedToBridge } from "../kernel/firewall";
import { fact, kinds } from "../kernel/kinds";
import { alias, isOurs, SEGMENT_GROUP } from "../kernel/marks";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import { type Technology, warningsOf } from "../kernel/technology";
import { deviceField, idField, insideField, macField, nameField, ownerField } from "../network/fields";
import { carriesIpv6, IPV4_MIN_MTU, IPV6_MIN_MTU } from "../network/mtu";
import { connectedFaults } from "./connected";
import { linkLocal, settings } from "./plan";

const fields = z.strictObject({
  node: nameField.describe("The node's own name. Example: fra"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
  device: deviceField.describe("Name of the bridge, at most 15 bytes. Example: br-lan"),
  id: idField.describe("The node's own id, unique in the network. Example: 2"),
  mac: macField.describe("MAC address of the bridge. Example: 02:00:00:64:00:02"),
  mtu: z.int().min(IPV4_MIN_MTU).max(65535).describe("Bytes: the least of its segments. Example: 1370"),
  family: z.enum(["v4"]).optional().describe("v4: none of its segments carries IPv6. Default: both."),
  addresses: z
    .array(insideField)
    .default([])
    .describe("The node's own addresses in the segments. Default: none. Example: [10.100.0.2/24, fd00:100::2/64]"),
  ports: z
    .array(deviceField)
    .default([])
    .describe("Devices of others that become its ports. Default: none. Example: [eth1]"),
  stp: z
    .boolean()
    .default(false)
    .describe("The spanning tree protocol, for ports behind which there may be another way. Default: false."),
  loopFree: z
    .boolean()
    .default(false)
    .describe("That no other way leads from one of its ports to another. Default: false."),
});

type Fields = z.output<typeof fields>;

const LEGAL = "with stp: true or loopFree: true, because a second way between two ports multiplies every broadcast";
const CURE = "say stp: true; or loopFree: true where nothing behind the port leads back here";

export const bridgeSpec = fields
  .superRefine(
    ({ ports, stp, loopFree }, context) => {
      if (ports.length === 0 || stp || loopFree) return;
      objectAcross(context, ["ports", 0], { code: "input/conflict", legal: `a port ${LEGAL}`, cure: CURE });
    },
    unlessFaulty("ports", "stp", "loopFree"),
  )
  .superRefine(
    ({ addresses, family, mtu }, context) => {
      const six = addresses.findIndex((it) => it.includes(":"));
      if (six < 0 || carriesIpv6({ family, mtu })) return;
      const legal = `an IPv4 address where family is "v4" or the MTU under ${IPV6_MIN_MTU} bytes (RFC 8200)`;
      objectAcross(context, ["addresses", six], { code: "input/family", legal, cure: "leave it out" });
    },
    unlessFaulty("addresses", "family", "mtu"),
  );

export type BridgeSpec = z.output<typeof bridgeSpec>;
export type BridgeInput = z.input<typeof bridgeSpec>;

function plan(spec: BridgeSpec): Fact[] {
  const { device } = spec;
  const made = fact("link", {
    device,
    type: "bridge",
    mtu: spec.mtu,
    group: SEGMENT_GROUP,
    alias: alias(spec.owner, device),
    addrgenmode: "none",
    up: true,
    mac: spec.mac,
    bridge: { stp: spec.stp },
  });
  const link = factId(made);
  return [
    made,
    ...settings(device, spec.mtu >= IPV6_MIN_MTU, link),
    ...spec.ports.map((port) => fact("bridgePort", { device: port, bridge: device }, link)),
    ...[...(carriesIpv6(spec) ? [linkLocal(spec.id)] : []), ...spec.addresses].map((address) =>
      fact("address", { device, address }, link),
    ),
  ];
}

/** A device that is named and not there. */
export const NO_DEVICE: Objection = {
  code: "input/reference",
  legal: "a device that the host has",
  cure: "correct it; `ip link` shows them",
};

/** Ports that are not there, or somebody else's; and those that somebody has added where a loop would be nobody's business. */
function ports({ device, ports, stp, loopFree }: Fields, { links }: Snapshot): Fault[] {
  const declared = ports.flatMap((port, index): Fault[] => {
    const live = links.find(({ ifname }) => ifname === port);
    const path = ["ports", index];
    if (!live) return [fault(path, port, NO_DEVICE)];
    if (live.master === undefined || live.master === device) return [];
    const legal = `a device that is in no other bridge or bond, and this one is in ${live.master}`;
    const cure = `take it out of there: ip link set dev ${port} nomaster`;
    return [fault(path, port, { code: "input/duplicate", legal, cure })];
  });
  const strangers = links.filter(({ ifname, master, group, ifalias }) => {
    const ours = isOurs({ group: Number(group), ...(ifalias !== undefined && { alias: ifalias }) });
    return master === device && !ours && !ports.includes(ifname);
  });
  if (stp || loopFree) return declared;
  return [
    ...declared,
    ...strangers.map(({ ifname }) =>
      fault(["device"], device, {
        code: "input/conflict",
        legal: `a bridge with the port ${ifname}, which somebody has added, ${LEGAL}`,
        cure: CURE,
      }),
    ),
  ];
}

export const faults = (spec: BridgeSpec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...ports(spec, snapshot),
  ...connectedFaults(spec.addresses, snapshot, spec.ports),
];

/** A bridge sends nobody a "too big" (net/bridge/br_forward.c), so who is behind a port must know what fits. */
const widePorts = ({ node, device, mtu, ports }: BridgeSpec, { links }: Snapshot): string[] =>
  links.flatMap((port) =>
    !ports.includes(port.ifname) || port.mtu <= mtu
      ? []
      : [
          `${node} has packets of ${port.mtu} bytes come by ${port.ifname}, and its bridge ${device} carries ${mtu}: larger ones are dropped, and nobody is told. ` +
            `Run \`ip link set dev ${port.ifname} mtu ${mtu}\` there, see that it is so after a reboot, and give the machines behind it the same MTU.`,
        ],
  );

/** What is to be a port there: absent, no bridge or not ours, it is none to put a segment in. */
export function notOurBridge(device: string, snapshot: Snapshot): string | undefined {
  const live = kinds.link.read(snapshot, device);
  if (!live) return `the host has no device ${device}`;
  if (live.type !== "bridge") return `${device} is a device of type ${live.type}`;
  return isOurs(live) ? undefined : `${device} is a bridge that this package did not make`;
}

/** The bridge of a node that segments are in. */
export const vxlanBridge: Technology<BridgeInput, BridgeSpec> = {
  token: "overlay:vxlan:Bridge",
  spec: bridgeSpec,
  plan,
  faults,
  // Of segments alone nothing goes from port to port: they are isolated.
  observes: ({ device, ports }) => (ports.length > 0 ? bridgeQueries(device) : []),
  warnings: (spec, snapshot) =>
    spec.ports.length === 0
      ? []
      : [
          ...warningsOf("warning/wide", widePorts(spec, snapshot)),
          ...warningsOf("warning/forwarding", closedToBridge(spec.node, spec.device, snapshot)),
        ],
};
