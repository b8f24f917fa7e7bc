/** The pure way of a mesh, as a process of its own: from what somebody declares to the text of every node. */
import { meshNode, meshPeers, peerTexts, specText } from "../../components/mesh";
import { mtuOf } from "../../components/mtu";
import { type Checked, Network } from "../../components/network";
import { format } from "../../sdk/faults";
import { config } from "../../sdk/provider/config";
import { check } from "../../sdk/provider/inputs";
import { type ResourceType, resourceType } from "../../sdk/provider/registry";
import { publicKeys } from "../sdk/publicKeys";
import { meshNodes } from "./network";

function sound<T>(checked: Checked<T>): T {
  if ("faults" in checked) throw new Error(format(checked.faults));
  return checked.value;
}

const type = resourceType("overlay:wireguard:Interface") as ResourceType;
const { spec, plan } = type.technology;

type MeshPeers = ReturnType<typeof meshPeers<string>>;
type TextOf = (own: Parameters<typeof specText>[0], index: number) => string;

/** Bytes of the texts of all nodes. */
function bytesOf(count: number, keys: readonly string[], by: (peers: MeshPeers) => TextOf): number {
  const network = new Network();
  const nodes = Object.entries(meshNodes(count)).map(([name, args]) => {
    sound(network.addNode(name, args));
    // As much of an OverlayNode as a mesh's arguments are looked at for.
    return { __pulumiResource: true, __pulumiType: "overlay:index:OverlayNode", nodeName: name } as never;
  });
  const mesh = sound(network.addMesh("mesh", { nodes }));
  return network.ofNodes(mesh.nodes, (all) => {
    const mtu = mtuOf(mesh, all);
    const text = by(meshPeers(mesh, all, keys));
    return all.reduce((bytes, node, index) => bytes + text(meshNode(mesh, node, "net/prod", mtu), index).length, 0);
  }) as number;
}

const planned = (peers: MeshPeers) => (own: object, index: number) =>
  config(plan(spec.parse({ ...own, peers: peers.filter((_, other) => other !== index) })));

function checked(peers: MeshPeers): TextOf {
  const texts = peerTexts(peers);
  return (own, index) => {
    const news = { connection: { host: "203.0.113.5" }, machine: "0", spec: specText(own, texts, index) };
    const result = check(type, news, own.node);
    if ("faults" in result) throw new Error(format(result.faults));
    return result.inputs.config;
  };
}

const timed = (work: () => number): { bytes: number; took: number } => {
  const began = performance.now();
  const bytes = work();
  return { bytes, took: performance.now() - began };
};

const count = Number(process.argv[2]);
const keys = publicKeys(count);
const pure = timed(() => bytesOf(count, keys, planned));
const whole = timed(() => bytesOf(count, keys, checked));
console.log(JSON.stringify({ ...pure, checked: whole.took, memory: process.resourceUsage().maxRSS * 1000 }));
