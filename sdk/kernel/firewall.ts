/** Firewalls of others: how a port is let in and a relay let through by their own words, and which of them lets nothing. */
import { type Fault, fault } from "../faults";
import type { Firewall } from "./chains";
import type { Fact } from "./fact";
import { fact } from "./kinds";
import type { ClosedChain, Snapshot } from "./snapshot";

/** The names by which a snapshot is asked for its rules. */
const named = ({ firewall = "none", firewallChain = [], forwardChain = [] }: Firewall): string[] =>
  firewall === "nftables" ? [...firewallChain, ...forwardChain] : firewall === "none" ? [] : [firewall];

/** The queries for all rules of ours. */
export const rulesQueries = (firewall: Firewall): string[] => named(firewall).map((name) => `firewall ${name}`);

/** The rules of a firewall that accept a port or what comes by a device. `nft`: the same in its words, in these chains. */
function accepting(
  { firewall }: Firewall,
  what: { port: number } | { device: string },
  nft: string,
  chains: readonly string[] | undefined,
  comment: string,
): Fact[] {
  switch (firewall) {
    case "ufw":
      return [fact("ufwRule", { ...what, comment })];
    case "firewalld":
      return [fact("firewalldRule", { ...what, permanent: true, runtime: true })];
    case "nftables":
      return (chains ?? []).map((chain) => fact("nftRule", { chain, rule: `${nft} accept`, comment }));
    default:
      return [];
  }
}

/** The rules that let a UDP port in. `comment`: whose they are. */
export const opening = (declared: Firewall, number: number, comment: string): Fact[] =>
  accepting(declared, { port: number }, port(number).nft, declared.firewallChain, comment);

/**
 * The rules that let through what a relay's device brings, of which the node's own chain drops what is no relay's.
 * firewalld forwards between devices that are named as its zone's; one of no zone is let in by the default zone anyway.
 */
export const passing = (declared: Firewall, device: string, comment: string): Fact[] =>
  accepting(declared, { device }, through(device).nft, declared.forwardChain, comment);

/** The declared firewall is not on the host. */
export function missingFirewall(declared: Firewall, { firewalls }: Snapshot): Fault[] {
  const missing = named(declared).filter((name) => name in firewalls && firewalls[name] === undefined);
  return missing.map((name) => {
    if (declared.firewall === "nftables") {
      const cure = "correct it, or load the rules that make it; `nft list chains` shows those that are there";
      const field = declared.firewallChain?.includes(name) ? "firewallChain" : "forwardChain";
      return fault([field], name, { code: "input/firewall", legal: "a chain that the host has", cure });
    }
    const cure = `install ${name}, or say in \`firewall\` of the node who lets packets in there`;
    const legal = `a firewall that the host has, and it has no ${name}`;
    return fault(["firewall"], name, { code: "input/firewall", legal, cure });
  });
}

/** Chains at a hook (`input`, `forward inter-fra`) that let nothing pass which has no rule of its own. */
const closedChains = ({ hooks }: Snapshot, hook: string): ClosedChain[] => hooks[hook] ?? [];

/** What lets something pass such a chain by hand: by the commands of a manager, or by the words of a rule. */
interface Passage {
  ufw: string;
  firewalld: string;
  nft: string;
  iptables: string;
}

const port = (port: number): Passage => ({
  ufw: `ufw allow ${port}/udp`,
  firewalld: `firewall-cmd --permanent --add-port=${port}/udp && firewall-cmd --reload`,
  nft: `udp dport ${port}`,
  iptables: `-p udp --dport ${port}`,
});

/** Of what comes by a device, the node's own chain drops what is no relay's. */
const through = (device: string): Passage => ({
  ufw: `ufw route allow in on ${device}`,
  firewalld: `firewall-cmd --permanent --add-forward && firewall-cmd --permanent --add-interface=${device} && firewall-cmd --reload`,
  nft: `iifname "${device}"`,
  iptables: `-i ${device}`,
});

const out = (device: string): Passage => ({
  ...through(device),
  ufw: `ufw route allow out on ${device}`,
  firewalld: "firewall-cmd --permanent --add-interface=<the device behind> && firewall-cmd --reload",
  nft: `oifname "${device}"`,
  iptables: `-o ${device}`,
});

/** From one port of a bridge to another; who filters them sees the bridge on either side. */
const within = (device: string): Passage => ({
  ...through(device),
  ufw: `ufw route allow in on ${device} out on ${device}`,
  nft: `iifname "${device}" oifname "${device}"`,
  iptables: `-i ${device} -o ${device}`,
});

const byHand = ({ by, chain }: ClosedChain, { ufw, firewalld, nft, iptables }: Passage): string => {
  switch (by) {
    case "ufw":
      return ufw;
    case "firewalld":
      return firewalld;
    case "nftables":
      return `nft insert rule ${chain} ${nft} accept`;
    default: {
      const [family, , name] = chain.split(" ");
      return `${family === "ip6" ? by.replace("ip", "ip6") : by} -I ${name} ${iptables} -j ACCEPT`;
    }
  }
};

const listed = (chains: readonly ClosedChain[]): string =>
  chains.map(({ chain, verdict }) => `${chain} (${verdict})`).join(", ");

/** What to run so that all of them let it pass. */
const run = (chains: readonly ClosedChain[], ...passages: Passage[]): string =>
  [...new Set(chains.flatMap((chain) => passages.map((it) => `\`${byHand(chain, it)}\``)))].join(" and ");

/** One as itself, several as a list. */
const written = (names: readonly string[]): string => {
  const words = names.map((name) => JSON.stringify(name)).join(", ");
  return names.length === 1 ? words : `[${words}]`;
};

