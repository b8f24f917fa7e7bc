/** Another stack's node as somebody's peer: who it is, and where it is called. */
import { endpoint } from "../network/address";
import { callable } from "./chooser";
import type { Document } from "./document";
import { portsOf } from "./extract";
import type { End, Link, Node } from "./schema";

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

interface Found {
  stack: string;
  node: Node;
  /** The node's own end of a link with who asks, where its stack has told of one. */
  end: End | undefined;
  link: Pick<Link, "family">;
}

function find(document: Document, name: string, towards: string): Found | undefined {
  for (const [stack, { nodes, links }] of Object.entries(document.stacks)) {
    const node = nodes[name];
    if (!node) continue;
    const link = Object.values(links).find(
      ({ ends, relay }) => relay === undefined && [name, towards].every((it) => ends.some(({ node }) => node === it)),
    );
    return { stack, node, end: link?.ends.find((it) => it.node === name), link: link ?? {} };
  }
  return undefined;
}

/** Undefined where the document has no such node. `towards`: the node that is to have a link with it. */
export function peerOf(document: Document, name: string, towards: { name: string; id: number }): TruthPeer | undefined {
  const found = find(document, name, towards.name);
  if (!found) return undefined;
  const { stack, node, end, link } = found;
  const at = callable({ node }, link).find(({ address }) => address !== undefined);
  const [port] = at ? portsOf(towards.id, node, end ?? { alsoPorts: [] }, at) : [];
  return {
    stack,
    name,
    id: node.id,
    publicKey: end?.publicKey ?? node.publicKey,
    addresses: node.addresses,
    ...(at?.address !== undefined && port !== undefined && { endpoint: endpoint(at.address, port) }),
  };
}
