/**
 * What one stack says to one host, for the agent there: where its own nodes that the host has a link with are called. One
 * word first on each line, so that awk reads it, and nothing of other hosts in it.
 */
import { createHash } from "node:crypto";
import { contains, host } from "../network/address";
import { listenPort } from "../network/ports";
import { callable, chooserOf, type Named } from "./chooser";
import type { Document } from "./document";
import { ascending, type End, type Endpoint, type Link, type Node } from "./schema";

/** Bytes that an agent reads. */
export const MAX_EXTRACT = 1024 * 1024;

/** One way between a host and a node, as the node's own stack tells of it. */
interface Way {
  link: Link;
  host: Named;
  peer: Named;
  hostEnd: End;
  peerEnd: End;
}

/** What others say that matters here: by `HOST PEER`, the end at HOST of a link that HOST's own stack tells of. */
interface Said {
  nodes: ReadonlyMap<string, Named>;
  ends: ReadonlyMap<string, { end: End; link: Link }>;
  /** Those that say their MTU. */
  legs: readonly (Link & { mtu: number })[];
}

function said({ stacks }: Document): Said {
  const nodes = new Map<string, Named>();
  for (const [stack, part] of Object.entries(stacks)) {
    for (const [name, node] of Object.entries(part.nodes)) nodes.set(name, { name, stack, node });
  }
  const ends = new Map<string, { end: End; link: Link }>();
  for (const [stack, { links }] of Object.entries(stacks)) {
    // Of links within one stack only keys of their own matter to others; a mesh would have each pair here.
    for (const link of Object.values(links)) {
      // A pair that goes by a relay may have a link, too, which is the one to tell of.
      if (link.relay !== undefined) continue;
      const across = link.ends.some((end) => nodes.get(end.node)?.stack !== stack);
      for (const end of link.ends) {
        if (nodes.get(end.node)?.stack !== stack || !(across || end.publicKey)) continue;
        for (const other of link.ends) {
          if (other !== end) ends.set(`${end.node} ${other.node}`, { end, link });
        }
      }
    }
  }
  const links = Object.values(stacks).flatMap((part) => Object.values(part.links));
  return { nodes, ends, legs: links.flatMap((it) => (it.mtu === undefined ? [] : { ...it, mtu: it.mtu })) };
}

/** Ports that lead to a node's end from the node with an id, the usual one first. */
export function portsOf(from: number, node: Node, end: Pick<End, "port" | "alsoPorts">, at: Endpoint): number[] {
  const { portBase: base, ports: pool } = node;
  const listens = end.port ?? listenPort(from, { base, ...(pool && { pool }) });
  if (at.ports === undefined) return [listens, ...end.alsoPorts];
  return [at.ports.includes(listens) ? listens : listenPort(from, { pool: at.ports })];
}

function peerLines(way: Way, { ends }: Said): string[] {
  const { link, host, peer, hostEnd, peerEnd } = way;
  const theirs = ends.get(`${host.name} ${peer.name}`);
  // Until its stack has told of it: a mesh mostly has one name everywhere.
  const usual = link.ends.length > 2 ? peerEnd.device : `inter-${peer.name}`;
  const direct = link.relay === undefined ? (theirs?.end.device ?? usual) : undefined;
  const device = hostEnd.device ?? direct;
  const key = peerEnd.publicKey ?? peer.node.publicKey;
  if (device === undefined || key === undefined) return [];
  const chooser = link.chooser ?? theirs?.link.chooser ?? chooserOf(link, host, peer);
  if (chooser !== host.name) return [`peer ${key} ${device} ${peer.name} follower`];
  return [
    `peer ${key} ${device} ${peer.name} chooser`,
    ...callable(peer, link).flatMap((at) => {
      const family = { inet: "4", inet6: "6", any: "any" }[at.family ?? link.family ?? "any"];
      return portsOf(host.node.id, peer.node, peerEnd, at).map((port) =>
        at.name === undefined
          ? `endpoint ${key} ${at.address} ${port} ${at.cost}`
          : `name ${key} ${at.name} ${port} ${at.cost} ${family}`,
      );
    }),
  ];
}

