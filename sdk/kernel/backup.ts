/** A file of others that ours has taken the place of: it stays on the host under a name that nobody looks for. */
import type { Kind } from "./fact";

export interface Backup {
  path: string;
}

const SUFFIX = ".before-overlay";

export const backup: Kind<Backup> = {
  volatile: false,
  key: (value) => value.path,
  lines: ({ path }) => [`mv ${path} ${path}${SUFFIX}`],
  queries: ({ path }) => [`file ${path}`],
  read: (snapshot, path) => (snapshot.files[path] ? undefined : { path }),
  // Nobody brings it back but whoever made it.
  set: (live, wanted) => (wanted && !live ? [`retire ${wanted.path}`] : []),
};
