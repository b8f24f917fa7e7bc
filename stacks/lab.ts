/** The three hosts of the lab (`npm run -s lab -- up`), each linked to each. OVERLAY_LAB: name of the lab, if not `lab`. */
import { OverlayNode, WgLink } from "../components";
import { labHosts } from "./labHosts";

const { provider, reached } = labHosts("lab");
const prefixes = ["10.255.0.0/24", "fd00:6f::/64"];

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
