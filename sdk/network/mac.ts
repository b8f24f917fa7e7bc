/** MAC addresses, IEEE 802: six bytes, of which the first says whose they are and whether they are a group's. */

const SIX_BYTES = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Canonical form, in small letters with colons, or undefined for what is none. */
export function mac(text: string): string | undefined {
  const it = text.toLowerCase().replaceAll("-", ":");
  return SIX_BYTES.test(it) ? it : undefined;
}

/** Why no single host can have it, or undefined where one can. */
export function notOneHosts(canonical: string): string | undefined {
  if (canonical === "00:00:00:00:00:00") return "what stands for everybody";
  if (canonical === "ff:ff:ff:ff:ff:ff") return "the broadcast address";
  return Number.parseInt(canonical.slice(0, 2), 16) & 1 ? "a multicast address" : undefined;
}

/**
 * The MAC address of a member of a segment: locally administered (the second bit of the first byte), the VNI, the node's
 * id. It stays the same when a device is made again, so that nobody has to ask for it anew.
 */
export function memberMac(vni: number, id: number): string {
  const hex = vni.toString(16).padStart(6, "0") + id.toString(16).padStart(4, "0");
  return ["02", ...(hex.match(/../g) ?? [])].join(":");
}
