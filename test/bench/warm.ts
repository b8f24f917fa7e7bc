/** What one operation on a host costs once the connection is open. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { apply, type Hosts, type Session, snapshot } from "../../sdk/host";
import { type Fact, queries } from "../../sdk/kernel";
import { bring, bringLink, connectionTo, hostsOf, nodeFacts } from "../e2e/hosts";
import type { Lab } from "../lab";
import { median, type Section } from "./report";

const ROUNDS = 5;
const HOST = "lux";

/** Median time of an operation in milliseconds. */
async function each(times: number, operation: (index: number) => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let index = 0; index < times; index++) {
    const began = performance.now();
    await operation(index);
    took.push(performance.now() - began);
  }
  return median(took);
}

/** A line there and back, by an ssh of its own to `cat`: what no operation can go below. */
async function echo(lab: Lab) {
  const [command = "", ...args] = [...lab.ssh(HOST), "exec cat"];
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
  const trip = async () => {
    child.stdin.write("x\n");
    await once(child.stdout, "data");
  };
  await trip();
  return { trip, end: () => child.stdin.end() };
}

/** A connection of its own, and an empty operation by it. */
async function cold(lab: Lab): Promise<void> {
  const hosts = hostsOf(lab);
  await hosts.session(connectionTo(lab, HOST)).run(":");
  await hosts.close();
}

const TRIP = "a line by ssh to `cat` and back";
const EMPTY = "an empty operation";

/** Each of them once a round; how long it took, in milliseconds. */
function operations(lab: Lab, open: Session, facts: Fact[], trip: () => Promise<void>) {
  const asked = queries(facts);
  const change = (index: number) =>
    apply(open, { commands: [`ip link set dev inter-fra mtu ${1400 + (index % 2)}`], queries: asked });
  return {
    [TRIP]: () => each(200, trip),
    [EMPTY]: () => each(200, () => open.run(":")),
    "a snapshot of a node and a link": () => each(20, () => snapshot(open, asked)),
    "nothing changed, with the snapshot afterwards": () =>
      each(20, () => apply(open, { commands: [], queries: asked })),
    "an MTU changed, with the snapshot afterwards": () => each(20, change),
    "a node looked at, nothing to do, its boot file written": () =>
      each(5, () => bring(open, nodeFacts(HOST), "10-node")),
    "not warm: connect, log in, an empty operation": () => each(5, () => cold(lab)),
  };
}

async function measure(lab: Lab, hosts: Hosts): Promise<Map<string, number[]>> {
  const { lux: facts } = await bringLink(lab, hosts);
  const { trip, end } = await echo(lab);
  const took = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [title, operation] of Object.entries(
      operations(lab, hosts.session(connectionTo(lab, HOST)), facts, trip),
    )) {
      took.set(title, [...(took.get(title) ?? []), await operation()]);
    }
  }
  end();
  return took;
}

export async function warm(lab: Lab): Promise<Section> {
  const hosts = hostsOf(lab);
  const took = await measure(lab, hosts).finally(() => hosts.close());
  const of = (title: string) => median(took.get(title) ?? []);
  const beyond = (title: string) => of(title) - of(TRIP);
  const milliseconds = (value: number) => `${value.toFixed(2)} ms`;
  return {
    title: "Warm operations",
    bars: [
      {
        measure: "warm operation on a host, beyond the round trip",
        figure: milliseconds(beyond(EMPTY)),
        mustBe: "10 ms or less",
        met: beyond(EMPTY) <= 10,
      },
    ],
    text:
      `Operations of sdk/host on one host of the lab, medians of ${ROUNDS} rounds, the rows interleaved; a round's ` +
      "figure is itself the median of 5 to 200 operations. What must be reached is what the session itself costs, an " +
      "empty operation; what the host's tools take for the other rows is the host's.",
    table: [
      ["operation", "median", "beyond the round trip", "lowest and highest round"],
      ...[...took].map(([title, rounds]) => [
        title,
        milliseconds(of(title)),
        milliseconds(beyond(title)),
        `${milliseconds(Math.min(...rounds))} to ${milliseconds(Math.max(...rounds))}`,
      ]),
    ],
  };
}
