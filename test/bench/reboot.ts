/** How long a host that reboots with a fault is out of reach. */
import { setTimeout as sleep } from "node:timers/promises";
import { on } from "../e2e/days/network";
import { atBoot, NO_DHCP, NOT_UNDERSTOOD, type Plant } from "../e2e/plants";
import { type Lab, run } from "../lab";
import { loginTo, PATIENCE } from "./cutoff";
import { fullMesh } from "./network";
import { type Bar, median, ROUNDS, type Section, seconds, spread } from "./report";
import { Stack } from "./stack";

const LIMIT = 30_000;
const HOST = "lux";

const FAULTS: Record<string, Plant> = {
  none: { plant: ":", mend: ":" },
  "a line that no tool understands": NOT_UNDERSTOOD,
  "no DHCP server answers": NO_DHCP,
  "all tables of nft are flushed": atBoot("nft flush ruleset"),
  "networkd is restarted": atBoot("systemctl restart systemd-networkd"),
};

/** Milliseconds from the order to reboot to the first login into another boot, by whichever family answers. */
async function outage(lab: Lab): Promise<number> {
  const read = "cat /proc/sys/kernel/random/boot_id";
  const before = (await lab.exec(HOST, read)).stdout;
  const logins = (lab.json.hosts[HOST]?.addresses ?? []).map((address) => loginTo(lab, address, read));
  await on(lab, HOST, "systemctl --no-block reboot");
  const ordered = performance.now();
  while (performance.now() - ordered < PATIENCE) {
    const answers = await Promise.all(logins.map((login) => run(login, { timeout: 3000 })));
    if (answers.some(({ code, stdout }) => code === 0 && stdout !== before)) return performance.now() - ordered;
    await sleep(50);
  }
  throw new Error(`${HOST} was not back within two minutes`);
}

export async function reboot(lab: Lab): Promise<Section> {
  const outages: Record<string, number[]> = {};
  await Stack.whileUp(lab, fullMesh(lab), async () => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [fault, { plant, mend }] of Object.entries(FAULTS)) {
        await on(lab, HOST, plant);
        outages[fault] = [...(outages[fault] ?? []), await outage(lab)];
        await on(lab, HOST, mend);
      }
    }
  });
  const slowest = Math.max(...Object.values(outages).map(median));
  const bar: Bar = {
    measure: "SSH after a reboot with any one fault planted, the slowest of them",
    figure: seconds(slowest),
    mustBe: "30.00 s or less",
    met: slowest <= LIMIT,
  };
  return {
    title: "A reboot with a fault",
    bars: [bar],
    text:
      `A container of topology \`lab\` with two links, from the order to reboot to the first login: medians of ${ROUNDS} ` +
      "rounds. nft is flushed, and networkd restarted, after our early unit; without an answer by DHCP the login is one by IPv6.",
    table: [
      ["fault", "median", "fastest and slowest"],
      ...Object.entries(outages).map(([fault, all]) => [fault, seconds(median(all)), spread(all)]),
    ],
  };
}
