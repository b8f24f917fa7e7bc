/** A rule of ours in a chain of somebody else's, nft(8): before theirs, and known by its comment. */
import type { Kind } from "./fact";
import { isOurComment } from "./marks";
import type { Snapshot } from "./snapshot";

export interface NftRule {
  /** Family, table and chain, `inet filter input`. */
  chain: string;
  /** `udp dport 11002 accept` */
  rule: string;
  comment: string;
  /** Live only: one for each time that it is there. */
  handles?: number[];
}

const LISTED = /^(?<rule>.*) comment "(?<comment>[^"]*)" # handle (?<handle>\d+)$/;

const words = ({ chain, rule, comment }: NftRule): string => `rule ${chain} ${rule} comment "${comment}"`;
const gone = ({ chain, handles = [] }: NftRule): string[] =>
  handles.map((handle) => `nft delete rule ${chain} handle ${handle}`);

/** Ours in a chain, each once. */
function ours({ firewalls }: Snapshot, chain: string): NftRule[] {
  const found = new Map<string, NftRule & { handles: number[] }>();
  for (const line of firewalls[chain] ?? []) {
    const { rule = "", comment = "", handle } = LISTED.exec(line)?.groups ?? {};
    if (!isOurComment(comment)) continue;
    const { handles } = found.get(rule) ?? { handles: [] };
    found.set(rule, { chain, rule, comment, handles: [...handles, Number(handle)] });
  }
  return [...found.values()];
}

export const nftRule: Kind<NftRule> = {
  volatile: true,
  key: ({ chain, rule }) => `${chain} ${rule}`,
  lines: (value) => [`nft insert ${words(value)}`],
  queries: ({ chain }) => [`firewall ${chain}`],
  read: (snapshot, key, wanted) =>
    ours(snapshot, wanted?.chain ?? key.split(" ").slice(0, 3).join(" ")).find((live) => nftRule.key(live) === key),
  all: (snapshot) => Object.keys(snapshot.firewalls).flatMap((chain) => ours(snapshot, chain)),
  set(live, wanted) {
    if (!wanted) return live ? gone(live) : [];
    if (live?.comment === wanted.comment) return [];
    return [...nftRule.lines(wanted), ...(live ? gone(live) : [])];
  },
};
