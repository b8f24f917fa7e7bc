/** `pulumi import`: what an interface was told, read back from its host by nothing but HOST/DEVICE. */
import { format } from "../faults";
import { deviceKey, isOurs, kinds, LINK_GROUP, NODE_BOOT, readAlias, type Snapshot, WIREGUARD_KEY } from "../kernel";
import { PORT_BASE } from "../network/ports";
import { type InterfaceSpec, wireguardKey } from "../wireguard";
import { check } from "./inputs";
import { type Operation, read, type State } from "./lifecycle";
import { Refused } from "./outcome";
import { KEY_BOOT } from "./registry";
import type { Values } from "./wire";

/** Undefined where the host has no such device. Throws Refused for one that is not ours. */
export async function find(
  operation: Operation,
  connection: Values,
  id: string,
): Promise<{ inputs: Values; outputs: State } | undefined> {
  const { type, machine } = operation;
  const [host = "", device] = id.split("/");
  if (type.machine)
    throw new Refused(
      "provider/noImport",
      "A machine needs no import: its Host takes over what this stack has made there.",
    );
  if (type.technology === wireguardKey)
    throw new Refused(
      "provider/noImport",
      "A key needs no import: a new Key of its device and label takes its file over.",
    );
  if (type.technology.token.startsWith("overlay:rosenpass:"))
    throw new Refused(
      "provider/noImport",
      "What belongs to Rosenpass needs no import: a new resource of the same name takes over what is there.",
    );
  if (type.technology.token.startsWith("overlay:vxlan:"))
    throw new Refused(
      "provider/noImport",
      "A segment needs no import: a new one of the same name and devices takes over what is there.",
    );
  if (!device)
    throw new Refused("provider/noImport", `The id of ${type.technology.token} is HOST/DEVICE, and this is ${id}.`);
  const seen = await machine.look([`key ${WIREGUARD_KEY}`], operation);
  const link = kinds.link.read(seen, device);
  if (!link) return undefined;
  if (link.group !== LINK_GROUP || !isOurs(link))
    throw new Refused("provider/foreign", `${machine.name}: ${kinds.link.foreign?.(link) ?? device}`);

  const key = await ownKey(operation, seen, device);
  const spec = { ...rebuilt(seen, host, device), ...(key !== undefined && { key }) };
  const checked = check(type, { connection, machine: seen.machine, spec }, host);
  if ("faults" in checked) {
    throw new Refused(
      "provider/noImport",
      `${machine.name} has a device ${device} that no spec describes: ${format(checked.faults)}`,
    );
  }
  // Whoever wrote the boot file remains its owner until it is written again.
  const resource = seen.boot[`50-${device}`] ?? operation.resource;
  const outputs = await read(operation, checked.inputs, { resource });
  return outputs && { inputs: checked.inputs, outputs };
}

/** The label of the key that a device has, where it is not the node's. */
async function ownKey({ machine, ...operation }: Operation, { boot, wg }: Snapshot, device: string) {
  const prefix = `${KEY_BOOT}${device}.`;
  const labels = Object.keys(boot).flatMap((file) => (file.startsWith(prefix) ? [file.slice(prefix.length)] : []));
  if (labels.length === 0) return undefined;
  const paths = labels.map((label) => deviceKey(device, label));
  const { keys } = await machine.look(
    paths.map((path) => `key ${path}`),
    operation,
  );
  const publicKey = wg.find((one) => one.device === device)?.publicKey;
  return labels.find((_, index) => keys[paths[index] ?? ""] === publicKey);
}

const withoutLength = (prefix: string): string => prefix.replace(/\/\d+$/, "");

/** All that the kernel knows; a name or a number that it does not know is made up, and shows in no line of the text. */
function rebuilt(seen: Snapshot, host: string, device: string): InterfaceSpec {
  const link = kinds.link.read(seen, device);
  const wg = seen.wg.find((one) => one.device === device);
  const addresses = kinds.address.on?.(seen, device).map(({ address }) => address) ?? [];
  const routes = kinds.route.on?.(seen, device) ?? [];
  const peer = wg?.peers[0];
  const { owner, name } = readAlias(link?.alias) ?? { owner: seen.owner ?? "", name: device };
  const node = seen.boot[NODE_BOOT]?.split("::").at(-1) ?? host;
  const id = Number.parseInt(addresses.find((one) => one.startsWith("fe80::"))?.slice(6) ?? "1", 16);
  const listenPort = wg?.listenPort ?? 0;
  const peerId = listenPort - PORT_BASE;
  return {
    node,
    owner,
    link: name,
    device,
    id,
    mtu: link?.mtu ?? 0,
    listenPort,
    alsoPorts: redirected(seen, device),
    addresses: addresses.filter((one) => !one.startsWith("fe80::")).map(withoutLength),
    peer: {
      name: name.split("-").find((part) => part !== node) ?? "peer",
      id: peerId > 0 && peerId !== id ? peerId : id + 1,
      publicKey: peer?.publicKey ?? "",
      ...(peer?.endpoint !== undefined && { endpoint: peer.endpoint }),
      ...(peer && peer.keepalive > 0 && { keepalive: peer.keepalive }),
      addresses: routes.flatMap(({ dst, table }) => (table === undefined ? withoutLength(dst) : [])),
      routes: routes.flatMap(({ dst, table }) => (table === undefined ? [] : dst)),
    },
  };
}

/** Ports that the device's own table redirects to it. */
function redirected(seen: Snapshot, device: string): number[] {
  const rules = kinds.nftTable.read(seen, `inet overlay-${device}`)?.lines ?? [];
  return rules.flatMap((rule) => {
    const ports = /udp dport (\{[^}]*\}|\d+) redirect/.exec(rule)?.[1] ?? "";
    return (ports.match(/\d+/g) ?? []).map(Number);
  });
}
