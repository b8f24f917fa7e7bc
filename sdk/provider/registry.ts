/** The resources of this package: what Pulumi's engine may ask for, by its type token. */
import { agentFiles, chooseFiles, rosenpassFiles } from "../host";
import {
  deviceKey,
  type Fact,
  fact,
  isOurs,
  KEYS,
  type KindName,
  kindOf,
  kinds,
  NODE_BOOT,
  queries,
  rulesQueries,
  type Snapshot,
  type Technology,
  WIREGUARD_KEY,
} from "../kernel";
import { chooser, chooserTraces, node, nodeKey } from "../node";
import { nodeTraces, rosenpassDaemon, rosenpassKey, rosenpassPsk, traces } from "../rosenpass";
import { wireguard, wireguardKey } from "../wireguard";
import type { Part } from "./turns";

export interface ResourceType<Spec = unknown> {
  technology: Technology<unknown, Spec>;
  /** Pulumi's id: HOST, or HOST/DEVICE; `import` takes the same. */
  id(spec: Spec): string;
  /** Its file under /etc/overlay/boot.d; they are replayed in the order of their names. */
  bootFile(spec: Spec): string;
  /** The stack that the machine must belong to, then the names that this stack had before. */
  owners(spec: Spec): string[];
  /** Outputs besides those of every resource (`State`); undefined: the host has none yet. */
  results: Record<string, (snapshot: Snapshot, spec: Spec) => string | undefined>;
  /** The device of somebody else's that it takes over, where there is one: its preview asks the host what that changes. */
  adopts?(spec: Spec): string | undefined;
  /** What it is a part of together with others, of whom one at a time has its devices made again: a member of its segment. */
  part?(spec: Spec): Part;
  /** Whether it has to ask the machine at the other end, whose connection is then an input, where that is a node. */
  asksOther?: true;
  /** For a resource that finds the machine by its address, what else goes when it goes. Absent: it is told which machine. */
  machine?: {
    /** What a look must ask for to see them. */
    queries(spec: Spec): string[];
    /** Facts of other resources. */
    belongings(snapshot: Snapshot): Fact[];
    /** Paths of files that no update ever removes. */
    remains(snapshot: Snapshot): string[];
    /** Name of the machine, for what there is to say of it as a whole. Absent: that is for another resource to say. */
    named?(spec: Spec): string;
  };
}

// The one place where the type of the spec is forgotten: a lifecycle hands a resource only specs of its own making.
const define = <In, Spec>(
  type: Omit<ResourceType<Spec>, "technology"> & { technology: Technology<In, Spec> },
): ResourceType => type as unknown as ResourceType;

const NODE_KEY_BOOT = "11-key";
const CHOOSER_BOOT = "70-choose";
const ROSENPASS_BOOT = "45-rosenpass";
/** After the devices, whose peers they are about. */
const PSK_BOOT = "52-";
const DAEMON_BOOT = "65-";
const chooserFacts = chooserTraces(chooseFiles());

/** Everything with a mark of ours: whoever made it, it cannot outlive the node. */
function belongings(snapshot: Snapshot): Fact[] {
  const links = snapshot.links.flatMap(({ ifname }) => {
    const link = kinds.link.read(snapshot, ifname);
    return link && isOurs(link) ? [fact("link", link)] : [];
  });
  const tables = Object.keys(snapshot.nft).flatMap((id) => {
    const table = kinds.nftTable.read(snapshot, id);
    return table ? [fact("nftTable", table)] : [];
  });
  const rules = Object.keys(kinds).flatMap((kind) =>
    (kindOf({ kind }).all?.(snapshot) ?? []).map((value) => fact(kind as KindName, value as never)),
  );
  const keying = [PSK_BOOT, DAEMON_BOOT].flatMap((prefix) =>
    Object.keys(snapshot.boot).flatMap((file) => (file.startsWith(prefix) ? traces(file.slice(prefix.length)) : [])),
  );
  return [
    ...links,
    ...tables,
    ...rules,
    ...keying,
    ...(ROSENPASS_BOOT in snapshot.boot ? nodeTraces(rosenpassFiles()) : []),
    ...(CHOOSER_BOOT in snapshot.boot ? chooserFacts : []),
  ];
}

// A key loses nothing at a reboot: its file there says only whose it is.
export const KEY_BOOT = "40-";
const keyFile = (bootFile: string): string[] =>
  bootFile.startsWith(KEY_BOOT) ? [`${KEYS}/${bootFile.slice(KEY_BOOT.length)}.key`] : [];

