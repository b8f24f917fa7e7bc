/**
 * What a host keeps of the preshared keys of an exchange, known by its name alone: the host itself writes it, and whoever has the
 * name next is told none of it.
 */
import type { Kind } from "./fact";

export interface KeptPsk {
  /** Of the exchange. */
  name: string;
}

export const keptPsk: Kind<KeptPsk> = {
  volatile: false,
  key: ({ name }) => name,
  lines: () => [],
  read: (_, __, wanted) => wanted,
  set: (live, wanted) => (live && !wanted ? [`forget ${live.name}`] : []),
};
