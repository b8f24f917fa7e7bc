/** What a device of many peers takes: to look at, and to change. */
import { apply, snapshot } from "../../sdk/host";
import { type Fact, queries } from "../../sdk/kernel";
import { wireguard } from "../../sdk/wireguard";
import { bring, connectionTo, hostsOf, nodeFacts, OWNER } from "../e2e/hosts";
import type { Lab } from "../lab";
import { publicKeys } from "../sdk/publicKeys";
import { median, ROUNDS, type Section } from "./report";

const COUNT = 250;
const keys = publicKeys(COUNT + 1);

/** Each is called somewhere on hkg's segment; `port`: that of the first. */
function meshFacts(count: number, port = 11000): Fact[] {
  const peers = keys.slice(0, count).map((publicKey, index) => ({
    name: `n${index}`,
    id: index + 10,
    publicKey,
    addresses: [`10.254.0.${index + 1}`, `fd00:6f:1::${index + 1}`],
    endpoint: `192.0.2.${index + 4}:${index === 0 ? port : 11000}`,
  }));
  const own = { node: "lux", owner: OWNER, link: "mesh", device: "mesh", id: 1, mtu: 1420, listenPort: 11001 };
  return wireguard.plan(wireguard.spec.parse({ ...own, addresses: ["10.255.0.1", "fd00:6f::1"], peers }));
}

export async function peers(lab: Lab): Promise<Section> {
  const hosts = hostsOf(lab);
  const session = hosts.session(connectionTo(lab, "lux"));
  const took = new Map<string, number[]>();
  const timed = async (title: string, work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    took.set(title, [...(took.get(title) ?? []), performance.now() - began]);
  };
  const become = async (facts: Fact[]) => {
    const differs = await bring(session, facts, "50-mesh");
    if (differs.length > 0) throw new Error(`the host is not as it should be: ${differs.join("; ")}`);
  };
  try {
    await bring(session, nodeFacts("lux"), "10-node");
    for (let round = 0; round < ROUNDS; round++) {
      await timed("from nothing", () => become(meshFacts(COUNT)));
      await timed("a look", () => snapshot(session, queries(meshFacts(COUNT))));
      await timed("nothing to do, looked at twice", () => become(meshFacts(COUNT)));
      await timed("one peer more", () => become(meshFacts(COUNT + 1)));
      await timed("another endpoint of one", () => become(meshFacts(COUNT + 1, 443)));
      const gone = [`wg set mesh peer ${keys[COUNT]} remove`];
      await timed("one command, looked at afterwards", () =>
        apply(session, { commands: gone, queries: queries(meshFacts(COUNT)) }),
      );
      await apply(session, { commands: ["systemctl stop overlay-wireguard-go@mesh.service"], queries: [] });
    }
  } finally {
    await hosts.close();
  }
  const milliseconds = (value: number) => `${value.toFixed(0)} ms`;
  return {
    title: `A device of ${COUNT} peers`,
    bars: [],
    text:
      `One host, over a connection that is open, medians of ${ROUNDS} rounds. Each but the look is two looks and a change ` +
      "between them: the boot file is written each time, and what is afterwards is held against what should be.",
    table: [
      ["operation", "median", "lowest and highest round"],
      ...[...took].map(([title, all]) => [
        title,
        milliseconds(median(all)),
        `${milliseconds(Math.min(...all))} to ${milliseconds(Math.max(...all))}`,
      ]),
    ],
  };
}
