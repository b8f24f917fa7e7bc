/** Inline programs in one process, one with faults, then two at once: prints what became of each as JSON. */
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { OverlayNode, WgLink } from "../../../components";

const lux = { id: 1, connection: { host: "203.0.113.5" }, addresses: ["10.255.0.1"] };
const fra = { id: 2, connection: { host: "198.51.100.9" }, endpoints: ["198.51.100.9"] };

/** What a preview counts and prints, or why it failed. */
async function preview(stackName: string, program: () => Promise<Record<string, unknown>>): Promise<unknown> {
  const stack = await LocalWorkspace.createOrSelectStack({ stackName, projectName: "net", program });
  try {
    const { changeSummary, stdout } = await stack.preview({ color: "never" });
    return { changeSummary, stdout };
  } catch (error) {
    return (error as Error).message;
  }
}

const right = async () => {
  new WgLink("lux-fra", { a: new OverlayNode("lux", lux), b: new OverlayNode("fra", fra) });
  return {};
};
const wrong = async () => {
  const node = new OverlayNode("lux", { ...lux, id: 0 });
  const b = new OverlayNode("fra", fra);
  const a = new OverlayNode("hkg", { id: 3, connection: { host: "192.0.2.7" }, addresses: ["10.255.0.3"] });
  new WgLink("lux-fra", { a: node, b });
  new WgLink("hkg-fra", { a, b, ports: { a: 0 }, mtu: 9000 });
  return { key: node.publicKey };
};
/** Nothing of lux is known before it is made: it stands for a server of some cloud. */
const unknown = async () => {
  const node = new OverlayNode("lux", lux);
  const host = node.machine.apply(() => "198.51.100.9");
  const addresses = [node.machine.apply(() => "10.255.0.2")];
  const later = new OverlayNode("fra", { id: 2, connection: { host }, addresses, endpoints: [host] });
  new WgLink("lux-fra", { a: node, b: later });
  return {};
};

async function main(): Promise<void> {
  const became = [
    await preview("wrong", wrong),
    ...(await Promise.all([preview("right", right), preview("unknown", unknown)])),
  ];
  process.stdout.write(JSON.stringify(became));
}

void main();
