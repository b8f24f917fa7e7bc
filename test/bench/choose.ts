/** What it costs a host with 50 links to choose its endpoints: all of them busy, and all idle. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Choosing, within } from "../e2e/days/choose";
import { IDS, on } from "../e2e/days/network";
import { hostsOf } from "../e2e/hosts";
import type { Lab } from "../lab";
import type { Bar, Section } from "./report";
import { ROOT } from "./stack";

const LINKS = 50;
const SECONDS = 60;

/** Processor time of the agent and all that it has started, in seconds: proc_pid_stat(5), 14 to 17, in ticks of 10 ms. */
const spent = async (lab: Lab): Promise<number> => {
  const stat = await on(lab, "lux", "cat /proc/$(systemctl show -p MainPID --value overlay-choose)/stat");
  const fields = stat
    .replace(/^.*\) /, "")
    .split(" ")
    .map(Number);
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks / 100, 0);
};

async function share(lab: Lab): Promise<number> {
  const before = await spent(lab);
  await sleep(SECONDS * 1000);
  return ((await spent(lab)) - before) / SECONDS;
}

async function many(lab: Lab, host: string, peer: string, keys: string[]): Promise<string[]> {
  const input = readFileSync(join(ROOT, "test/bench/choose.sh"), "utf8");
  const words = `${LINKS} ${IDS[host]} ${IDS[peer]} ${lab.json.hosts[peer]?.addresses[0]}`;
  await lab.exec(host, "cat >/run/many.sh", { input });
  const { code, stdout, stderr } = await lab.exec(host, `sh /run/many.sh ${words}`, {
    input: keys.map((key) => `${key}\n`).join(""),
    timeout: 120_000,
  });
  if (code !== 0) throw new Error(`${host}: ${stderr}`);
  return stdout.trim().split("\n");
}

export async function choose(lab: Lab): Promise<Section> {
  const hosts = hostsOf(lab);
  const net = await Choosing.make(lab, hosts, []);
  try {
    const ours = await many(lab, "lux", "fra", []);
    const theirs = await many(lab, "fra", "lux", ours);
    await many(lab, "lux", "fra", theirs);
    const addresses = lab.json.hosts.fra?.addresses ?? [];
    const lines = theirs.flatMap((key, index) => [
      `peer ${key} many${index + 1} p${index + 1} chooser`,
      ...addresses.map((address, cost) => `endpoint ${key} ${address} ${20001 + index} ${cost}`),
    ]);
    const of = theirs.map((publicKey) => ({ publicKey, address: `fe80::${IDS.fra}` }));
    await net.start("lux", lines, { fetch: 60, stacks: [{ stack: "net/test", signers: [net.signer.publicKey], of }] });
    const good = async () => Number(await on(lab, "lux", "grep -c 'chosen.* good' /run/overlay/choice || :")) === LINKS;
    await within(60, "all links are known", good);
    await sleep(10_000);
    const idle = await share(lab);
    await on(
      lab,
      "fra",
      `for i in $(seq ${LINKS}); do ping -n -i 0.2 -s 600 -I many$i fe80::${IDS.lux}%many$i >/dev/null 2>&1 & echo $!; done >/run/many.pids`,
    );
    await sleep(10_000);
    const busy = await share(lab);
    await on(lab, "fra", "kill $(cat /run/many.pids)");
    const bar = (what: string, figure: number, most: number): Bar => ({
      measure: `a host with ${LINKS} links that chooses endpoints, ${what}: mean of a core`,
      figure: `${(100 * figure).toFixed(2)} %`,
      mustBe: `${most} % or less`,
      met: 100 * figure <= most,
    });
    return {
      title: "Choosing endpoints",
      bars: [bar("all busy", busy, 0.5), bar("all idle", idle, 2)],
      text:
        `lux has ${LINKS} links with fra, in user space, and probes each 2 s. Processor time of the agent and of all that it ` +
        `starts (wg, awk, fping, ip, nft), over ${SECONDS} s; not that of wireguard-go and the kernel. Busy: five packets a ` +
        "second each way on each link.",
      table: [],
    };
  } finally {
    await hosts.close();
    net.signer.remove();
  }
}
