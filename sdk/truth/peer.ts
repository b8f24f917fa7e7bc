/** Another stack's node as somebody's peer: who it is, and where it is called. */
import { endpoint } from "../network/address";
import { callable } from "./chooser";
import type { Document } from "./document";
import { portsOf } from "./extract";
import type { End, Link, Part } from "./schema";

export interface TruthPeer {
  /** Whose it is, project/stack. */
  stack: string;
  name: string;
  id: number;
  /** Nothing yet of a machine that is still to be made. */
  publicKey: string | undefined;
  addresses: string[];
  /** Its best endpoint that is an address, with the port towards who asks; none where it has to call. */
  endpoint?: string;
}

interface Near {
  name: string;
  id: number;
}

/** Who is to have a link with it; or the nodes of a mesh, to all of which it is the same. */
export type Towards = Near | readonly Near[];

const isMesh = (towards: Towards): towards is readonly Near[] => Array.isArray(towards);

/** A node's own end of its link with another, or of its mesh with most of others, as its stack tells of it. */
function told({ links }: Part, name: string, towards: Towards): { link: Link; end: End } | undefined {
  const near = new Set([towards].flat().map((it) => it.name));
  const [best] = Object.values(links)
    .flatMap((link) => {
      const end = link.ends.find(({ node }) => node === name);
      const shared = link.ends.filter(({ node }) => near.has(node)).length;
      // Of two ends it may be a link with one of them.
      const fits = shared === near.size || (shared > 0 && link.ends.length > 2);
      return end && fits && link.relay === undefined ? { link, end, shared } : [];
    })
    .sort((a, b) => b.shared - a.shared || (a.link.ends.length - b.link.ends.length) * (isMesh(towards) ? -1 : 1));
  return best;
}

/** Undefined where the document has no such node. */
export function peerOf(document: Document, name: string, towards: Towards): TruthPeer | undefined {
  const [found] = Object.entries(document.stacks).filter(([, { nodes }]) => nodes[name]);
  const node = found?.[1].nodes[name];
  if (!found || !node) return undefined;
  const { link = {}, end } = told(found[1], name, towards) ?? {};
  const at = callable({ node }, link).find(({ address }) => address !== undefined);
  const from = isMesh(towards) ? node.id : towards.id;
  const [port] = at ? portsOf(from, node, end ?? { alsoPorts: [] }, at) : [];
  return {
    stack: found[0],
    name,
    id: node.id,
    publicKey: end?.publicKey ?? node.publicKey,
    addresses: node.addresses,
    ...(at?.address !== undefined && port !== undefined && { endpoint: endpoint(at.address, port) }),
  };
}
