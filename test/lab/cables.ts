/** Tells the lab's network namespaces what wires.ts and breaks.ts have in words. */
import { type Break, bridgeRules } from "./breaks";
import { routers } from "./mtu";
import { must, run } from "./run";
import type { Topology } from "./topology";
import { type Namespace, namespace, namespaces } from "./wires";

const batch = (netns: string, lines: readonly string[]) =>
  must(["ip", "-netns", netns, "-batch", "-"], { input: lines.join("\n") });

const inside = (netns: string): string[] => ["nsenter", `--net=/run/netns/${netns}`, "--"];

/** By way of a pipe: nft 1.0.9, Ubuntu 24.04's, reads from no socket, which is what Node gives a child to read from. */
const nft = (netns: string, input: string) => must([...inside(netns), "sh", "-c", "cat | nft -f -"], { input });

/** Makes all namespaces of a lab but its hosts' own. */
export async function lay(lab: string, topology: Topology): Promise<void> {
  const plan = namespaces(lab, topology).map((one): Namespace => ({ ...one, name: namespace(lab, one.name) }));
  for (const { name } of plan) await must(["ip", "netns", "add", name]);
  // Before there is an interface that would take the defaults.
  for (const { name, sysctls } of plan) await must([...inside(name), "sysctl", "-q", "-w", ...sysctls]);
  for (const { name, ip } of plan) await batch(name, ip);
  for (const { name, nft: rules } of plan) await nft(name, rules);
}

/** Makes bridges and routers break this, and nothing else. */
export async function breakOnly(lab: string, topology: Topology, breaks: readonly Break[]): Promise<void> {
  await nft(namespace(lab, "net"), bridgeRules(topology, breaks));
  for (const { router, clear, ip, nft: rules } of routers(topology, breaks)) {
    const netns = namespace(lab, router);
    for (const [flag, lines] of [
      ["-4", ip.inet],
      ["-6", ip.inet6],
    ] as const) {
      const batch = ["ip", flag, "-netns", netns];
      // What is not there cannot be removed, and need not be.
      await run([...batch, "-force", "-batch", "-"], { input: clear.join("\n") });
      await must([...batch, "-batch", "-"], { input: lines.join("\n") });
    }
    await nft(netns, rules);
  }
}

/** Removes every namespace of a lab; their interfaces go with them. */
export async function remove(lab: string): Promise<void> {
  for (const netns of await list(lab)) await must(["ip", "netns", "delete", netns]);
}

/** The namespaces of a lab, or of all labs. */
export async function list(lab?: string): Promise<string[]> {
  const prefix = lab === undefined ? "ol-" : namespace(lab, "");
  const names = (await must(["ip", "netns", "list"])).split("\n").map((line) => line.split(" ")[0] ?? "");
  return names.filter((name) => name.startsWith(prefix));
}
