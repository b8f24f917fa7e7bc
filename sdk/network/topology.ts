/**
 * The nodes and links of one network, and what can only be seen by looking at all of them: things that two have and
 * one may have, and endpoints inside of an overlay. Every fault names both sides.
 */
import { type Fault, fault } from "../faults";
import { contains, host, notAnEndpoint, parseEndpoint } from "./address";
import { NAME_UNDERLAY } from "./fields";
import { type Member, type RelayedBy, Ways } from "./ways";

export interface TopologyNode {
  name: string;
  id: number;
  /** The node's overlay addresses, canonical. */
  addresses: readonly string[];
  /** The overlay's prefixes that the node knows of, canonical. */
  prefixes: readonly string[];
  /** How its machine is reached, `203.0.113.5:2222`; absent where that is not known yet. */
  machine?: string;
}

/** A link or a mesh on a node of this network. What is not known yet is left out. */
export interface TopologyDevice {
  node: string;
  device: string;
  listenPort?: number;
  alsoPorts?: readonly number[];
  /** Underlay addresses that the others call this one by. */
  endpoints: readonly string[];
  /** Underlay address and port that the others call, `203.0.113.5:443`, which a NAT may lead elsewhere on the node. */
  called?: string;
  /** Who is at its other end; in a mesh all, the node itself too. */
  members?: readonly Member[];
}

/** One side of a link. */
export interface TopologyEnd extends TopologyDevice {
  /** Name of the node on the other side, which may be somebody else's. */
  peer: string;
}

export interface TopologyLink {
  name: string;
  ends: readonly TopologyEnd[];
}

export interface TopologyMesh {
  name: string;
  /** Names of machines of somebody else that are peers of all its nodes. */
  peers?: readonly string[];
  devices: readonly TopologyDevice[];
}

/** A VXLAN segment on its nodes. What is not known yet is left out. */
export interface TopologySegment {
  name: string;
  vni: number;
  port: number;
  /** Its devices take all VNIs that come to the port. */
  alone: boolean;
  /** All of the segment's, canonical. */
  prefixes: readonly string[];
  devices: readonly {
    node: string;
    device: string;
    bridge?: string | undefined;
    /** Those that the node reaches by this device, canonical. */
    prefixes: readonly string[];
  }[];
}

/** How to have a port of one's own. */
const OTHER_PORT = {
  link: "set `ports` on one of the links",
  mesh: "set `port` on the mesh, or `ports` on the link that has it",
} as const;

const OTHER_DEVICE = { link: "name one with `devices`", mesh: "name one with `device`" } as const;

type Kind = keyof typeof OTHER_PORT;

