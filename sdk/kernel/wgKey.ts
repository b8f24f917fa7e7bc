/** A WireGuard private key, made on the host; nobody but the host ever sees it. */
import type { Kind } from "./fact";

export interface WgKey {
  path: string;
  /** Whose key it is, where there is such a device already; absent: a new one. */
  device?: string;
}

export const wgKey: Kind<WgKey> = {
  volatile: false,
  key: (value) => value.path,
  lines: ({ path, device }) => [`wg ${device === undefined ? "genkey" : `show ${device} private-key`} > ${path}`],
  queries: (value) => [`key ${value.path}`],
  // "" is a file that holds no key.
  read: (snapshot, key, wanted) => (snapshot.keys[key] ? { ...wanted, path: key } : undefined),
  // It goes with its resource alone: no update of one changes the path, for then links could lose the key they have.
  set(live, wanted) {
    if (!wanted) return live ? [`remove ${live.path}`] : [];
    const { path, device } = wanted;
    return live ? [] : [device === undefined ? `genkey ${path}` : `keepkey ${path} ${device}`];
  },
};
