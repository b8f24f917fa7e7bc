/** A host that is a container (systemd-nspawn): its own everything but the kernel. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostPorts, isPulled } from "../breaks";
import { hostFolder, SOURCES, writeWhole } from "../files";
import * as groups from "../groups";
import type { Kind } from "../kinds";
import { machine } from "../machine";
import { must, run } from "../run";
import { hostCables, namespace } from "../wires";

const text = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** The host's init: the only child of the process that is its machine. */
function init(lab: string, host: string): number | undefined {
  const parent = machine(lab, host);
  if (parent === undefined) return undefined;
  const [child] = text(`/proc/${parent}/task/${parent}/children`).trim().split(" ");
  return child ? Number(child) : undefined;
}

export const container: Kind = {
  enter(lab, host) {
    const pid = init(lab, host);
    return pid === undefined ? undefined : ["nsenter", "--target", String(pid), "--all", "--"];
  },

  every: 20,

  /** In /proc/net, from outside: it costs nothing. */
  async read(lab, host, files) {
    const pid = init(lab, host);
    return files.map((file) => (pid === undefined ? "" : text(`/proc/${pid}/net/${file}`)));
  },

  /** A cable that is pulled out stays out. */
  writeCables(lab, topology, host, breaks) {
    const pulled = isPulled(breaks, host) ? hostPorts(topology, host) : [];
    const lines = [...hostCables(lab, topology, host), ...pulled.map((port) => `link set ${port} down`)];
    writeWhole(join(hostFolder(lab, host), "links"), `${lines.join("\n")}\n`);
  },

  async changeCables(lab, topology, host, before, after) {
    const pulled = isPulled(after, host);
    if (isPulled(before, host) === pulled) return;
    await must(["ip", "-netns", namespace(lab, "net"), "-batch", "-"], {
      input: hostPorts(topology, host)
        .map((port) => `link set ${port} ${pulled ? "down" : "up"}`)
        .join("\n"),
    });
  },

  async cutPower(lab, _topology, host) {
    const running = machine(lab, host);
    if (running !== undefined) {
      await must([
        "perl",
        join(SOURCES, "container/cut-power.pl"),
        join(`/proc/${running}/root`, hostFolder(lab, host), "disk"),
      ]);
    }
    await groups.kill(lab, host);
    await run(["ip", "netns", "delete", namespace(lab, host)]);
  },
};