const host = define({
  technology: node(agentFiles()),
  id: (spec) => spec.node,
  bootFile: () => NODE_BOOT,
  owners: (spec) => [spec.owner, ...spec.formerly],
  results: {
    publicKey: (snapshot) => snapshot.keys[WIREGUARD_KEY] || undefined,
    wireguard: (snapshot) => snapshot.host.wireguard,
  },
  machine: {
    named: ({ node }) => node,
    queries: (spec) => [...rulesQueries(spec), ...queries(chooserFacts), "tables"],
    belongings,
    remains: (snapshot) => [
      ...(snapshot.keys[WIREGUARD_KEY] === undefined ? [] : [WIREGUARD_KEY]),
      ...Object.keys(snapshot.boot).flatMap((file) => [`/etc/overlay/boot.d/${file}`, ...keyFile(file)]),
    ],
  },
});

/** It is there before the machine's own resource, and finds the machine by its address as that does. */
const machineKey = define({
  technology: nodeKey,
  id: (spec) => `${spec.node}/key`,
  bootFile: () => NODE_KEY_BOOT,
  owners: (spec) => [spec.owner, ...spec.formerly],
  results: { publicKey: ({ keys }) => keys[WIREGUARD_KEY] || undefined },
  machine: { queries: () => [], belongings: () => [], remains: () => [] },
});

const wireguardInterface = define({
  technology: wireguard,
  id: (spec) => `${spec.node}/${spec.device}`,
  bootFile: (spec) => `50-${spec.device}`,
  owners: (spec) => [spec.owner],
  results: {},
  adopts: ({ adopts, device }) => adopts.find((it) => it === device),
});

const wireguardDeviceKey = define({
  technology: wireguardKey,
  id: (spec) => `${spec.node}/${spec.device}.${spec.label}`,
  bootFile: (spec) => `${KEY_BOOT}${spec.device}.${spec.label}`,
  owners: (spec) => [spec.owner],
  results: {
    publicKey: ({ keys, wg }, { device, label, adopt }) =>
      keys[deviceKey(device, label)] || (adopt && wg.find((it) => it.device === device)?.publicKey) || undefined,
  },
  adopts: ({ adopt, device }) => (adopt ? device : undefined),
});

const nodeChooser = define({
  technology: chooser(chooseFiles()),
  id: (spec) => `${spec.node}/choose`,
  bootFile: () => CHOOSER_BOOT,
  owners: (spec) => [spec.owner],
  results: {},
});

/** Loaded with the first segment: most stacks have none. */
const vxlan = (): typeof import("../vxlan") => require("../vxlan");

const vxlanMember = () =>
  define({
    technology: vxlan().vxlan,
    id: (spec) => `${spec.node}/${spec.device}`,
    // After the bridge that it is a port of, which is after the links.
    bootFile: (spec) => `60-${spec.device}`,
    owners: (spec) => [spec.owner],
    results: {},
    part: ({ owner, segment, node, peers }) => ({
      whole: `${owner} ${segment}`,
      name: node,
      others: peers.map(({ name }) => name),
    }),
  });

const segmentBridge = () =>
  define({
    technology: vxlan().vxlanBridge,
    id: (spec) => `${spec.node}/${spec.device}`,
    bootFile: (spec) => `55-${spec.device}`,
    owners: (spec) => [spec.owner],
    results: {},
  });

const nodeRosenpass = define({
  technology: rosenpassKey(rosenpassFiles()),
  id: (spec) => `${spec.node}/rosenpass`,
  bootFile: () => ROSENPASS_BOOT,
  owners: (spec) => [spec.owner],
  results: {
    publicKey: ({ rosenpass }) => rosenpass?.publicKey?.sha256,
    version: ({ rosenpass }) => rosenpass?.version,
  },
});

const linkPsk = define({
  technology: rosenpassPsk,
  id: (spec) => `${spec.node}/${spec.name}.psk`,
  bootFile: (spec) => `${PSK_BOOT}${spec.name}`,
  owners: (spec) => [spec.owner],
  results: {},
});

const linkDaemon = define({
  technology: rosenpassDaemon,
  id: (spec) => `${spec.node}/${spec.name}.rosenpass`,
  bootFile: (spec) => `${DAEMON_BOOT}${spec.name}`,
  owners: (spec) => [spec.owner],
  results: {},
  asksOther: true,
});

const types: Record<string, () => ResourceType> = {
  "overlay:node:Host": () => host,
  "overlay:node:Key": () => machineKey,
  "overlay:wireguard:Interface": () => wireguardInterface,
  "overlay:wireguard:Key": () => wireguardDeviceKey,
  "overlay:vxlan:Bridge": segmentBridge,
  "overlay:vxlan:Member": vxlanMember,
  "overlay:node:Chooser": () => nodeChooser,
  "overlay:rosenpass:Key": () => nodeRosenpass,
  "overlay:rosenpass:Psk": () => linkPsk,
  "overlay:rosenpass:Daemon": () => linkDaemon,
};

/** `overlay:wireguard:Interface`, or undefined for a type that this version does not have. */
export const resourceType = (token: string): ResourceType | undefined => types[token]?.();

export const tokens = Object.keys(types);
