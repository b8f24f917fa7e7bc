/** Rosenpass as facts: what a node has of it, and what each exchange adds. */
import type { Fact } from "../kernel/fact";
import { opening } from "../kernel/firewall";
import { fact } from "../kernel/kinds";
import { comment, KEYING_PREF, LINK_GROUP, SEGMENT_GROUP } from "../kernel/marks";
import { PUBLIC_SIZE } from "../kernel/rosenpassKey";
import type { Blob, Keying } from "../kernel/technology";
import { calledAt, type DaemonSpec, endpointsOf, type KeySpec, type PskSpec } from "./spec";

/** What stays on the host, by the path that it has there. */
export type Agents = Record<string, { mode: string; content: string }>;

/** The program, where the host is given it. */
export const PROGRAM = "/usr/local/lib/overlay/rosenpass/rosenpass";
/** Else it is found by its name. */
const command = (given: boolean): string => (given ? PROGRAM : "rosenpass");

export const keyPlan =
  (agents: Agents) =>
  (spec: KeySpec): Fact[] => [
    ...(spec.binary ? [fact("file", { path: PROGRAM, mode: "0755", sha256: spec.binary.sha256, blob: true })] : []),
    ...Object.entries(agents).map(([path, { mode, content }]) => fact("file", { path, mode, content })),
    fact("rosenpassKey", { command: command(spec.binary !== undefined) }),
  ];

export function keyBlobs({ binary }: KeySpec): Blob[] {
  if (!binary) return [];
  const { sha256, path, url = "" } = binary;
  return [{ sha256, from: path === undefined ? { url } : { path }, what: "the program rosenpass" }];
}

export const pskPlan = ({ device, mode, name, peer: { publicKey } }: PskSpec): Fact[] => [
  fact("wgPsk", { device, publicKey, mode, name }),
  fact("keptPsk", { name }),
];

export const configPath = (name: string): string => `/etc/overlay/rosenpass/${name}.conf`;
const keyPath = (name: string): string => `/etc/overlay/rosenpass/${name}.peer`;
export const unitOf = (name: string): string => `overlay-rosenpass@${name}.service`;

/** What sdk/host/agents/rosenpass goes by, a line each. */
const conf = (spec: DaemonSpec): string =>
  [
    `binary ${command(spec.binary)}`,
    `mode ${spec.mode}`,
    `device ${spec.device}`,
    `peer ${spec.peer.publicKey}`,
    `port ${spec.port}`,
    ...endpointsOf(spec).map((endpoint) => `endpoint ${endpoint}`),
    ...(spec.delay > 0 ? [`delay ${spec.delay}`] : []),
    ...(spec.called ? [] : ["sole yes"]),
    "",
  ].join("\n");

/** What keys a tunnel never goes through one: it would wait for itself. */
function outside({ name, port }: DaemonSpec): Fact[] {
  const table = `overlay-rosenpass-${name}`;
  const id = `inet ${table}`;
  return [
    ...(["inet", "inet6"] as const).map((family) =>
      fact("rule", { family, pref: KEYING_PREF, sport: port, table: "main" }),
    ),
    fact("nftTable", {
      family: "inet",
      name: table,
      lines: [
        `add table ${id}`,
        `add chain ${id} out { type filter hook output priority 0 ; policy accept ; }`,
        `add rule ${id} out udp sport ${port} oifgroup { ${LINK_GROUP}, ${SEGMENT_GROUP} } counter drop`,
      ],
    }),
  ];
}

const letIn = (spec: DaemonSpec): Fact[] =>
  spec.called ? opening(spec, spec.port, comment(spec.owner, `rosenpass-${spec.name}`)) : [];

export const daemonPlan = (spec: DaemonSpec): Fact[] => [
  fact("file", { path: keyPath(spec.name), mode: "0644", sha256: spec.peer.key, blob: true }),
  fact("file", { path: configPath(spec.name), mode: "0600", content: conf(spec) }),
  ...outside(spec),
  ...letIn(spec),
  fact("unit", { name: unitOf(spec.name), enabled: true, active: true }),
];

export const daemonBlobs = ({ peer: { name, key, file } }: DaemonSpec): Blob[] => [
  {
    sha256: key,
    size: PUBLIC_SIZE,
    from: file === undefined ? "other" : { path: file },
    what: `the public key of ${name}`,
  },
];

/** The same for both ends. */
export const named = (exchange: string, node: string): string => `rosenpass ${exchange}@${node}`;

export function keying(spec: DaemonSpec): Keying {
  const { name, device, mode, node, port, peer } = spec;
  const endpoint = calledAt(spec);
  const way =
    endpoint === undefined
      ? `UDP from ${peer.name} to port ${port} of ${node}`
      : `UDP from port ${port} of ${node} to ${endpoint} (${peer.name})`;
  return {
    ...{ name, device, to: peer.name, strict: mode === "strict", way },
    ...(peer.file === undefined && { other: named(name, peer.name) }),
  };
}

/** All that an exchange may have on a host, known by its name alone: it goes with the node. */
export const traces = (name: string): Fact[] => [
  ...[keyPath(name), configPath(name)].map((path) => fact("file", { path, mode: "0600", content: "" })),
  fact("keptPsk", { name }),
  fact("unit", { name: unitOf(name), enabled: true, active: true }),
];

/** The same of what the node has for all. */
export const nodeTraces = (agents: Agents): Fact[] => [
  fact("file", { path: PROGRAM, mode: "0755", content: "" }),
  ...Object.entries(agents).map(([path, { mode, content }]) => fact("file", { path, mode, content })),
  fact("rosenpassKey", { command: PROGRAM }),
];