/** Addresses that everybody may have, RFC 1918. Those of RFC 4193 are random, and nobody else's. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

interface Endpoint {
  path: PropertyKey[];
  address: string;
}

export class Topology {
  /** What may be had once, and who has it. */
  private readonly taken = new Map<string, string>();
  private readonly prefixes = new Set<string>();
  /** Overlay addresses of nodes: prefixes of one each, which are as many as there are nodes. */
  private readonly hosts = new Set<string>();
  private readonly endpoints: Endpoint[] = [];
  private readonly led = new Ways();
  /** Who has a way to whom, by the name of its link or mesh. */
  private readonly ways: { who: string; members: ReadonlySet<string> }[] = [];

  /** Adds a node; what it does not agree with of all that was added before. */
  addNode(node: TopologyNode): Fault[] {
    const { name } = node;
    const who = `node ${name}`;
    const faults = [
      ...this.take(`node ${name}`, who, [name], name, "give each node a name of its own"),
      ...this.take(`id ${node.id}`, who, [name, "id"], node.id, "give each node an id of its own, and never change it"),
      ...(node.machine === undefined
        ? []
        : this.take(
            `the machine at ${node.machine}`,
            who,
            [name, "connection", "host"],
            node.machine,
            "give each node a machine of its own",
          )),
      ...node.addresses.flatMap((address, index) =>
        this.take(`address ${address}`, who, [name, "addresses", index], address, "give each node its own addresses"),
      ),
    ];
    const added = node.prefixes.filter((prefix) => !this.prefixes.has(prefix));
    const hosts = new Set(node.addresses.filter((address) => !this.hosts.has(address)));
    for (const prefix of added) this.prefixes.add(prefix);
    for (const address of hosts) this.hosts.add(address);
    return [...faults, ...this.endpoints.flatMap((endpoint) => inOverlay(endpoint, added, hosts))];
  }

  /** Adds an address that a machine of somebody else is called at. */
  addEndpoint(path: PropertyKey[], address: string): Fault[] {
    this.endpoints.push({ path, address });
    return inOverlay({ path, address }, [...this.prefixes], this.hosts);
  }

  /** Adds a link; what it does not agree with of all that was added before. */
  addLink(link: TopologyLink): Fault[] {
    const who = `link ${link.name}`;
    const first = link.ends[0];
    const name = this.take(`link ${link.name}`, who, [link.name], link.name, "give each link a name of its own");
    const cure = "remove one; a link has several endpoints, not twins";
    const twin = first ? this.takeWay(who, link.name, [first.node], [first.peer], cure) : [];
    // A twin would have its devices and ports twice as well.
    return [...name, ...(twin.length > 0 ? twin : link.ends.flatMap((end) => this.addDevice("link", link.name, end)))];
  }

  /** Adds a mesh; what it does not agree with of all that was added before. */
  addMesh({ name, devices, peers = [] }: TopologyMesh): Fault[] {
    const nodes = devices.map(({ node }) => node);
    const cure = "leave one of the two out of the mesh, or remove the other way between them";
    const faults = [
      ...this.take(`mesh ${name}`, `mesh ${name}`, [name], name, "give each mesh a name of its own"),
      ...this.takeWay(`mesh ${name}`, name, nodes, peers, cure),
    ];
    return [...faults, ...devices.flatMap((device) => this.addDevice("mesh", name, device))];
  }

  /** What leads a node to where another link or mesh leads it as well, when all is added that was declared. */
  overlaps(who: string, nodes: readonly string[], relayed: RelayedBy): Fault[] {
    return nodes.flatMap((node) => this.led.faults(node, who, relayed));
  }

  /** Adds a segment; what it does not agree with of all that was added before. */
  addSegment(segment: TopologySegment): Fault[] {
    const { name, prefixes, devices } = segment;
    const who = `segment ${name}`;
    const faults = [
      ...this.take(who, who, [name], name, "give each segment a name of its own"),
      ...devices.flatMap((device) => this.addMember(segment, device)),
    ];
    const added = prefixes.filter((prefix) => !this.prefixes.has(prefix));
    for (const prefix of added) this.prefixes.add(prefix);
    return [...faults, ...this.endpoints.flatMap((endpoint) => inOverlay(endpoint, added, new Set()))];
  }

  /** Adds an exchange of keys on the nodes of it whose ports are known. */
  addExchange(
    { name, who, path, of }: { name: string; who: string; path: string; of: "link" | "mesh" },
    ends: readonly { node: string; port: number }[],
  ): Fault[] {
    const twin = this.take(`the exchange of keys ${name}`, who, [path], name, "leave one of the two out");
    if (twin.length > 0) return twin;
    return ends.flatMap(({ node, port }) => {
      const cure = of === "mesh" ? `give that another port, or ${node} another \`portBase\`` : "give another `port`";
      return this.take(`UDP port ${port} on ${node}`, who, [path, node, "port"], port, cure);
    });
  }

  private addMember(
    { name, vni, port, alone }: TopologySegment,
    { node, device, bridge, prefixes }: TopologySegment["devices"][number],
  ): Fault[] {
    const who = `segment ${name}`;
    const at = `UDP port ${port} on ${node}`;
    const another = "give the segment another `port`";
    const way = {
      name,
      who,
      field: "addresses",
      cure: "give the segment another prefix",
      members: [{ name, addresses: [], routes: prefixes }],
    };
    this.led.add(node, { ...way, ...(bridge !== undefined && { bridge }) });
    const listening = alone
      ? this.take(at, who, [name, "port"], port, `${another}, because its devices take all VNIs there`)
      : this.share(at, "the port of segments", [name, "port"], port, another);
    return [
      ...this.take(`device ${device} on ${node}`, who, [name, "device"], device, "name another with `device`"),
      ...(bridge === undefined
        ? []
        : this.share(
            `device ${bridge} on ${node}`,
            `bridge ${bridge}`,
            [name, node, "bridge"],
            bridge,
            "name another with `bridge.device`",
          )),
      ...(listening.length > 0
        ? listening
        : this.take(
            `VNI ${vni} at ${at}`,
            who,
            [name, "vni"],
            vni,
            `give the segment another \`vni\`, or another \`port\``,
          )),
    ];
  }

  /** A node has one link or mesh with another: its kernel takes one route to an address. `others`: not nodes of ours. */
  private takeWay(who: string, name: string, nodes: string[], others: readonly string[], cure: string): Fault[] {
    const members = [...nodes, ...others];
    const twins = this.ways.flatMap((way) => {
      const [one, other, ...more] = members.filter((member) => way.members.has(member)).sort();
      if (other === undefined || !nodes.some((node) => way.members.has(node))) return [];
      const two = `${one} and ${other}`;
      const also = more.length > 0 ? ` (and of ${more.join(", ")})` : "";
      const kind = [who, way.who].every((it) => it.startsWith("link ")) ? "link" : "link or mesh";
      const legal = `${kind} between ${two} once, and ${way.who} has it already${also}`;
      return [fault([name], two, { code: "input/duplicate", legal, cure })];
    });
    if (twins.length === 0) this.ways.push({ who, members: new Set(members) });
    return twins;
  }

  private addDevice(kind: Kind, link: string, end: TopologyDevice): Fault[] {
    const who = `${kind} ${link}`;
    const { node, members = [] } = end;
    this.led.add(node, { name: link, who, members });
    const ports = [...(end.listenPort === undefined ? [] : [end.listenPort]), ...(end.alsoPorts ?? [])];
    const endpoints = end.endpoints.map((address, index) => ({ path: [link, node, "endpoints", index], address }));
    this.endpoints.push(...endpoints);
    const listening = ports.flatMap((port) =>
      this.take(`UDP port ${port} on ${node}`, who, [link, node, "ports"], port, OTHER_PORT[kind]),
    );
    const called = this.takeCalled(kind, link, end);
    return [
      ...this.take(`device ${end.device} on ${node}`, who, [link, node, "device"], end.device, OTHER_DEVICE[kind]),
      // Without a NAT the port outside is the one that the node listens on, and that has been said.
      ...(listening.length > 0 ? listening : called),
      ...endpoints.flatMap((endpoint) => inOverlay(endpoint, [...this.prefixes], this.hosts)),
    ];
  }

  private takeCalled(kind: Kind, link: string, { node, called }: TopologyDevice): Fault[] {
    if (called === undefined) return [];
    // Two sites may have the same private address.
    const where = PRIVATE.some((prefix) => contains(prefix, parseEndpoint(called)?.address ?? "")) ? ` of ${node}` : "";
    const cure = `give that endpoint more \`ports\`, or ${OTHER_PORT[kind]}`;
    return this.take(`the outside port ${called}${where}`, `${kind} ${link}`, [link, node, "endpoints"], called, cure);
  }

  /** As `take`, but others of the same kind may have it too. */
  private share(thing: string, who: string, path: PropertyKey[], found: unknown, cure: string): Fault[] {
    return this.taken.get(thing) === who ? [] : this.take(thing, who, path, found, cure);
  }

  private take(thing: string, who: string, path: PropertyKey[], found: unknown, cure: string): Fault[] {
    const before = this.taken.get(thing);
    if (before === undefined) {
      this.taken.set(thing, who);
      return [];
    }
    return [
      fault(path, found, { code: "input/duplicate", legal: `${thing} once, and ${before} has it already`, cure }),
    ];
  }
}

function inOverlay({ path, address }: Endpoint, prefixes: readonly string[], hosts: ReadonlySet<string>): Fault[] {
  const why = notAnEndpoint(address, hosts.has(address) ? [...prefixes, host(address)] : prefixes);
  if (!why) return [];
  const legal = `an address on the underlay, and this is ${why}`;
  return [fault(path, address, { code: "input/underlay", legal, cure: NAME_UNDERLAY })];
}
