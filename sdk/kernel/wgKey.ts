/** A WireGuard private key, made on the host; nobody but the host ever sees it. */
import type { Kind } from "./fact";

export interface WgKey {
  path: string;
}

export const wgKey: Kind<WgKey> = {
  volatile: false,
  key: (value) => value.path,
  lines: (value) => [`wg genkey > ${value.path}`],
  queries: (value) => [`key ${value.path}`],
  // "" is a file that holds no key.
  read: (snapshot, key) => (snapshot.keys[key] ? { path: key } : undefined),
  // Never removed by an update: a key that is gone takes every link of the node down for good.
  set: (live, wanted) => (wanted && !live ? [`genkey ${wanted.path}`] : []),
};
