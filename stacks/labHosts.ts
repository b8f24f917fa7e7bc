/** How the stacks that run on a lab reach its hosts (`npm run -s lab -- up`). */
import { readFileSync } from "node:fs";
import { Provider } from "../components";

interface LabJson {
  ssh: string;
  hosts: Record<string, { addresses: string[]; hostKey: string; user: string }>;
}

/** `lab`: its name, if OVERLAY_LAB names no other. */
export function labHosts(lab: string) {
  const file = `/run/overlay-lab/${process.env.OVERLAY_LAB ?? lab}/lab.json`;
  const { ssh, hosts }: LabJson = JSON.parse(readFileSync(file, "utf8"));
  return {
    // ssh runs inside of the lab: the machine that Pulumi runs on has no way to its hosts.
    provider: new Provider("lab", { ssh }),
    /** How the operator reaches a host, and how the others do. */
    reached(name: string) {
      const host = hosts[name];
      if (!host) throw new Error(`The lab has no host ${name}.`);
      const { addresses, hostKey, user } = host;
      return { connection: { host: addresses[0] ?? "", hostKey, user }, endpoints: addresses };
    },
  };
}
