/** Firewalls of others: how a UDP port is let in by their own commands, and which of them lets nothing in. */
import { type Fault, fault, type Objection } from "../faults";
import type { Fact } from "./fact";
import { fact } from "./kinds";
import type { ClosedChain, Snapshot } from "./snapshot";

/** What a node says of its firewall. */
export interface Firewall {
  /** Absent: nothing was said, so that a host with one that is closed is a fault. */
  firewall?: "none" | "ufw" | "firewalld" | "nftables" | undefined;
  /** Of nftables. */
  firewallChain?: string | undefined;
}

/** The name by which a snapshot is asked for its rules; undefined where there is nothing to ask. */
const named = ({ firewall, firewallChain }: Firewall): string | undefined =>
  firewall === "nftables" ? firewallChain : firewall === "none" ? undefined : firewall;

/** The query for all rules of ours. */
export const rulesQuery = (firewall: Firewall): string[] => {
  const name = named(firewall);
  return name === undefined ? [] : [`firewall ${name}`];
};

/** The rule that lets a UDP port in. `comment`: whose it is. */
export function opening({ firewall, firewallChain: chain }: Firewall, port: number, comment: string): Fact[] {
  switch (firewall) {
    case "ufw":
      return [fact("ufwRule", { port, comment })];
    case "firewalld":
      return [fact("firewalldRule", { port, permanent: true, runtime: true })];
    case "nftables":
      return chain === undefined ? [] : [fact("nftRule", { chain, rule: `udp dport ${port} accept`, comment })];
    default:
      return [];
  }
}

/** What is wrong with the two fields together. */
export function chainObjection({ firewall, firewallChain }: Firewall): Objection | undefined {
  if (firewall === "nftables" && firewallChain === undefined) {
    const cure = "add the chain that drops what no rule lets in; `nft list chains` shows them all";
    return { legal: "family, table and chain, such as inet filter input, where firewall is nftables", cure };
  }
  if (firewall === "nftables" || firewallChain === undefined) return undefined;
  return { legal: 'absent where firewall is not "nftables"', cure: "leave it out, or correct `firewall`" };
}

/** The declared firewall is not on the host. */
export function missingFirewall(declared: Firewall, { firewalls }: Snapshot): Fault[] {
  const name = named(declared);
  if (name === undefined || !(name in firewalls) || firewalls[name] !== undefined) return [];
  if (declared.firewall === "nftables") {
    const cure = "correct it, or load the rules that make it; `nft list chains` shows those that are there";
    return [fault(["firewallChain"], name, { legal: "a chain that the host has", cure })];
  }
  const cure = `install ${name}, or say in \`firewall\` of the node who lets packets in there`;
  return [fault(["firewall"], name, { legal: `a firewall that the host has, and it has no ${name}`, cure })];
}

/** Chains at a hook (`input`, `forward`) that let nothing pass which has no rule of its own. */
export const closedChains = ({ hooks }: Snapshot, hook: string): ClosedChain[] => hooks[hook] ?? [];

/** What opens a UDP port in such a chain by hand. */
const byHand = ({ by, chain }: ClosedChain, port: number): string => {
  switch (by) {
    case "ufw":
      return `ufw allow ${port}/udp`;
    case "firewalld":
      return `firewall-cmd --permanent --add-port=${port}/udp && firewall-cmd --reload`;
    case "nftables":
      return `nft insert rule ${chain} udp dport ${port} accept`;
    default: {
      const [family, , name] = chain.split(" ");
      return `${family === "ip6" ? by.replace("ip", "ip6") : by} -I ${name} -p udp --dport ${port} -j ACCEPT`;
    }
  }
};

/** A host whose own rules drop what nobody has said a word about: the links would be made, and stay silent. */
export function closedFaults(node: string, port: number, snapshot: Snapshot): Fault[] {
  const closed = closedChains(snapshot, "input");
  const [first] = closed;
  if (!first) return [];
  const chains = closed.map(({ chain, verdict }) => `${chain} (${verdict})`).join(", ");
  const declare =
    first.by === "nftables"
      ? `say firewall: "nftables", firewallChain: "${first.chain}" on node ${node}`
      : first.by === "ufw" || first.by === "firewalld"
        ? `say firewall: "${first.by}" on node ${node}`
        : "";
  const run = [...new Set(closed.map((chain) => `\`${byHand(chain, port)}\``))].join(" and ");
  const cure = `${declare === "" ? "" : `${declare}; or `}run ${run} there and say firewall: "none"`;
  return [
    {
      path: "firewall",
      found: `a host that drops what no rule lets in: ${chains}`,
      legal: `a firewall that is declared, so that UDP ${port} can be let in`,
      cure: `${cure}; where it is let in already, say firewall: "none"`,
    },
  ];
}
