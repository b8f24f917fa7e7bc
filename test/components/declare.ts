/** Programs without an engine: what a program would register, and what it would be told. */
import * as pulumi from "@pulumi/pulumi";
import type { OverlayNode, OverlayNodeArgs, VxlanSegmentArgs, WgLinkArgs, WgMeshArgs } from "../../components";
import type { LinkData } from "../../components/linkArgs";
import { meshNode, meshPeers, peerTexts, specText } from "../../components/mesh";
import type { MeshData } from "../../components/meshArgs";
import { mtuOf } from "../../components/mtu";
import { type Checked, Network } from "../../components/network";
import type { NodeData } from "../../components/nodeArgs";
import type { Peer } from "../../components/peerArgs";
import { bridgeDevice, bridgeOf, memberOf, segmentPeers } from "../../components/segment";
import type { SegmentData } from "../../components/segmentArgs";
import { sideSpec } from "../../components/side";
import { formatWithCodes } from "../../sdk/faults";
import { text } from "../../sdk/kernel";
import { vxlan, vxlanBridge } from "../../sdk/vxlan";
import { wireguard } from "../../sdk/wireguard";

/** Stands for a node in a link's arguments. */
export const reference = (nodeName: string): OverlayNode =>
  ({ __pulumiResource: true, __pulumiType: "overlay:index:OverlayNode", nodeName }) as unknown as OverlayNode;

const PUBLIC_KEY = "<known after peer is created>";

/** A network as it is declared, without resources. */
export class Declared {
  private readonly network = new Network();
  private readonly nodes: NodeData[] = [];
  private readonly segments: SegmentData[] = [];
  private readonly ways: (LinkData | MeshData)[] = [];
  readonly faults: string[] = [];

  node(name: string, args: Partial<OverlayNodeArgs> & { id: number }): this {
    const node = this.noted(name, this.network.addNode(name, { connection: { host: `${name}.example` }, ...args }));
    if (node) this.nodes.push(node);
    return this;
  }

  /** A link with somebody else's machine. */
  peer(a: string, peer: Peer): this {
    const name = `${a}-${peer.name}`;
    this.noted(name, this.network.addLink(name, { a: reference(a), peer }));
    return this;
  }

  /** Both sides of a link in the kernel's words. */
  link(a: string, b: string, args: Partial<WgLinkArgs> = {}): [string, string] {
    const name = `${a}-${b}`;
    const link = this.noted(name, this.network.addLink(name, { a: reference(a), b: reference(b), ...args }));
    if (!link) return ["", ""];
    this.ways.push(link);
    const lines = (side: "a" | "b") => {
      const [own, peer] = side === "a" ? [reference(a), reference(b)] : [reference(b), reference(a)];
      const spec = this.network.ofNodes([own, peer], ([here, there]) =>
        sideSpec(
          { side, link, own: here, peer: there, relays: this.network.relays.of(own.nodeName, [peer.nodeName]) },
          "net/prod",
          PUBLIC_KEY,
        ),
      );
      return text(wireguard.plan(wireguard.spec.parse(spec)));
    };
    return [lines("a"), lines("b")];
  }

  /** Each node of a mesh in the kernel's words. */
  mesh(nodes: string[], args: Partial<WgMeshArgs> = {}, name = "mesh"): string[] {
    const mesh = this.noted(name, this.network.addMesh(name, { nodes: nodes.map(reference), ...args }));
    if (!mesh) return [];
    this.ways.push(mesh);
    const keys = nodes.map((node) => `<known after ${node} is created>`);
    const specs = this.network.ofNodes(mesh.nodes, (all) =>
      all.map((node, index) =>
        specText(
          meshNode(mesh, node, "net/prod", mtuOf(mesh, all), this.network.relays.of(node.name, nodes)),
          peerTexts(meshPeers(mesh, all, keys)),
          index,
        ),
      ),
    );
    return (specs as string[]).map((spec) => text(wireguard.plan(wireguard.spec.parse(JSON.parse(spec)))));
  }

  /** Notes a segment; its faults are seen when all is declared. */
  segment(
    members: Record<string, Partial<VxlanSegmentArgs["members"][number]>>,
    args: Partial<VxlanSegmentArgs> = {},
    name = "lan",
  ): this {
    const all = Object.entries(members).map(([node, it]) => ({ node: reference(node), ...it }));
    const written = { vni: 100, variant: "static-flood" as const, members: all, ...args };
    const segment = this.noted(name, this.network.addSegment(name, written));
    if (segment) this.segments.push(segment);
    return this;
  }

