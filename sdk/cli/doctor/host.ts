/** What is found of a host by itself: clock, kernel, firewall, loop guard, what it forwards, drift. */
import { format } from "../../faults";
import { SESSION_SECONDS, type Snapshot } from "../../kernel";
import type { Firewall } from "../../kernel/chains";
import { closedFaults, closedToSegment, missingFirewall } from "../../kernel/firewall";
import { nestedElse, nestedOf } from "../../kernel/nested";
import { type Declared, driftOf } from "../status/look";
import { age } from "../status/table";
import { type Found, ok, unknown, unseen, wrong } from "./check";
import { BRIDGE, INTERFACE, MEMBER, nameOf } from "./concerns";
import type { Examined } from "./examine";

/** `usual`: seconds that clocks are ahead of this machine's. */
export function hostChecks(it: Examined, usual: number): Found[] {
  const { seen, fault = "" } = it.look;
  if (!seen) return [unseen("SSH", "could not be looked at", fault)];
  return [
    ok("SSH", "answers, and is the machine that Pulumi knows"),
    ...kernel(it, seen),
    clock(it, usual),
    ...firewall(it, seen),
    ...guard(it, seen),
    ...warnings(it, seen),
    drift(it, seen),
    ...(it.unproven === undefined ? [] : [unseen("packets", "could not be sent, or not be followed", it.unproven)]),
  ];
}

function kernel({ wanted: { node }, concerned }: Examined, { host, versions }: Snapshot): Found[] {
  if (!concerned.some(({ token }) => token === INTERFACE)) return [];
  const linux = versions?.linux === undefined ? "Linux" : `Linux ${versions.linux}`;
  if (host.wireguard === "kernel") return [ok("kernel", `${linux}, which has WireGuard`)];
  if (host.wireguard === "userspace") return [ok("kernel", `${linux} without WireGuard, and wireguard-go`)];
  const cure = `${node.name} has no WireGuard: run \`modprobe wireguard\` there (Linux 5.6 and later), or install wireguard-go.`;
  return [wrong("doctor/kernel", "kernel", `${linux} without WireGuard, and no wireguard-go`, cure)];
}

/** Seconds. A look takes some, and what depends on clocks does not mind: signatures of a source of truth, handshakes. */
const CLOCK = 10;

/** Whether a clock is so far from this machine's that handshakes may mind. */
export const isOff = ({ clock = 0 }: Examined): boolean => Math.abs(clock) > CLOCK;

function clock({ wanted: { node }, clock }: Examined, usual: number): Found {
  if (clock === undefined) return unknown("doctor/clock", "clock", "was not seen");
  const off = clock - usual;
  if (Math.abs(off) <= CLOCK) return ok("clock", `as others have it, within ${CLOCK} s`);
  const says = `${age(Math.abs(off))} ${off < 0 ? "behind" : "ahead of"} the others`;
  const cure =
    `The clock of ${node.name} is ${says}: \`timedatectl set-ntp true\` there. WireGuard takes no handshake that says an ` +
    "earlier time than one before it: where it was set back, peers answer only when it is as late again, or when their device was made anew.";
  return wrong("doctor/clock", "clock", says, cure);
}

/** Rules of ours in the firewalls of others. */
const RULES = ["ufwRule", "firewalldRule", "nftRule"];

/** Whether each of the chains that drop what no rule lets in is one to which a rule of ours is added, and has it. */
function isLetIn({ technology, spec, facts, ...rest }: Declared, seen: Snapshot): boolean {
  const { firewall, firewallChain = [] }: Firewall = spec;
  const ours = (seen.hooks.input ?? []).every(
    ({ by, chain }) => by === firewall && (firewall !== "nftables" || firewallChain.includes(chain)),
  );
  const rules = facts.filter(({ kind }) => RULES.includes(kind));
  return ours && driftOf([{ ...rest, technology, spec, facts: rules }], seen).length === 0;
}

/** Whether anything has come in by a link's device or a segment, past all rules. */
function isHeard({ ways }: Examined, declared: Declared, { wg, now }: Snapshot): boolean {
  const peers = wg.find(({ device }) => device === declared.spec.device)?.peers ?? [];
  return (
    ways.some((way) => way.declared === declared && (way.carried || (way.counted?.in ?? 0) > 0)) ||
    (declared.token === INTERFACE && peers.some(({ latestHandshake }) => now - latestHandshake < SESSION_SECONDS))
  );
}

