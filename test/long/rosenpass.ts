/** Links that Rosenpass protects, left alone, and on bad days that last. */
import { Traffic } from "../bench/pings";
import { Lab } from "../lab";
import { pause, until } from "../lab/run";
import { Pair } from "../sdk/host/rosenpass";
import type { Trial } from "./trial";

const LAB = "longkeys";
/** Between two exchanges, and what is left of it. */
const REKEY = 130_000;
/** What must be reached: seconds after a cut until something passes; kilobytes and percent of a CPU at rest. */
const [BACK, MEMORY, CPU] = [10, 8192, 0.01];

interface Seen {
  exchanges: number;
  lost: number;
  sent: number;
}

const way = ({ lab, ends: [a, b] }: Pair) => ({ lab, from: a.host, address: `10.255.0.${b.id}` });

/** Pings by a link for some minutes, during which `work` is done; how often the key has changed. */
async function watched(
  pair: Pair,
  minutes: number,
  work: () => Promise<unknown> = async () => undefined,
): Promise<Seen> {
  const { lab, ...at } = way(pair);
  const traffic = await Traffic.start(lab, [at]);
  const keys = new Set<string>();
  const end = Date.now() + minutes * 60_000;
  const working = work();
  while (Date.now() < end) {
    keys.add((await pair.report(at.from)).psk ?? "");
    await pause(5_000);
  }
  await working;
  const { lost, sent } = await traffic.stop();
  return { lost, sent, exchanges: keys.size - 1 };
}

const told = (title: string, { lost, sent, exchanges }: Seen): string =>
  `${title}: ${exchanges} new keys, ${lost} of ${sent} pings lost`;

function mustLoseNothing(title: string, seen: Seen): string {
  if (seen.lost > 0) throw new Error(told(title, seen));
  return told(title, seen);
}

/** What was seen, and whether it is what must be reached. */
interface Figure {
  said: string;
  met: boolean;
}

/** Kilobytes of a unit's processes, what they share counted in part; and its part of one CPU over some minutes, in percent. */
async function atRest(pair: Pair, minutes: number): Promise<Figure> {
  const [{ host }] = pair.ends;
  const all = `pids="$(systemctl show -p MainPID --value ${pair.unit}) $(pgrep -f 'rosenpass.sh ${pair.name}')"; for pid in $pids`;
  // Of itself and of those that it has waited for, in hundredths of a second: proc_pid_stat(5).
  const spent = (): Promise<number> =>
    pair
      .on(
        host,
        `${all}; do sed 's/.*) //' /proc/$pid/stat; done | awk '{ used += $12 + $13 + $14 + $15 } END { print used }'`,
      )
      .then(Number);
  const used = await pair.on(
    host,
    `${all}; do cat /proc/$pid/smaps_rollup; done | awk '/^Pss:/ { all += $2 } END { print all }'`,
  );
  const before = await spent();
  await pause(minutes * 60_000);
  const percent = ((await spent()) - before) / (minutes * 60);
  return {
    said: `at rest ${used.trim()} kB a link and side, ${percent.toFixed(4)} % of a CPU`,
    met: Number(used) <= MEMORY && percent <= CPU,
  };
}

const cutting = (family: "ip" | "ip6", address: string): string =>
  `nft 'table inet cut { chain input { type filter hook input priority -500; ${family} saddr ${address} drop; }; chain output { type filter hook output priority -500; ${family} daddr ${address} drop; }; }'`;

async function days(lab: Lab, minutes: number): Promise<string> {
  const of = (host: string): string[] => lab.json.hosts[host]?.addresses ?? [];
  const pairOf = (a: [string, number], b: [string, number]): Promise<Pair> =>
    Pair.make(lab, [
      { host: a[0], id: a[1], calledAt: of(a[0]) },
      { host: b[0], id: b[1], calledAt: of(b[0]) },
    ]);
  const strict = await pairOf(["lux", 1], ["fra", 2]);
  const permissive = await pairOf(["fra", 2], ["hkg", 3]);
  for (const pair of [strict, permissive]) {
    await pair.turn(pair === strict ? "strict" : "permissive");
    await pair.within(10, "what goes by the link is protected", () =>
      pair.passes(pair.ends[0].host).then((ok) => ok || pair === permissive),
    );
  }
  const seen: string[] = [];

  // A third link comes on the hosts of the others meanwhile.
  const [first, second] = await Promise.all([
    watched(strict, minutes, async () => {
      const third = await pairOf(["lux", 1], ["hkg", 3]);
      await third.turn("strict");
      await third.within(10, "the third link is protected", () => third.passes("lux"));
      await third.off();
    }),
    watched(permissive, minutes),
  ]);
  seen.push(mustLoseNothing("strict, while another link came and went", first), mustLoseNothing("permissive", second));

  // WireGuard goes by the other family, as where hosts choose; the daemons follow.
  const [luxV6 = "", fraV6 = ""] = ["lux", "fra"].map((host) => of(host)[1]);
  const [luxV4 = ""] = of("lux");
  const nearly = minutes * 60_000 - 15_000;
  const [switched, stopped] = await Promise.all([
    watched(strict, minutes, async () => {
      await strict.on("fra", `wg set ${strict.device("fra")} peer ${strict.peer("fra")} endpoint '[${luxV6}]:11002'`);
      await strict.on("lux", `wg set ${strict.device("lux")} peer ${strict.peer("lux")} endpoint '[${fraV6}]:11001'`);
      for (const host of ["fra", "lux"]) {
        await strict.on(host, "echo 'as choose.sh tells of it' >/run/overlay/choice");
        await strict.look(host);
      }
      await pause(1000);
      await strict.on("fra", cutting("ip", luxV4));
      await pause(nearly);
      await strict.on("fra", "nft delete table inet cut");
    }),
    watched(permissive, minutes, async () => {
      await permissive.on("hkg", `systemctl stop ${permissive.unit}`);
      await pause(nearly);
      await permissive.on("hkg", `systemctl start ${permissive.unit}`);
    }),
  ]);
  seen.push(mustLoseNothing("strict, the path of before cut", switched));
  seen.push(mustLoseNothing("permissive, a daemon dead", stopped));
  await permissive.within(5, "both have one key again", () => permissive.agree(60));

  const half = minutes / 2;
  await lab.break({ kind: "drop", target: "lux" });
  const [rest] = await Promise.all([atRest(permissive, half), pause(half * 60_000)]);
  seen.push(rest.said);
  if (await strict.ping("lux", 1)) throw new Error("what is cut passes");
  await lab.heal();
  const began = Date.now();
  if (!(await until(60_000, () => strict.ping("lux", 1), 50))) {
    throw new Error(`nothing passes after a cut\n${await strict.said()}`);
  }
  const back = (Date.now() - began) / 1000;
  seen.push(`strict, ${back.toFixed(1)} s after a network cut of ${half} minutes is back`);
  if (back > BACK || !rest.met) throw new Error(seen.join("; "));
  return seen.join("; ");
}

export const rosenpass = (minutes: number): Trial => ({
  title: `Rosenpass on links, in stretches of ${minutes} minutes (new keys every ${REKEY / 1000} s)`,
  mustBe: `0 lost; ${BACK} s after the cut; ${MEMORY / 1024} MB and ${CPU} % of a CPU at rest`,
  run: async () => {
    const lab = await Lab.up("lab", { name: LAB, fresh: true });
    try {
      return await days(lab, minutes);
    } finally {
      await Lab.down(LAB);
    }
  },
});
