/** Rosenpass's key pair of a host, made there; the secret one stays there, and nobody else ever sees it. */
import type { Kind } from "./fact";
import { KEYS } from "./marks";

export interface RosenpassKey {
  /** Rosenpass's command. */
  command: string;
}

const PUBLIC = `${KEYS}/rosenpass.public`;
const SECRET = `${KEYS}/rosenpass.secret`;

export const rosenpassKey: Kind<RosenpassKey> = {
  volatile: false,
  key: () => SECRET,
  lines: () => [`rosenpass gen-keys --public-key ${PUBLIC} --secret-key ${SECRET}`],
  queries: ({ command }) => [`rosenpass-node ${command}`],
  read: ({ rosenpass }, _, wanted) => (rosenpass?.publicKey ? wanted : undefined),
  set(live, wanted) {
    if (!wanted) return live ? [SECRET, PUBLIC].map((path) => `remove ${path}`) : [];
    return live ? [] : [`keypair ${wanted.command}`];
  },
};
