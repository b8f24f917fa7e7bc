/** The pure way of a mesh, as a process of its own: from what somebody declares to the text of every node. */
import type { OverlayNode } from "../../components";
import { meshNode, meshPeers, peerTexts, specText } from "../../components/mesh";
import { type Checked, Network } from "../../components/network";
import { mtuOf } from "../../components/side";
import { format } from "../../sdk/faults";
import { check } from "../../sdk/provider/inputs";
import { resourceType } from "../../sdk/provider/registry";
import { publicKeys } from "../sdk/publicKeys";
import { meshNodes } from "./network";

function sound<T>(checked: Checked<T>): T {
  if ("faults" in checked) throw new Error(format(checked.faults));
  return checked.value;
}

/** Bytes of all texts. */
function bytesOf(count: number, keys: readonly string[]): number {
  const network = new Network();
  const nodes = Object.entries(meshNodes(count)).map(([name, args]) => {
    sound(network.addNode(name, args));
    return {
      __pulumiResource: true,
      __pulumiType: "overlay:index:OverlayNode",
      nodeName: name,
    } as unknown as OverlayNode;
  });
  const mesh = sound(network.addMesh("mesh", { nodes }));
  const type = resourceType("overlay:wireguard:Interface");
  if (!type) throw new Error("no resource Interface");
  return network.ofNodes(mesh.nodes, (all) => {
    const [peers, mtu] = [peerTexts(meshPeers(mesh, all, keys)), mtuOf(mesh, all)];
    return all.reduce((bytes, node, index) => {
      const spec = specText(meshNode(mesh, node, "net/prod", mtu), peers, index);
      const checked = check(type, { connection: { host: "203.0.113.5" }, machine: "0", spec }, node.name);
      if ("faults" in checked) throw new Error(format(checked.faults));
      return bytes + checked.inputs.config.length;
    }, 0);
  }) as number;
}

const count = Number(process.argv[2]);
const keys = publicKeys(count);
const before = process.cpuUsage();
const began = performance.now();
const bytes = bytesOf(count, keys);
const took = performance.now() - began;
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({ bytes, took, cpu: (user + system) / 1000, memory: process.resourceUsage().maxRSS * 1000 }),
);
