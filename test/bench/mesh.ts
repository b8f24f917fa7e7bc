/** A WgMesh of ten hosts, beside plain ssh and Ansible. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Lab } from "../lab";
import { Ansible } from "./ansible";
import { meshOf, type Network, nodesOf, withNode } from "./network";
import { Plain } from "./plain";
import { type Bar, median, ROUNDS, type Section, seconds, spread } from "./report";
import { Stack } from "./stack";

/** Milliseconds that all processors of the machine have worked so far, proc_stat(5): hosts are containers on it. */
function worked(): number {
  const [, user, nice, system, , , irq, softirq] =
    readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.split(/ +/) ?? [];
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

/** Each round's milliseconds, by what was done: on the clock, and of the processors. */
class Times {
  readonly rows = new Map<string, { wall: number; work: number }[]>();

  async add(title: string, work: () => Promise<unknown>): Promise<void> {
    const [began, before] = [performance.now(), worked()];
    await work();
    const took = { wall: performance.now() - began, work: worked() - before };
    this.rows.set(title, [...(this.rows.get(title) ?? []), took]);
  }

  all = (title: string, what: "wall" | "work"): number[] => (this.rows.get(title) ?? []).map((one) => one[what]);
  of = (title: string): number => median(this.all(title, "wall"));
  work = (title: string): number => median(this.all(title, "work"));
}

const PLAIN = {
  login: "plain ssh, logins that do nothing",
  first: "plain ssh, first",
  again: "plain ssh, the same once more",
  change: "plain ssh, one peer",
  added: "plain ssh, a host more",
  check: "plain ssh, a look",
};
const UP = {
  first: "`up`, first",
  change: "`up`, one peer",
  added: "`up`, a host more",
  noop: "`up`, nothing to do",
  live: "`up`, nothing to do, live",
};
/** The floor of any provider in Node: one whose check and diff hand back what they get. */
const ECHO = {
  first: "`up`, first, a provider that only echoes",
  noop: "`up`, nothing to do, a provider that only echoes",
};
const ANSIBLE = "Ansible, first";

/** The host that is changed or comes later, and its other address, at which the others are to call it from then on. */
function lastOf(lab: Lab): { last: string; others: string[]; elsewhere: string } {
  const last = lab.hosts.at(-1) ?? "";
  const elsewhere = lab.json.hosts[last]?.addresses[1] ?? "";
  return { last, others: lab.hosts.slice(0, -1), elsewhere };
}

async function plainRound(lab: Lab, times: Times): Promise<void> {
  const plain = new Plain(lab);
  const { last, others, elsewhere } = lastOf(lab);
  await times.add(PLAIN.login, () => plain.login(lab.hosts));
  await times.add(PLAIN.first, () => plain.mesh(lab.hosts));
  await times.add(PLAIN.again, () => plain.mesh(lab.hosts));
  await plain.check(lab.hosts);
  await times.add(PLAIN.check, () => plain.check(lab.hosts));
  await times.add(PLAIN.change, () => plain.change(last, lab.hosts, elsewhere));
  await plain.remove(lab.hosts);
  await plain.mesh(others);
  await times.add(PLAIN.added, () => plain.add(last, others));
  await plain.check(lab.hosts);
  await plain.remove(lab.hosts);
}

const live = ["OVERLAY_LIVE=on"];

async function upRound(lab: Lab, stack: Stack, times: Times): Promise<void> {
  const network = meshOf(nodesOf(lab));
  const { last, elsewhere } = lastOf(lab);
  const up = (title: string, now: Network, settings?: string[]) => times.add(title, () => stack.up(now, settings));
  await up(UP.first, network);
  await up(UP.noop, network);
  // From now on state says that hosts are to be read first, and the engine reads many at once.
  await stack.must(["refresh", "--yes", "--skip-preview"], live);
  await up(UP.live, network, live);
  await stack.up(network);
  await up(UP.change, withNode(network, last, { endpoints: [elsewhere] }));
  const { [last]: _, ...others } = network.nodes;
  await stack.up(meshOf(others));
  await up(UP.added, network);
}

/** Whether `up` sees a peer that hands removed: the peers of a host afterwards. */
async function findsRemoved(lab: Lab, stack: Stack): Promise<boolean> {
  const [host = ""] = lab.hosts;
  const peers = async (): Promise<string[]> => (await lab.exec(host, "wg show mesh peers")).stdout.trim().split("\n");
  const before = await peers();
  await lab.exec(host, `wg set mesh peer ${before[0]} remove`);
  if ((await peers()).length !== before.length - 1) throw new Error("the peer could not be removed");
  await stack.up(undefined, live);
  return (await peers()).sort().join() === before.sort().join();
}

export async function mesh(lab: Lab): Promise<Section> {
  const times = new Times();
  const ansible = await Ansible.make(lab);
  const stack = await Stack.make(lab, meshOf(nodesOf(lab)));
  const echo = await Stack.make(lab, meshOf(nodesOf(lab)));
  echo.plug("echo");
  let found = false;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await plainRound(lab, times);
      if (typeof ansible !== "string") {
        await times.add(ANSIBLE, () => ansible.play());
        await new Plain(lab).remove(lab.hosts);
      }
      await upRound(lab, stack, times);
      await times.add(ECHO.first, () => echo.up());
      await times.add(ECHO.noop, () => echo.up());
      await echo.must(["destroy", "--yes", "--skip-preview"]);
      if (round === 0) found = await findsRemoved(lab, stack);
      await stack.must(["destroy", "--yes", "--skip-preview"]);
    }
  } finally {
    stack.remove();
    echo.remove();
  }

  const bar = (measure: string, one: string, other: string, most: number, more = ""): Bar => {
    const ratio = times.of(one) / times.of(other);
    return { measure, figure: `${ratio.toFixed(2)}${more}`, mustBe: `${most.toFixed(2)} or less`, met: ratio <= most };
  };
  // All the processors' work that there is without any of ours on hosts; and no run ends before one without hosts.
  const least = (run: string, plain: string, twice = 0): string => {
    const work = (times.work(run) + times.work(plain) - twice) / cpus().length;
    return (Math.max(work, times.of(run)) / times.of(plain)).toFixed(2);
  };
  const change = (measure: string, one: string, plain: string): Bar => {
    const ratio = (times.of(one) / times.of(plain)).toFixed(2);
    const more = ` (over what differs alone, made by hand: ${ratio}; here no less than ${least(ECHO.noop, plain)} can be had)`;
    return bar(measure, one, PLAIN.again, 2.5, more);
  };
  const more = times.of(UP.live) - times.of(UP.noop);
  return {
    title: "A mesh of ten hosts",
    bars: [
      bar(
        "WgMesh, 10 hosts, first `up`, over plain parallel ssh, one script a host",
        UP.first,
        PLAIN.first,
        1.7,
        ` (here no less than ${least(ECHO.first, PLAIN.first, times.work(PLAIN.login))} can be had)`,
      ),
      change("one peer's change, over the same once more", UP.change, PLAIN.change),
      change("a host added, over the same once more", UP.added, PLAIN.added),
      typeof ansible === "string"
        ? { measure: "first `up`, over Ansible", figure: `none: ${ansible}`, mustBe: "0.33 or less", met: false }
        : bar("first `up`, over an idiomatic Ansible playbook", UP.first, ANSIBLE, 1 / 3),
      {
        measure: "no-op `up` of the mesh",
        figure: `${seconds(times.of(UP.noop))} (a provider that only echoes: ${seconds(times.of(ECHO.noop))})`,
        mustBe: "1.90 s or less",
        met: times.of(UP.noop) <= 1900,
      },
      {
        measure: "the same with OVERLAY_LIVE=on: more than that, over a parallel look by ssh",
        figure: (more / times.of(PLAIN.check)).toFixed(2),
        mustBe: "2.00 or less",
        met: more <= 2 * times.of(PLAIN.check),
      },
      { measure: "it finds a peer that hands removed", figure: found ? "yes" : "no", mustBe: "yes", met: found },
    ],
    text:
      `Topology \`ten\`, medians of ${ROUNDS} rounds, the tools in turn, each from hosts that have nothing. ` +
      "`up` is `pulumi up --yes --skip-preview`. Plain ssh is one script a host, to all at once (test/bench/script.sh): " +
      "keys are made and read in a first round, devices, addresses, peers, routes and the boot file come in a second; it may " +
      "be run again, as it is for a change. What differs alone, made by hand: what that is and the new boot file, sent to the " +
      "hosts that it concerns, and nobody looks whether it holds. Ansible's playbook (test/bench/ansible) has 10 forks and " +
      "pipelining. One peer: its other address, of IPv6, at which nine hosts are told to call it. Processor time is that of " +
      "the whole machine, with its hosts. What cannot be had for less: a first run through Pulumi needs the work of one by a " +
      "provider that only echoes, any other that of one of the same with nothing to do, and hosts need what plain ssh has " +
      "them do (for a first run with one login, not two); together, on so many cores, and none is over before the one that " +
      "only echoes is.",
    table: [
      ["run", "median", "fastest and slowest", "processor time"],
      ...[...times.rows.keys()].map((title) => [
        title,
        seconds(times.of(title)),
        spread(times.all(title, "wall")),
        seconds(times.work(title)),
      ]),
    ],
  };
}
