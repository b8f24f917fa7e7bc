/** `wg show all dump`, wg(8), as the host prints it: private and preshared keys already masked. */
import type { WgDeviceLive, WgPeerLive } from "./snapshot";

const DEVICE_FIELDS = 5;
const PEER_FIELDS = 9;

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
    } else {
      throw new Error(`wg show all dump: a line of ${fields.length} fields, where a device has 5 and a peer has 9`);
    }
  }
  return [...devices.values()];
}
