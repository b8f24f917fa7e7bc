/** A WireGuard private key, made on the host; nobody but the host ever sees it. */
import type { Kind } from "./fact";

export interface WgKey {
  path: string;
  /** Whose key it is, where there is such a device already; absent: a new one. */
  device?: string;
  /** The boot file of another resource that has the same key: while that is there, the key is, too. */
  sharedWith?: string;
}

export const wgKey: Kind<WgKey> = {
  volatile: false,
  key: (value) => value.path,
  lines: ({ path, device }) => [`wg ${device === undefined ? "genkey" : `show ${device} private-key`} > ${path}`],
  queries: (value) => [`key ${value.path}`],
  // "" is a file that holds no key.
  read(snapshot, key, { sharedWith = "", ...wanted } = { path: key }) {
    if (!snapshot.keys[key]) return undefined;
    return { ...wanted, path: key, ...(sharedWith in snapshot.boot && { sharedWith }) };
  },
  // It goes with its resource alone: no update of one changes the path, for then links could lose the key they have.
  set(live, wanted) {
    if (!wanted) return live && live.sharedWith === undefined ? [`remove ${live.path}`] : [];
    const { path, device } = wanted;
    return live ? [] : [device === undefined ? `genkey ${path}` : `keepkey ${path} ${device}`];
  },
};
