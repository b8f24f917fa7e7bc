/**
 * That a peer of a WireGuard device has the preshared key that is exchanged for it. Which one is never read, and so no
 * difference: the host sets it by itself (sdk/host/agents/rosenpass), and once more from its own files when it boots.
 */
import type { Kind } from "./fact";

export interface WgPsk {
  device: string;
  publicKey: string;
  /** strict: nothing passes without one. none: a live peer has none and must. */
  mode: "permissive" | "strict" | "none";
  /** Of the exchange. */
  name: string;
}

const line = ({ device, publicKey, mode, name }: WgPsk): string => `psk ${device} ${publicKey} ${mode} ${name}`;

export const wgPsk: Kind<WgPsk> = {
  volatile: true,
  key: ({ device, publicKey }) => `${device} ${publicKey}`,
  lines: (value) => [line(value)],
  read({ wg }, key, wanted) {
    const [device, publicKey] = key.split(" ");
    const live = wg.find((it) => it.device === device)?.peers.find((it) => it.publicKey === publicKey);
    if (!live || !wanted) return undefined;
    return wanted.mode === "strict" && !live.presharedKey ? { ...wanted, mode: "none" } : wanted;
  },
  set(live, wanted) {
    if (!wanted) return live ? [line({ ...live, mode: "none" })] : [];
    return live && line(live) === line(wanted) ? [] : [line(wanted)];
  },
};
