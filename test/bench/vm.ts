/** Hosts with a kernel of their own: from `up` to ssh, and what QEMU takes of the machine's memory. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Lab, run } from "../lab";
import { hostFolder } from "../lab/files";
import { median, type Section, seconds } from "./report";

const NAME = "benchvm";
const TIMES = 3;

/** Megabytes that a host's QEMU has in memory: VmRSS of proc_pid_status(5). */
async function resident(host: string): Promise<number> {
  const machine = readFileSync(join(hostFolder(NAME, host), "machine"), "utf8").trim();
  const { stdout } = await run(["pgrep", "-P", machine, "qemu-system"]);
  const status = readFileSync(`/proc/${stdout.trim()}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
}

export async function vm(): Promise<Section> {
  const times: number[] = [];
  const sizes: number[] = [];
  const rows: string[][] = [["", "`up` to ssh", "memory of lux", "memory of fra"]];
  for (let time = 1; time <= TIMES; time++) {
    try {
      const began = Date.now();
      const lab = await Lab.up("vm", { name: NAME, fresh: true });
      const logins = await Promise.all(["lux", "fra"].map((host) => run([...lab.ssh(host), "true"])));
      times.push(logins.every(({ code }) => code === 0) ? Date.now() - began : Number.NaN);
      const memory = await Promise.all(["lux", "fra"].map(resident));
      sizes.push(...memory);
      rows.push([`time ${time}`, seconds(times.at(-1) ?? 0), ...memory.map((one) => `${one.toFixed(0)} MB`)]);
    } finally {
      await Lab.down(NAME);
    }
  }
  return {
    title: "Hosts with a kernel of their own",
    bars: [
      {
        measure: "two vms, cold, from `up` to ssh (median)",
        figure: seconds(median(times)),
        mustBe: "15 s",
        met: median(times) <= 15_000,
      },
      {
        measure: "memory of a vm's QEMU, the largest",
        figure: `${Math.max(...sizes).toFixed(0)} MB`,
        mustBe: "400 MB",
        met: Math.max(...sizes) <= 400,
      },
    ],
    text:
      "Topology `vm`: two vms and a container, made and taken down again each time. The time is that of `lab up` with the " +
      "images there, and one login to each vm; the memory is QEMU's resident set after that.",
    table: rows,
  };
}