/** A relay is known by the key that it has towards the host; with it the bytes that the way from there on has. */
function relayLines({ link, host, peer, peerEnd }: Way, { nodes, ends, legs }: Said): string[] {
  const relay = link.relay === undefined ? undefined : nodes.get(link.relay);
  if (!relay) return [];
  const via = ends.get(`${relay.name} ${host.name}`)?.end.publicKey ?? relay.node.publicKey;
  const key = peerEnd.publicKey ?? peer.node.publicKey;
  if (key === undefined || via === undefined) return [];
  const beyond = legs.filter(({ ends }) => [relay, peer].every(({ name }) => ends.some(({ node }) => node === name)));
  const mtu = beyond.length === 0 ? [] : [Math.min(...beyond.map(({ mtu }) => mtu))];
  return [["relay", key, via, peer.name, relay.name, relay.node.id, ...mtu].join(" ")];
}

/** Each prefix of the overlay, and what of those concerned lies in none. */
function overlayOf(ways: readonly Way[], prefixes: readonly string[]): string[] {
  const nodes = [...ways.slice(0, 1).map(({ host }) => host), ...ways.map(({ peer }) => peer)];
  const outside = nodes
    .flatMap(({ node }) => node.addresses)
    .filter((address) => !prefixes.some((prefix) => contains(prefix, address)));
  return [...new Set([...prefixes, ...outside.map(host)])].sort(ascending);
}

/** The text, with what it says of peers; nothing where the host has no link with the stack any more. */
export function extract(network: string, stack: string, serial: number, node: string, said: readonly string[]): string {
  const head = ["overlay-extract 1", `network ${network}`, `stack ${stack}`, `serial ${serial}`, `node ${node}`];
  const lines = [...head, ...said];
  return [...lines, `end ${lines.length}`, ""].join("\n");
}

/** What a stack says to each host that has a link with one of its nodes, by the host's name. */
export function extracts(document: Document, stack: string): Map<string, string> {
  const part = document.stacks[stack];
  if (!part) return new Map();
  const all = said(document);
  const prefixes = [...new Set(Object.values(document.stacks).flatMap((it) => it.prefixes))];
  const byHost = new Map<string, Way[]>();
  for (const link of Object.values(part.links)) {
    for (const peerEnd of link.ends) {
      const peer = all.nodes.get(peerEnd.node);
      if (peer?.stack !== stack) continue;
      for (const hostEnd of link.ends) {
        const host = all.nodes.get(hostEnd.node);
        if (!host || host === peer) continue;
        const ways = byHost.get(host.name) ?? [];
        if (ways.length === 0) byHost.set(host.name, ways);
        ways.push({ link, host, peer, hostEnd, peerEnd });
      }
    }
  }
  const texts = [...byHost].map(([name, ways]): [string, string] => {
    ways.sort(
      (a, b) => ascending(a.peer.name, b.peer.name) || ascending(a.hostEnd.device ?? "", b.hostEnd.device ?? ""),
    );
    return [
      name,
      extract(document.network, stack, part.serial, name, [
        ...overlayOf(ways, prefixes).map((prefix) => `overlay ${prefix}`),
        ...ways.flatMap((way) => peerLines(way, all)),
        ...ways.flatMap((way) => relayLines(way, all)),
      ]),
    ];
  });
  return new Map(texts.sort(([a], [b]) => ascending(a, b)));
}

/** The same but for its serial: what needs not be written again. */
export const sameExtract = (a: string, b: string): boolean => withoutSerial(a) === withoutSerial(b);

/** SHA-256 of what a stack has to say to hosts: another one as soon as that is something else for one of them. */
export function extractsHash(document: Document, stack: string): string {
  const texts = [...extracts(document, stack).values()].map(withoutSerial);
  return createHash("sha256").update(texts.join("")).digest("hex");
}

const withoutSerial = (text: string): string => text.replace(/^serial \d+$/m, "");
