/** A host that is a virtual machine (QEMU), with a kernel of its own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Break, hostPorts, isPulled } from "../breaks";
import { hostFolder, SOURCES, writeWhole } from "../files";
import * as groups from "../groups";
import type { Kind } from "../kinds";
import { machine } from "../machine";
import { must, run } from "../run";
import type { Topology } from "../topology";
import { namespace } from "../wires";
import { devices, nics, taps } from "./cables";
import { carrier, order, script } from "./monitor";
import { netems } from "./netem";

const lines = (all: readonly string[]): string => all.map((one) => `${one}\n`).join("");

const netem = (topology: Topology, host: string, breaks: readonly Break[]): string[] =>
  Object.entries(netems(topology, host, breaks)).map(
    ([device, words]) => `qdisc replace dev ${device} root netem ${words}`,
  );

const enter = (lab: string, host: string): string[] => ["sh", join(SOURCES, "vm/exec.sh"), lab, host];

export const vm: Kind = {
  /** There is a way in once the vm's sshd has answered (connect.sh). */
  enter(lab, host) {
    return machine(lab, host) === undefined ? undefined : enter(lab, host);
  },

  every: 500,

  /** By one process in the vm: while it boots, its processor has better things to do. */
  async read(lab, host, files) {
    if (!existsSync(join(hostFolder(lab, host), "exec"))) return files.map(() => "");
    const command = ["head", "--verbose", "--lines=1000", ...files.map((file) => `/proc/net/${file}`)];
    const { stdout } = await run([...enter(lab, host), ...command], { timeout: 5_000 });
    // ==> /proc/net/tcp <==
    const parts = stdout.split(/^==> (\S+) <==\n/m);
    return files.map((file) => parts[parts.indexOf(`/proc/net/${file}`) + 1] ?? "");
  },

  writeCables(lab, topology, host, breaks) {
    const put = (file: string, content: string): void => writeWhole(join(hostFolder(lab, host), file), content);
    const pulled = isPulled(breaks, host);
    put("links", lines([...taps(topology, host), ...(pulled ? plugs(topology, host, false) : [])]));
    put("nics", lines(nics(topology, host)));
    put("orders", script(pulled ? carrier(devices(topology, host), false) : []));
    put("netem", lines(netem(topology, host, breaks)));
    // On the loopback interface of the lab's own namespace.
    put("port", `${10_000 + Object.keys(topology.hosts).indexOf(host)}\n`);
  },

  async changeCables(lab, topology, host, before, after) {
    const pulled = isPulled(after, host);
    if (isPulled(before, host) !== pulled) {
      await must(["ip", "-netns", namespace(lab, "net"), "-batch", "-"], {
        input: lines(plugs(topology, host, !pulled)),
      });
      await order(join(hostFolder(lab, host), "monitor"), carrier(devices(topology, host), !pulled));
    }
    const [was, now] = [netems(topology, host, before), netems(topology, host, after)];
    // Also where it is broken in other words: a netem that is replaced by one without a rate keeps its rate.
    const over = Object.keys(was).filter((device) => was[device] !== now[device]);
    const input = lines([...over.map((device) => `qdisc del dev ${device} root`), ...netem(topology, host, after)]);
    if (input !== "") await must([...enter(lab, host), "tc", "-batch", "-"], { input });
  },

  async cutPower(lab, topology, host) {
    await groups.kill(lab, host);
    for (const port of hostPorts(topology, host)) {
      await run(["ip", "-netns", namespace(lab, "net"), "link", "delete", port]);
    }
  },
};

const plugs = (topology: Topology, host: string, up: boolean): string[] =>
  hostPorts(topology, host).map((port) => `link set ${port} ${up ? "up" : "down"}`);