/** A chain that drops what has no rule, and of which nothing shows that it lets the ports in. */
function firewall(it: Examined, seen: Snapshot): Found[] {
  const { wanted, concerned } = it;
  const { input } = seen.hooks;
  if (input === undefined) return [];
  const node = wanted.node.name;
  const links = concerned.filter(({ token }) => token === INTERFACE);
  const silent = links.filter((one) => one.spec.called && !isHeard(it, one, seen));
  const faults = [
    ...links.flatMap(({ spec }) => missingFirewall(spec, seen)),
    ...silent.flatMap(({ spec }) => closedFaults(node, spec.listenPort, spec, seen)),
  ].map((fault) => format([fault]));
  if (faults.length > 0) {
    const cure = `${node}: ${[...new Set(faults)].join(" ")}`;
    return [wrong("doctor/firewall", "firewall", "drops what no rule lets in", cure)];
  }
  if (input.length === 0) return [ok("firewall", "no chain drops what no rule lets in")];
  const drops = `${input.map(({ chain }) => chain).join(", ")} drops what no rule lets in`;
  const members = concerned.filter(
    (one) => one.token === MEMBER && one.spec.peers.length > 0 && !isHeard(it, one, seen),
  );
  const open = [
    ...silent.filter((one) => !isLetIn(one, seen)).map((one) => ({ one, port: one.spec.listenPort })),
    ...members.map((one) => ({ one, port: one.spec.port })),
  ];
  if (open.length === 0) return [ok("firewall", `${drops}, and lets in what is needed`)];
  const ports = open.map(({ one, port }) => `UDP ${port} of ${nameOf(one)}`);
  // Where a rule was seen to drop it, the pair's own finding has the cure.
  const isDropped = (one: Declared) => it.ways.some((way) => way.declared === one && way.counted?.droppedIn.length);
  const cures = members
    .filter((one) => !isDropped(one))
    .map(({ spec }) => closedToSegment(node, spec.segment, spec.port, seen));
  const cure = cures.length > 0 ? cures.join(" ") : undefined;
  return [
    unknown("doctor/firewall", "firewall", `${drops}, and nothing shows that it lets in ${ports.join(", ")}`, cure),
  ];
}

const guards = ({ wanted: { node }, concerned }: Examined, seen: Snapshot): string[] => [
  ...nestedElse(node.name, seen),
  ...concerned.flatMap(({ token, spec }) => (token === INTERFACE ? nestedOf(node.name, spec.device, seen) : [])),
];

/** Where its table is gone, drift says so. */
function guard(it: Examined, seen: Snapshot): Found[] {
  if (seen.nft["inet overlay"] === undefined) return [];
  const found = guards(it, seen);
  if (found.length === 0) return [ok("loop guard", "has dropped nothing")];
  return [wrong("doctor/nested", "loop guard", "has dropped encrypted packets", found.join(" "))];
}

/** What a technology has to say of a host, besides what the guard has counted. */
function warnings(it: Examined, seen: Snapshot): Found[] {
  const told = new Set(guards(it, seen));
  return it.concerned.flatMap(({ token, technology, spec }) => {
    const found = technology.warnings?.(spec, seen).filter(({ text }) => !told.has(text)) ?? [];
    return found.map(({ text: sentence }) => {
      told.add(sentence);
      return token === BRIDGE
        ? wrong("doctor/bridge", `bridge ${spec.device}`, "not all frames pass between its ports", sentence)
        : wrong("doctor/forwarding", "forwarding", "not all that is to be forwarded is", sentence);
    });
  });
}

/** Lines that are shown: of a host without its devices there are hundreds. */
const LINES = 10;

function drift({ wanted: { node }, concerned }: Examined, seen: Snapshot): Found {
  const lines = driftOf(concerned, seen);
  if (lines.length === 0) return ok("drift", "none: all lines are as declared");
  const many = `${lines.length} ${lines.length === 1 ? "line is" : "lines are"} not as declared`;
  const shown = [...lines.slice(0, LINES), ...(lines.length > LINES ? [`… and ${lines.length - LINES} more`] : [])];
  const cure = `On ${node.name} ${many}: \`pulumi refresh\`, then \`pulumi up\`, brings back what is declared.`;
  return { ...wrong("doctor/drift", "drift", many, cure), lines: shown };
}
