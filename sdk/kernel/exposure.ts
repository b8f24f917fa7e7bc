/**
 * Whether a change may cut off the SSH session that makes it: by the device, the address, the route or the setting that
 * the host's answers depend on. What goes by the underlay while only links change is not exposed.
 */
import { contains, parseEndpoint } from "../network/address";
import { isDefault } from "../network/overlaps";
import type { Address } from "./address";
import type { Changed } from "./compare";
import type { Fact } from "./fact";
import { link } from "./link";
import { isOurs, ROUTE_TABLE } from "./marks";
import type { NftTable } from "./nftTable";
import { ownRoutes, type Route } from "./route";
import type { Snapshot } from "./snapshot";
import type { WgPeer } from "./wgPeer";

/** The device that a fact is about. */
const deviceOf = ({ kind, key, value, after }: Fact): string | undefined =>
  kind === "link" ? key : ((value as { device?: string }).device ?? after?.replace(/^link /, ""));

/** An address of a link's scope says with %DEVICE where it is, whatever else there is a route to. */
const withoutZone = (address: string): string => address.replace(/%.*/, "");
const isScoped = (address: string): boolean => address.includes("%");

/** Addresses that the session needs a way to: its other end and, where it runs through a link, that link's peers. */
function needed({ ssh, wg }: Snapshot): string[] {
  if (!ssh) return [];
  const peers = wg.filter(({ device }) => device === ssh.device).flatMap(({ peers }) => peers);
  const endpoints = peers.flatMap(({ endpoint }) => (endpoint ? [parseEndpoint(endpoint)?.address ?? ""] : []));
  return [ssh.client, ...endpoints].filter((address) => address !== "" && !isScoped(address));
}

const holds = (prefix: string, addresses: readonly string[]): boolean =>
  addresses.some((address) => contains(prefix, address));

/** A setting of the network that is not a device's of ours. */
export const isOfNetwork = ({ kind, key, after }: Fact): boolean =>
  kind === "sysctl" && after === undefined && key.startsWith("net/");

function exposes(seen: Snapshot, fact: Fact): boolean {
  const { ssh } = seen;
  const anyones = isOfNetwork(fact);
  // Not known: whatever every session could depend on.
  if (!ssh) return ["route", "rule"].includes(fact.kind) || anyones;
  const device = deviceOf(fact);
  const through = ssh.device === undefined ? undefined : link.read(seen, ssh.device);
  const throughOurs = through !== undefined && isOurs(through);
  switch (fact.kind) {
    case "link":
    case "wgDevice":
    case "wgPeer":
    case "bridgePort":
    case "neighbour":
    case "fdb":
      return device === ssh.device;
    case "address": {
      const { address } = fact.value as Address;
      const itself = address.split("/")[0] === withoutZone(ssh.server);
      return device === ssh.device || itself || holds(address, needed(seen));
    }
    case "route":
      return holds((fact.value as Route).dst, needed(seen));
    case "rule":
      return ownRoutes(seen).some(({ table, dst }) => table === String(ROUTE_TABLE) && holds(dst, needed(seen)));
    case "sysctl":
      return anyones || device === ssh.device;
    case "nftElement":
      return throughOurs;
    case "nftTable": // those of a link redirect its own UDP ports only
      return throughOurs && /hook (input|output|forward|postrouting)/.test((fact.value as NftTable).lines.join());
    default:
      return false;
  }
}

/** The first thing changed that the session may depend on, `route 10.0.0.0/8 inter-lux`; undefined where there is none. */
export function exposure(seen: Snapshot, changed: readonly Changed[]): string | undefined {
  const fact = changed.flatMap(({ from, to }) => [from, to]).find((fact) => fact !== undefined && exposes(seen, fact));
  return fact && `${fact.kind} ${fact.key}`;
}

/** Whether a change on a device may end what goes by it to an address. */
function ends({ from, to }: Changed, address: string): boolean {
  switch (from?.kind) {
    case "link":
    case "address":
      return to === undefined;
    case "wgDevice":
      return true;
    case "wgPeer": {
      const [before, after] = [from.value as WgPeer, to?.value as WgPeer | undefined];
      const stays = after?.endpoint === before.endpoint && holdsAny(after?.allowedIps, address);
      return holdsAny(before.allowedIps, address) && !stays;
    }
    case "route":
      return to === undefined && contains((from.value as Route).dst, address);
    default:
      return false;
  }
}

const holdsAny = (prefixes: readonly string[] = [], address: string): boolean =>
  prefixes.some((prefix) => contains(prefix, address));

/**
 * The far half of a link: of addresses of other hosts, those that a device leads to whose change may end that. Not those
 * that its packets are sent to: these hosts are there without it. Nor what a default route holds.
 */
export function exposedBeyond(
  addresses: readonly string[],
  live: readonly Fact[],
  changed: readonly Changed[],
): { address: string; device: string }[] {
  const on = (kind: string, device: string) => live.filter((fact) => fact.kind === kind && deviceOf(fact) === device);
  const devices = new Set(changed.flatMap(({ from }) => (from ? (deviceOf(from) ?? []) : [])));
  return [...devices].flatMap((device) => {
    const peers = on("wgPeer", device).map(({ value }) => value as WgPeer);
    // Routes of a device that somebody made are not read: what its peers may be sent says the same.
    const prefixes = on("route", device).map(({ value }) => (value as Route).dst);
    const ways = [...prefixes, ...peers.flatMap(({ allowedIps }) => allowedIps)].filter((one) => !isDefault(one));
    const endpoints = peers.map(({ endpoint }) => parseEndpoint(endpoint ?? "")?.address);
    const its = changed.filter(({ from }) => from && deviceOf(from) === device);
    return addresses
      .filter((address) => holdsAny(ways, address) && !endpoints.includes(address))
      .filter((address) => its.some((one) => ends(one, address)))
      .map((address) => ({ address, device }));
  });
}
