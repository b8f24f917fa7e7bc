/**
 * A network from its document alone: the nodes and links of this stack's part are made as they are written there, and what
 * comes of them (keys, above all) is written back. A change is made with `overlay truth get`, an editor, `overlay truth
 * put`, and then `pulumi up`.
 *
 *     pulumi stack init from-truth
 *     pulumi config set truth:network prod
 *     pulumi config set truth:store file:///srv/truth
 *     pulumi config set truth:key ~/.ssh/truth
 *     pulumi config set --path 'truth:signers["overlay/from-truth"][0]' "$(cat ~/.ssh/truth.pub)"
 *     pulumi up    # the first one writes a part that says nothing yet
 *
 * Hosts that choose their endpoints by themselves: `pulumi config set --path truth:choose.profile overlay-hosts`.
 *
 * A node needs `connection`, `{"host": "203.0.113.5"}`; its `publicKey` is left out until there is one.
 */
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, SourceOfTruth, type SourceOfTruthArgs, WgLink, WgMesh } from "../components";

const config = new pulumi.Config("truth");
const place = {
  network: config.require("network"),
  store: config.require("store"),
  signers: config.requireObject<Record<string, string[]>>("signers"),
};
const { prefixes, nodes, links } = SourceOfTruth.said(place);

/** What the hosts choose between by themselves, and Pulumi's own links do not call. */
const chosen = ({ name, cost }: { name?: string | undefined; cost: number }) => name !== undefined || cost > 0;

const relays = Object.values(links).flatMap(({ ends: [a, b], relay: by }) =>
  a && b && by !== undefined ? [{ a: a.node, b: b.node, by, allowPlaintext: true as const }] : [],
);

const made = new Map(
  Object.entries(nodes).map(([name, { id, addresses, endpoints, ports, portBase, connection }]) => {
    if (!connection) {
      throw new pulumi.RunError(
        `node ${name} of network ${place.network} has no connection: put one into the document`,
      );
    }
    const called = endpoints.flatMap(({ address, ports, ...at }) =>
      address === undefined || chosen(at) ? [] : [{ address, ...(ports && { ports }) }],
    );
    const relay = relays.flatMap(({ a, b, by }) => (by === name ? [{ a, b }] : []));
    const args = { id, connection, addresses, prefixes, portBase, relay, endpoints: called, ...(ports && { ports }) };
    return [name, new OverlayNode(name, args)];
  }),
);

const truth = new SourceOfTruth("truth", {
  ...place,
  key: config.require("key"),
  choose: config.getObject<SourceOfTruthArgs["choose"]>("choose"),
  nodes: [...made.values()],
  connections: true,
  endpoints: Object.fromEntries(Object.entries(nodes).map(([name, { endpoints }]) => [name, endpoints.filter(chosen)])),
  choosers: Object.fromEntries(
    Object.entries(links).flatMap(([name, { ends, chooser }]) =>
      chooser !== undefined && ends.every(({ node }) => made.has(node)) ? [[name, chooser]] : [],
    ),
  ),
  relays,
});

for (const [name, { ends, family, mtu, relay }] of Object.entries(links)) {
  if (relay !== undefined) continue;
  const inside = { ...(family && { family }), ...(mtu !== undefined && { mtu }) };
  const own = ends.flatMap((end) => {
    const node = made.get(end.node);
    return node ? [{ ...end, node }] : [];
  });
  const [a, b] = own;
  if (!a) continue;
  const foreign = ends.filter(({ node }) => !made.has(node)).map(({ node }) => node);
  if (ends.length > 2) {
    const nodes = own.map(({ node }) => node);
    const one = own.every(({ port }) => port === a.port);
    const shared = { ...inside, device: a.device ?? name, ...(one && a.port !== undefined && { port: a.port }) };
    new WgMesh(name, { nodes, peers: foreign.map((it) => truth.peer(it, nodes)), ...shared });
    continue;
  }
  const [peer] = foreign.map((it) => truth.peer(it, a.node));
  const per = <T>(of: (end: NonNullable<typeof a>) => T) => ({ a: of(a), ...(b && { b: of(b) }) });
  new WgLink(name, {
    a: a.node,
    ...(b ? { b: b.node } : peer && { peer }),
    ...inside,
    devices: per(({ device }) => device),
    ports: per(({ port }) => port),
    alsoPorts: per(({ alsoPorts }) => alsoPorts),
  });
}

export const { identity, serial } = truth;
