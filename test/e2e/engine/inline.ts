/** Inline programs in one process, one with faults, then two at once: prints what became of each as JSON. */
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { OverlayNode, WgLink } from "../../../components";

const lux = { id: 1, connection: { host: "203.0.113.5" }, endpoints: ["203.0.113.5"] };
const fra = { id: 2, connection: { host: "198.51.100.9" } };

async function preview(stackName: string, program: () => Promise<Record<string, unknown>>): Promise<string> {
  const stack = await LocalWorkspace.createOrSelectStack({ stackName, projectName: "net", program });
  try {
    return JSON.stringify((await stack.preview()).changeSummary);
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
  new WgLink("lux-fra", { a: node, b: new OverlayNode("fra", fra) });
  return { key: node.publicKey };
};

async function main(): Promise<void> {
  const became = [
    await preview("wrong", wrong),
    ...(await Promise.all([preview("one", right), preview("two", right)])),
  ];
  process.stdout.write(JSON.stringify(became));
}

void main();