  /** Each member of a segment in the kernel's words, its bridge first, now that all is declared. */
  members(name = "lan"): string[] {
    const segment = this.segments.find((it) => it.name === name);
    if (!segment) return [];
    const nodes = segment.members.map(({ node }) => node);
    return this.network.ofNodes(nodes, (all) =>
      segment.members.map((member, index) => {
        const own = memberOf(segment, all, index, "net/prod", this.network.segments.carriage(segment));
        const peers = segmentPeers(segment, all).filter((_, other) => other !== index);
        const device = bridgeDevice(segment, member);
        const [node] = all.slice(index);
        const bridge =
          device === undefined || !node
            ? undefined
            : bridgeOf(node, device, this.network.segments.bridged(node.name, device), "net/prod");
        return [
          ...(bridge ? [text(vxlanBridge.plan(vxlanBridge.spec.parse(bridge)))] : []),
          text(vxlan.plan(vxlan.spec.parse({ ...own, peers }))),
        ].join("\n");
      }),
    ) as string[];
  }

  /** What is wrong with segments, now that all is declared. */
  segmentFaults(): string[] {
    return this.segments.flatMap((it) => formatWithCodes(this.network.segmentFaults(it)).split("\n").filter(Boolean));
  }

  /** What is wrong with relays, now that all is declared. */
  relays(): string[] {
    return this.nodes.flatMap((node) => formatWithCodes(this.network.relays.faults(node)).split("\n").filter(Boolean));
  }

  /** What two links or meshes of a node lead to, now that all is declared. */
  overlaps(): string[] {
    return this.ways.flatMap((way) => formatWithCodes(this.network.overlaps(way)).split("\n").filter(Boolean));
  }

  /** The nodes of a link in the order in which its sides are made. */
  order(a: string, b: string): string[] {
    const name = `${a}-${b}`;
    const link = this.noted(name, this.network.addLink(name, { a: reference(a), b: reference(b) }));
    return link ? this.network.order(link).map((side) => (side === "a" ? a : b)) : [];
  }

  private noted<T>(name: string, checked: Checked<T>): T | undefined {
    if ("value" in checked) return checked.value;
    this.faults.push(
      ...formatWithCodes(checked.faults)
        .split("\n")
        .map((line) => `${name}: ${line}`),
    );
    return undefined;
  }
}

export interface Registered {
  type: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the program gave
  inputs: any;
  options: pulumi.CustomResourceOptions;
  /** How many resources its `spec` is from, which state names as what it depends on. */
  sources: number;
}

/** Of how many an Output is; the SDK declares `allResources` for itself only. */
async function resourcesOf(value: pulumi.Input<unknown>): Promise<number> {
  const { size } = await (pulumi.output(value) as unknown as { allResources(): Promise<Set<unknown>> }).allResources();
  return size;
}

/** What a program registers with a provider, in the order of names. `found`: what the provider finds, by name. */
export async function registered(
  program: () => unknown,
  preview = false,
  found: Record<string, object> = {},
): Promise<Registered[]> {
  const made: Registered[] = [];
  const options: Record<string, pulumi.CustomResourceOptions> = {};
  const specs: Record<string, pulumi.Input<unknown>> = {};
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs, custom }) => {
        const of = `${type} ${name}`;
        const sources = await resourcesOf(specs[of]);
        if (custom !== false) made.push({ type, name, inputs, options: options[of] ?? {}, sources });
        const known = preview ? {} : { machine: `machine-of-${name}`, publicKey: `key-of-${name}` };
        return { id: name, state: { ...inputs, ...known, ...found[name] } };
      },
      call: () => ({}),
    },
    "net",
    "prod",
    preview,
  );
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, props, opts }) => {
      options[`${type} ${name}`] = opts;
      specs[`${type} ${name}`] = props.spec;
      return undefined;
    });
    return program();
  });
  await pulumi.runtime.disconnect();
  // That waits for what goes to the engine, and not for what a program does with outputs by itself.
  await new Promise(setImmediate);
  return made.sort((a, b) => (a.name < b.name ? -1 : 1));
}
