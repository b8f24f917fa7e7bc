/** Hosts that choose for themselves where they call each other, by what a source of truth says: what each is told for that. */
import { fileURLToPath } from "node:url";
import { fingerprint, NoCredentials, profileCredentials } from "../sdk/credentials";
import { type Fault, fault } from "../sdk/faults";
import { family } from "../sdk/network/address";
import type { ChooserSpec } from "../sdk/node";
import * as pulumi from "../sdk/provider/pulumi";
import { Chooser, type PartArgs } from "../sdk/provider/resources";
import { bucketOf } from "../sdk/truth/bucket";
import { TruthError } from "../sdk/truth/errors";
import type { Way } from "./network";
import type { OverlayNode } from "./OverlayNode";
import { owner } from "./outputs";
import { makePart } from "./part";
import type { Peer } from "./peerArgs";
import { program } from "./program";
import type { TruthData } from "./truthArgs";
import type { Far } from "./truthRelays";

type Choosing = NonNullable<TruthData["choose"]>;
type Sources = ChooserSpec["sources"];
type Spec = PartArgs<ChooserSpec>["spec"];

/** A node of another stack, and whose it is. */
export interface ForeignPeer extends Peer {
  stack: string;
}

const storesOf = ({ store }: TruthData, { stores }: Choosing): string[] => stores ?? [store];
const isBucket = (address: string): boolean => address.startsWith("s3://");

/** As the host reads them. Throws TruthError. */
const sourcesOf = (addresses: readonly string[]): Sources =>
  addresses.map((address) => {
    if (!isBucket(address)) return { file: folderOnHost(address) };
    const { base, region } = bucketOf(address);
    return { s3: base, region };
  });

/** Where Pulumi runs a folder may be a relative one, or one at home; a host has neither. */
function folderOnHost(address: string): string {
  if (address.startsWith("file:///")) return fileURLToPath(address);
  throw new TruthError("truth/address", "a whole path on the host, such as file:///srv/truth");
}

/** What is wrong with how hosts are to choose. */
export function choosingFaults(data: TruthData): Fault[] {
  const { choose } = data;
  if (!choose) return [];
  const stores = storesOf(data, choose);
  const at = (index: number): (string | number)[] => (choose.stores ? ["choose", "stores", index] : ["store"]);
  const cure = `correct the address${choose.stores ? "" : ", or say where hosts read it in `choose.stores`"}`;
  const addresses = stores.flatMap((address, index): Fault[] => {
    try {
      sourcesOf([address]);
      return [];
    } catch (error) {
      if (!(error instanceof TruthError)) throw error;
      return [fault(at(index), address, { code: error.code, legal: error.message, cure })];
    }
  });
  return [...addresses, ...profileFaults(choose, stores.some(isBucket))];
}

function profileFaults({ profile }: Choosing, needed: boolean): Fault[] {
  const path = ["choose", "profile"];
  if (profile === undefined) {
    const legal = "the profile of the AWS tools that hosts read the bucket with";
    const cure = "make a token that may only read (stacks/bootstrap.ts does), and write it into a profile of its own";
    return needed ? [fault(path, undefined, { code: "input/missing", legal, cure })] : [];
  }
  try {
    profileCredentials(profile);
    return [];
  } catch (error) {
    if (!(error instanceof NoCredentials)) throw error;
    const legal = "a profile with credentials";
    return [fault(path, profile, { code: "host/credentials", legal, cure: error.message })];
  }
}

/** What is known when all is declared. */
interface Others {
  /** The program's peers of other stacks, by `NODE PEER`. */
  peers: ReadonlyMap<string, ForeignPeer>;
  /** Whom a node may reach by a relay. */
  fars: (node: string) => readonly Far[];
}

/** Makes the agent of each node. */
export function makeChoosers(
  name: string,
  data: TruthData,
  others: Others,
  options: pulumi.CustomResourceOptions,
): Chooser[] {
  const { choose } = data;
  if (!choose) return [];
  return data.nodes.map((node) => {
    const spec = program().whenDeclared(() => specOf(data, choose, node, others)) as unknown as Spec;
    return makePart(Chooser, node, { part: "machine", name: (it) => `${name}@${it}`, spec }, options);
  });
}

function specOf(data: TruthData, choose: Choosing, node: OverlayNode, { peers, fars }: Others) {
  const { stores: _, profile, ...agent } = choose;
  const far = fars(node.nodeName);
  const relayed = far.map(({ publicKey, addresses }) => ({ publicKey, addresses }));
  return {
    node: node.nodeName,
    owner: owner(),
    network: data.network,
    stacks: speakers(data, node, peers, far),
    sources: sourcesOf(storesOf(data, choose)),
    ...(profile !== undefined && { credentials: { profile, sha256: fingerprint(profileCredentials(profile)) } }),
    ...(relayed.length > 0 && { relayed, addresses: node.addresses }),
    prefixes: node.prefixes,
    underlay: node.underlay.apply(({ devices }) => devices),
    ...agent,
  };
}

/** Each stack speaks of its own nodes: of those that this one has a link with, or is to reach by a relay. */
function speakers(
  { nodes, signers }: TruthData,
  { nodeName }: OverlayNode,
  peers: Others["peers"],
  far: readonly Far[],
) {
  const said = new Map(nodes.map((node) => [node.nodeName, node]));
  const of = new Map<string, { publicKey: pulumi.Input<string>; address?: pulumi.Input<string> }[]>([[owner(), []]]);
  for (const [name, way] of program().network.ways) {
    if (!way.ends.some(({ node }) => node === nodeName) || way.others.includes(nodeName)) continue;
    for (const other of new Set([...way.ends.map(({ node }) => node), ...way.others])) {
      const [own, foreign] = [said.get(other), foreignOf(peers, way, nodeName, other)];
      if (other === nodeName) continue;
      if (own && !way.others.includes(other)) {
        const publicKey = program().keys.get(`${name}@${other}`) ?? own.early.publicKey;
        of.get(owner())?.push({ publicKey, address: inside(way, own.nodeId, own.addresses) });
      } else if (foreign && way.others.includes(other)) {
        const address = inside(way, foreign.id, foreign.addresses);
        of.set(foreign.stack, [...(of.get(foreign.stack) ?? []), { publicKey: foreign.publicKey, address }]);
      }
    }
  }
  for (const { stack, publicKey } of far) {
    const spoken = of.get(stack) ?? [];
    if (!spoken.some((it) => it.publicKey === publicKey)) of.set(stack, [...spoken, { publicKey }]);
  }
  // Who has nothing to say of anybody writes no document to ask for.
  const speaking = [...of].filter(([, peers]) => peers.length > 0);
  return speaking.map(([stack, peers]) => ({ stack, signers: (signers[stack] ?? []).map(withoutComment), of: peers }));
}

/** The peers of a mesh are asked for once, by one of its nodes for all. */
const foreignOf = (peers: Others["peers"], { ends }: Way, near: string, name: string): ForeignPeer | undefined =>
  [near, ...ends.map(({ node }) => node)].map((it) => peers.get(`${it} ${name}`)).find((it) => it !== undefined);

const withoutComment = (key: string): string => key.split(" ", 2).join(" ");

/** Where a peer answers inside. */
const inside = ({ linkLocal }: Way, id: pulumi.Input<number>, addresses: pulumi.Input<pulumi.Input<string>[]>) =>
  pulumi.all([id, addresses]).apply(([id, all]) => {
    if (linkLocal) return `fe80::${id.toString(16)}`;
    return all.find((it) => family(it) === "inet") ?? all[0] ?? "";
  });
