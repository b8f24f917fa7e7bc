/** The three hosts of the lab (`npm run -s lab -- up`), each linked to each. OVERLAY_LAB: name of the lab, if not `lab`. */
import { readFileSync } from "node:fs";
import { OverlayNode, Provider, WgLink } from "../components";

const { ssh, hosts } = readLab(process.env.OVERLAY_LAB ?? "lab");
const prefixes = ["10.255.0.0/24", "fd00:6f::/64"];

// ssh runs inside of the lab: the machine that Pulumi runs on has no way to its hosts.
const provider = new Provider("lab", { ssh });

const lux = new OverlayNode(
  "lux",
  { id: 1, ...reached("lux"), addresses: ["10.255.0.1", "fd00:6f::1"], prefixes },
  { provider },
);
const fra = new OverlayNode(
  "fra",
  { id: 2, ...reached("fra"), addresses: ["10.255.0.2", "fd00:6f::2"], prefixes },
  { provider },
);
const hkg = new OverlayNode(
  "hkg",
  { id: 3, ...reached("hkg"), addresses: ["10.255.0.3", "fd00:6f::3"], prefixes },
  { provider },
);

const luxFra = new WgLink("lux-fra", { a: lux, b: fra }, { provider });
const fraHkg = new WgLink("fra-hkg", { a: fra, b: hkg }, { provider });
const luxHkg = new WgLink("lux-hkg", { a: lux, b: hkg }, { provider });

/** The sides of each link. */
export const links = {
  "lux-fra": [luxFra.sideA, luxFra.sideB],
  "fra-hkg": [fraHkg.sideA, fraHkg.sideB],
  "lux-hkg": [luxHkg.sideA, luxHkg.sideB],
};

interface LabJson {
  ssh: string;
  hosts: Record<string, { addresses: string[]; hostKey: string; user: string }>;
}

function readLab(name: string): LabJson {
  return JSON.parse(readFileSync(`/run/overlay-lab/${name}/lab.json`, "utf8"));
}

/** How the operator reaches a host, and how the others do. */
function reached(name: string) {
  const host = hosts[name];
  if (!host) throw new Error(`The lab has no host ${name}.`);
  const { addresses, hostKey, user } = host;
  return { connection: { host: addresses[0] ?? "", hostKey, user }, endpoints: addresses };
}
