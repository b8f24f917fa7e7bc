/** `wg show all dump`, wg(8), as the host prints it: private and preshared keys already masked. */
import { ROUTE_PROTOCOL } from "./marks";
import type { WgDeviceLive, WgPeerLive } from "./snapshot";

const DEVICE_FIELDS = 5;
const PEER_FIELDS = 9;
/** Of what choose.sh has chosen: device, public key, word, endpoint; or device, destination, `relayed`, the route's rest. */
const CHOICE_FIELDS = 4;

/** In place of an endpoint that was chosen: the other end chooses, and it may be any. */
export const ANYWHERE = "anywhere";

const given = (field: string): string | undefined => (field === "(none)" || field === "" ? undefined : field);
const number = (field: string): number => (field === "off" ? 0 : Number(field));

function peer(fields: string[]): WgPeerLive {
  const [, publicKey = "", psk = "", at = "", allowedIps = "", handshake = "", rx = "", tx = "", keepalive = ""] =
    fields;
  const endpoint = given(at);
  return {
    publicKey,
    presharedKey: given(psk) !== undefined,
    ...(endpoint !== undefined && { endpoint }),
    allowedIps: given(allowedIps)?.split(",") ?? [],
    latestHandshake: number(handshake),
    rxBytes: number(rx),
    txBytes: number(tx),
    keepalive: number(keepalive),
  };
}

const relayRoute = (device: string, dst: string, rest: string): string =>
  `${dst} dev ${device} proto ${ROUTE_PROTOCOL} ${rest}`;

/** Throws an Error that names the number of fields, never their content, on a line of another shape. */
export function parseWgDump(text: string): WgDeviceLive[] {
  const devices = new Map<string, WgDeviceLive>();
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const fields = line.split("\t");
    const [device = "", , publicKey = "", listenPort = "", fwmark = ""] = fields;
    if (fields.length === DEVICE_FIELDS) {
      devices.set(device, {
        device,
        publicKey: given(publicKey) ?? "",
        listenPort: number(listenPort),
        fwmark: number(fwmark),
        peers: [],
      });
    } else if (fields.length === PEER_FIELDS && devices.has(device)) {
      devices.get(device)?.peers.push(peer(fields));
    } else if (fields.length === CHOICE_FIELDS) {
      const [, key = "", word, endpoint = ""] = fields;
      const at = devices.get(device);
      const peer = at?.peers.find((it) => it.publicKey === key);
      if (at && word === "relayed") at.relayed = [...(at.relayed ?? []), relayRoute(device, key, endpoint)];
      else if (peer) peer.chosen = [...(peer.chosen ?? []), word === "follows" ? ANYWHERE : endpoint];
    } else {
      throw new Error(`wg show all dump: a line of ${fields.length} fields, where a device has 5 and a peer has 9`);
    }
  }
  return [...devices.values()];
}
