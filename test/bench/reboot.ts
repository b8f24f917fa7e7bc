/** How long a host that reboots with a fault is out of reach. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Lab, run } from "../lab";
import { fullMesh } from "./network";
import { type Bar, median, ROUNDS, type Section, seconds, spread } from "./report";
import { Stack } from "./stack";

const LIMIT = 30_000;
/** Milliseconds after which nobody is waited for. */
const PATIENCE = 120_000;
const HOST = "lux";

/** What is broken before the reboot, and how it is mended. */
const FAULTS: Record<string, [plant: string, mend: string]> = {
  none: [":", ":"],
  "a line that no tool understands": [
    "cp -a /etc/overlay/boot.d /root && sed -i '1a ip link add dev' /etc/overlay/boot.d/10-node",
    "rm -r /etc/overlay/boot.d && mv /root/boot.d /etc/overlay/",
  ],
  "no DHCP server answers": [
    "cp /etc/systemd/network/10-eth0.network /root && sed -i -e '/203.0.113/d' -e 's/^\\[Network\\]/&\\nDHCP=ipv4/' /etc/systemd/network/10-eth0.network",
    "mv /root/10-eth0.network /etc/systemd/network/",
  ],
  "all tables of nft are flushed": [unit("nft flush ruleset"), mended()],
  "networkd is restarted": [unit("systemctl restart systemd-networkd"), mended()],
};

function unit(command: string): string {
  const lines = ["[Unit]", "After=overlay-early.service systemd-networkd.service", "[Service]", "Type=oneshot"];
  const text = [...lines, `ExecStart=${command}`, "[Install]", "WantedBy=multi-user.target", ""].join("\\n");
  return `printf '${text}' >/etc/systemd/system/fault.service && systemctl -q enable fault`;
}

function mended(): string {
  return "systemctl -q disable fault && rm /etc/systemd/system/fault.service";
}

async function on(lab: Lab, command: string): Promise<void> {
  const { code, stdout, stderr } = await lab.exec(HOST, command);
  if (code !== 0) throw new Error(`${HOST}: ${command}: code ${code}: ${stderr}${stdout}`);
}

/** Milliseconds from the order to reboot to the first login into another boot, by whichever family answers. */
async function outage(lab: Lab): Promise<number> {
  const read = "cat /proc/sys/kernel/random/boot_id";
  const before = (await lab.exec(HOST, read)).stdout;
  const logins = (lab.json.hosts[HOST]?.addresses ?? []).map((address) => [
    ...lab.json.ssh.split(" "),
    ...["-o", "ConnectTimeout=1", "-o", `HostName=${address}`, HOST, read],
  ]);
  await on(lab, "systemctl --no-block reboot");
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
      for (const [fault, [plant, mend]] of Object.entries(FAULTS)) {
        await on(lab, plant);
        outages[fault] = [...(outages[fault] ?? []), await outage(lab)];
        await on(lab, mend);
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
