/**
 * What the host layer costs, on hosts of a lab of its own: `node dist/test/bench/ssh.js`. Medians in milliseconds; the
 * round trip itself is in them and is measured beside them.
 */
import { apply, type Hosts, snapshot } from "../../sdk/host";
import { changes, live, queries } from "../../sdk/kernel";
import { bring, bringLink, connectionTo, hostsOf, linkFacts, nodeFacts } from "../e2e/hosts";
import { Lab, run } from "../lab";

const NAME = "benchssh";

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed(what: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await what();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

async function several(times: number, what: (index: number) => Promise<unknown>): Promise<number> {
  const values: number[] = [];
  for (let index = 0; index < times; index++) values.push(await timed(() => what(index)));
  return median(values);
}

async function roundTrip(lab: Lab): Promise<number> {
  const address = lab.json.hosts.lux?.addresses[0] ?? "";
  const ping = [
    "nsenter",
    `--net=/run/netns/${lab.json.operator}`,
    "--",
    "ping",
    "-q",
    "-c",
    "50",
    "-i",
    "0.02",
    address,
  ];
  return Number(/= [\d.]+\/([\d.]+)\//.exec((await run(ping)).stdout)?.[1]);
}

async function bench(lab: Lab, hosts: Hosts): Promise<Record<string, number>> {
  const cold = async (): Promise<void> => {
    const fresh = hostsOf(lab);
    await fresh.session(connectionTo(lab, "lux")).run("hello");
    await fresh.close();
  };
  const rtt = await roundTrip(lab);
  const connect = await several(10, cold);
  const { lux: facts } = await bringLink(lab, hosts);
  const lux = hosts.session(connectionTo(lab, "lux"));
  const asked = queries(facts);
  const seen = await snapshot(lux, asked);
  const publicKey = seen.wg[0]?.peers[0]?.publicKey ?? "";
  const link = linkFacts(lab, "lux", "fra", publicKey);
  const remove = changes(live(seen, link), [], { wireguard: "userspace" }).commands;
  return {
    "round trip (ping)": rtt,
    "cold: connect, log in, first operation": connect,
    "warm: empty operation": await several(200, () => lux.run(":")),
    "snapshot, host and link": await several(30, () => snapshot(lux, asked)),
    "apply nothing, and snapshot": await several(30, () => apply(lux, { commands: [], queries: asked })),
    "apply an MTU, and snapshot": await several(30, (index) =>
      apply(lux, { commands: [`ip link set dev inter-fra mtu ${1400 + (index % 2)}`], queries: asked }),
    ),
    "make a link again: 2 snapshots, 2 applies": await several(10, async () => {
      await apply(lux, { commands: remove, queries: [] });
      await bring(lux, link, "50-inter-fra");
    }),
    "nothing to do on a node: snapshot, apply": await several(10, () => bring(lux, nodeFacts("lux"), "10-node")),
  };
}

async function main(): Promise<void> {
  const lab = await Lab.up("lab", { name: NAME, fresh: true });
  const hosts = hostsOf(lab);
  try {
    for (const [what, value] of Object.entries(await bench(lab, hosts))) {
      console.log(`${value.toFixed(1).padStart(8)}  ${what}`);
    }
  } finally {
    await hosts.close();
    await Lab.down(NAME);
  }
}
void main();