/** A host whose own rules drop what nobody has said a word about: the links would be made, and stay silent. */
export function closedFaults(node: string, listenPort: number, declared: Firewall, snapshot: Snapshot): Fault[] {
  const { firewall, firewallChain = [] } = declared;
  const chains = closedChains(snapshot, "input").filter(
    ({ by, chain }) => firewall === undefined || (by === firewall && !firewallChain.includes(chain)),
  );
  const [first] = chains;
  if (!first) return [];
  if (firewall === "nftables") {
    const all = [...firewallChain, ...chains.map(({ chain }) => chain)];
    return [
      {
        code: "input/firewall",
        path: "firewallChain",
        found: `a host that drops what no rule lets in, too, in ${listed(chains)}`,
        legal: `all chains that have to let in UDP ${listenPort}: a packet must pass each of them`,
        cure: `say firewallChain: ${written(all)} on node ${node}; a rule is added to each`,
      },
    ];
  }
  const its = chains.filter(({ by }) => by === first.by);
  const others = chains.filter(({ by }) => by !== first.by);
  const besides = others.length > 0 ? ` and run ${run(others, port(listenPort))} there` : "";
  const declare =
    first.by === "nftables"
      ? `say firewall: "nftables", firewallChain: ${written(its.map(({ chain }) => chain))} on node ${node}${besides}; or `
      : first.by === "ufw" || first.by === "firewalld"
        ? `say firewall: "${first.by}" on node ${node}${besides}; or `
        : "";
  const cure = `${declare}run ${run(chains, port(listenPort))} there and say firewall: "none"`;
  return [
    {
      code: "input/firewall",
      path: "firewall",
      found: `a host that drops what no rule lets in: ${listed(chains)}`,
      legal: `a firewall that is declared, so that UDP ${listenPort} can be let in`,
      cure: `${cure}; where it is let in already, say firewall: "none"`,
    },
  ];
}

/** What to ask for: chains that drop what comes by a device, but for those that have a rule for it. */
export const forwardQuery = (device: string): string => `hook forward ${device}`;

/** A member of a segment on a host whose own rules drop what comes in by whatever device, and that no rule of ours opens. */
export function closedToSegment(node: string, segment: string, udp: number, snapshot: Snapshot): string {
  const chains = closedChains(snapshot, "input");
  return (
    `${node} drops what comes in and no rule lets in: ${listed(chains)}. Unless one of yours lets in UDP ${udp} of ${segment}, ` +
    `run ${run(chains, port(udp))} there, and see that it is so after a reboot.`
  );
}

/** A relay on a host whose own rules drop what is to be forwarded, as Docker has it, and that no rule of ours opens. */
export function closedToRelays(node: string, device: string, declared: Firewall, snapshot: Snapshot): string[] {
  const { firewall, forwardChain = [] } = declared;
  const whole = snapshot.firewalls.firewalld?.includes("forward") ? ["ufw", "firewalld"] : ["ufw"];
  const ours = ({ by, chain }: ClosedChain) => (by === firewall && whole.includes(by)) || forwardChain.includes(chain);
  const chains = closedChains(snapshot, `forward ${device}`).filter((it) => !ours(it));
  if (chains.length === 0) return [];
  const nameable = chains.filter(({ by }) => by === "nftables" && firewall === by).map(({ chain }) => chain);
  const others = chains.filter(({ chain }) => !nameable.includes(chain));
  const cures = [
    ...(nameable.length > 0 ? [`say forwardChain: ${written([...forwardChain, ...nameable])} on node ${node}`] : []),
    ...(others.length > 0 ? [`run ${run(others, through(device))} there, and see that it is so after a reboot`] : []),
  ];
  return [
    `${node} drops what it is to forward and no rule lets through: ${listed(chains)}. Unless one of yours lets through what ` +
      `it relays, ${cures.join("; and ")}. What no pair of the relay sends, its own rules drop. ` +
      'Not said where the node has firewall: "none".',
  ];
}

/** A node that the others have routes by, to what lies behind it, on a host whose own rules drop that. */
export function closedToBehind(node: string, device: string, behind: readonly string[], snapshot: Snapshot): string[] {
  const chains = closedChains(snapshot, `forward ${device}`);
  if (chains.length === 0) return [];
  return [
    `${node} drops what it is to forward and no rule lets through: ${listed(chains)}. For ${behind.join(", ")} behind it, ` +
      `run ${run(chains, through(device), out(device))} there, or let less through by rules of your own for ${device}, and ` +
      'see that it is so after a reboot. Not said where the node has firewall: "none".',
  ];
}

/** By which a host has the frames of its bridges filtered as if they were forwarded, as Docker switches it on. */
const BRIDGED = { ip: "net/bridge/bridge-nf-call-iptables", ip6: "net/bridge/bridge-nf-call-ip6tables" } as const;

export const bridgeQueries = (device: string): string[] => [
  forwardQuery(device),
  ...Object.values(BRIDGED).map((it) => `sysctl ${it}`),
];

/** A bridge between whose ports frames are dropped by what others filter. */
export function closedToBridge(node: string, device: string, snapshot: Snapshot): string[] {
  const filtered = ({ chain }: ClosedChain): boolean => {
    const family = chain.split(" ")[0];
    return Object.entries(BRIDGED).some(
      ([of, setting]) => snapshot.sysctls[setting] === "1" && (family === of || family === "inet"),
    );
  };
  const chains = closedChains(snapshot, `forward ${device}`).filter(filtered);
  if (chains.length === 0) return [];
  return [
    `${node} filters frames of bridges, and drops those between ports of ${device} that no rule lets through: ${listed(chains)}. ` +
      `Unless one of yours does, run ${run(chains, within(device))} there, and see that it is so after a reboot.`,
  ];
}
