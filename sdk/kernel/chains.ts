/** What a node may say of the firewall of others that it has. */
import type { Objection } from "../faults";

/** What a node says of its firewall. */
export interface Firewall {
  /** Absent: nothing was said, so that a host with one that is closed is a fault. */
  firewall?: "none" | "ufw" | "firewalld" | "nftables" | undefined;
  /** Of nftables: all that drop what no rule lets in. */
  firewallChain?: string[] | undefined;
  /** Of nftables: all that drop what no rule lets through. */
  forwardChain?: string[] | undefined;
}

export const CHAIN_FIELDS = ["firewallChain", "forwardChain"] as const;

/** What is wrong with `firewall` and one of the chains together. */
export function chainObjection(declared: Firewall, field: (typeof CHAIN_FIELDS)[number]): Objection | undefined {
  const { firewall, [field]: chains } = declared;
  if (field === "forwardChain" && (firewall === "nftables" || chains === undefined)) return undefined;
  if (firewall === "nftables" && chains === undefined) {
    const cure = "add the chain that drops what no rule lets in, or all of them; `nft list chains` shows them";
    const legal = "family, table and chain, such as inet filter input, where firewall is nftables";
    return { code: "input/firewall", legal, cure };
  }
  if (firewall === "nftables" || chains === undefined) return undefined;
  const cure = "leave it out, or correct `firewall`";
  return { code: "input/firewall", legal: 'absent where firewall is not "nftables"', cure };
}
