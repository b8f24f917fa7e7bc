/** A machine of the network as facts: all that its links stand on. */
import type { Fact } from "../kernel/fact";
import { fact } from "../kernel/kinds";
import { FWMARK, FWMARK_MASK, LAST_RESORT_METRIC, ROUTE_TABLE, RULE_PREF, WIREGUARD_KEY } from "../kernel/marks";
import { clamp } from "./clamp";
import { forward, forwardingSysctls, spoofed } from "./forward";
import { guard } from "./guard";
import type { Spec } from "./spec";

/** What stays on the host, by the path that it has there. */
export type Agents = Record<string, { mode: string; content: string }>;

/** systemd-networkd deletes what it did not make whenever it starts, networkd.conf(5). */
const NETWORKD: Agents = {
  "/etc/systemd/networkd.conf.d/50-overlay.conf": {
    mode: "0644",
    content: "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n",
  },
};

export const wireguardTools = (mode: Spec["packages"]): Fact =>
  fact("package", { name: "wireguard-tools", command: "wg", userspace: "wireguard-go", mode });

const packages = (mode: Spec["packages"]): Fact[] => [
  fact("package", { name: "iproute2", command: "ip", mode }),
  fact("package", { name: "nftables", command: "nft", mode }),
  wireguardTools(mode),
];

export const files = (agents: Agents): Fact[] =>
  Object.entries(agents).map(([path, { mode, content }]) => fact("file", { path, mode, content }));

const rule = (family: "inet" | "inet6"): Fact =>
  fact("rule", { family, pref: RULE_PREF, mark: FWMARK, mask: FWMARK_MASK, table: String(ROUTE_TABLE) });

/** The node's own table, its chains in the order of their names, in which the kernel lists them. */
function table({ clampMss, relay, underlay }: Spec): Fact {
  const parts = [clamp(clampMss), forward(relay), guard(underlay), spoofed(relay)];
  const id = "inet overlay";
  return fact("nftTable", {
    family: "inet",
    name: "overlay",
    lines: [
      `add table ${id}`,
      `add map ${id} guard { type inet_service : counter ; }`,
      ...parts.flatMap(({ chains }) => chains).map((chain) => `add chain ${id} ${chain}`),
      ...parts.flatMap(({ rules }) => rules).map((rule) => `add rule ${id} ${rule}`),
    ],
  });
}

/** All kernel settings: what somebody wrote, and what being a relay needs. */
export const settings = ({ relay, sysctls }: Spec): Record<string, string> => ({
  ...sysctls,
  ...forwardingSysctls(relay),
});

export const plan =
  (agents: Agents) =>
  (spec: Spec): Fact[] => [
    ...packages(spec.packages),
    ...files({ "/etc/overlay/owner": { mode: "0644", content: `${spec.owner}\n` } }),
    ...files(agents),
    ...files(NETWORKD),
    fact("wgKey", { path: WIREGUARD_KEY }),
    fact("unit", { name: "overlay-early.service", enabled: true }),
    fact("unit", { name: "overlay-late.service", enabled: true }),
    ...Object.entries(settings(spec)).map(([name, value]) => fact("sysctl", { name, value })),
    table(spec),
    rule("inet"),
    rule("inet6"),
    ...spec.prefixes.map((dst) => fact("route", { type: "unreachable", dst, metric: LAST_RESORT_METRIC })),
  ];
