/** Rosenpass's key pair of a host, made there; the secret one stays there, and nobody else ever sees it. */
import type { Kind } from "./fact";
import { KEYS } from "./marks";

export interface RosenpassKey {
  /** Rosenpass's command. */
  command: string;
  /** Of a live pair, the options that name what of it is there and whole. Absent: both. */
  whole?: string[];
}

const PUBLIC = `${KEYS}/rosenpass.public`;
const SECRET = `${KEYS}/rosenpass.secret`;
const ALL = [`--public-key ${PUBLIC}`, `--secret-key ${SECRET}`];

/** Bytes of each, Classic McEliece 460896 of release 0.2. */
export const [PUBLIC_SIZE, SECRET_SIZE] = [524160, 13568];

export const rosenpassKey: Kind<RosenpassKey> = {
  volatile: false,
  key: () => SECRET,
  lines: ({ whole = ALL }) => [["rosenpass gen-keys", ...whole].join(" ")],
  queries: ({ command }) => [`rosenpass-node ${command}`],
  read({ rosenpass }, _, wanted) {
    const sizes = [rosenpass?.publicKey?.size, rosenpass?.secretSize];
    if (!wanted || sizes.every((size) => size === undefined)) return undefined;
    const whole = ALL.filter((_, at) => sizes[at] === [PUBLIC_SIZE, SECRET_SIZE][at]);
    return whole.length === ALL.length ? wanted : { ...wanted, whole };
  },
  set(live, wanted) {
    if (!wanted) return live ? [SECRET, PUBLIC].map((path) => `remove ${path}`) : [];
    return live && !live.whole ? [] : [`keypair ${wanted.command}`];
  },
};
