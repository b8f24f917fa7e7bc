/** What a doctor's looks come to: checks, and of what is wrong the cure. Pure. */

import { format } from "../../faults";
import { narrow } from "../../host";
import { type Exchange, SESSION_SECONDS, type Snapshot, silence } from "../../kernel";
import { closedFaults, missingFirewall } from "../../kernel/firewall";
import { nestedElse, nestedOf } from "../../kernel/nested";
import { agreed, HEALTHY, health } from "../../rosenpass";
import { driftOf } from "../status/look";
import { age } from "../status/table";
import { type Examined, INTERFACE, pairOf, type Way } from "./examine";

export interface Check {
  /** What it is of: `lux`, or `lux-fra: fra and lux`. */
  of: string;
  name: string;
  state: "ok" | "wrong" | "unknown";
  /** In a few words. */
  says: string;
  /** What is wrong, and the cure; absent where another check's is this one's, too. */
  cure?: string;
  /** Lines of the kernel's text. */
  lines?: string[];
}

type Found = Omit<Check, "of">;
const ok = (name: string, says: string): Found => ({ name, state: "ok", says });
const wrong = (name: string, says: string, cure?: string | undefined): Found => ({
  name,
  state: "wrong",
  says,
  ...(cure && { cure }),
});
const unknown = (name: string, says: string, cure?: string | undefined): Found => ({
  name,
  state: "unknown",
  says,
  ...(cure && { cure }),
});

/** Of each host, then of each link between two of them. */
export function checksOf(all: readonly Examined[]): Check[] {
  const clock = median([0, ...all.flatMap(({ clock }) => clock ?? [])]);
  const pairs = new Map<string, [Examined, Way][]>();
  for (const it of all)
    for (const way of it.ways) {
      const pair = pairOf(it, way);
      pairs.set(pair, [...(pairs.get(pair) ?? []), [it, way]]);
    }
  return [
    ...all.flatMap((it) => hostChecks(it, clock).map((check) => ({ of: it.wanted.node.name, ...check }))),
    ...[...pairs.values()].flatMap((ends) => linkChecks(ends, all)),
    ...all.flatMap(callers),
  ];
}

/** Of an even number the one that is nearer to zero, where this machine is. */
function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0] ?? 0;
}

/** Seconds. A look takes some, and what depends on clocks does not mind: signatures of a source of truth, handshakes. */
const CLOCK = 10;

function hostChecks(it: Examined, clock: number): Found[] {
  const { seen, fault = "" } = it.look;
  if (!seen) return [unknown("SSH", "could not be looked at", fault)];
  return [
    ok("SSH", "answers, and is the machine that Pulumi knows"),
    ...kernel(it, seen),
    clockCheck(it, clock),
    firewall(it, seen),
    guard(it, seen),
    ...others(it, seen),
    drift(it, seen),
    ...(it.unproven === undefined ? [] : [unknown("packets", "could not be sent", it.unproven)]),
  ];
}

function kernel({ wanted: { node }, concerned }: Examined, { host, versions }: Snapshot): Found[] {
  if (!concerned.some(({ token }) => token === INTERFACE)) return [];
  const linux = versions?.linux === undefined ? "Linux" : `Linux ${versions.linux}`;
  if (host.wireguard === "kernel") return [ok("kernel", `${linux}, which has WireGuard`)];
  if (host.wireguard === "userspace") return [ok("kernel", `${linux} without WireGuard, and wireguard-go`)];
  const cure = `${node.name} has no WireGuard: run \`modprobe wireguard\` there (Linux 5.6 and later), or install wireguard-go.`;
  return [wrong("kernel", `${linux} without WireGuard, and no wireguard-go`, cure)];
}

function clockCheck({ wanted: { node }, clock }: Examined, usual: number): Found {
  if (clock === undefined) return unknown("clock", "was not seen");
  const off = clock - usual;
  if (Math.abs(off) <= CLOCK) return ok("clock", `as others have it, within ${CLOCK} s`);
  const says = `${age(Math.abs(off))} ${off < 0 ? "behind" : "ahead of"} the others`;
  const cure =
    `The clock of ${node.name} is ${says}: \`timedatectl set-ntp true\` there. WireGuard takes no handshake that says an ` +
    "earlier time than one before it: where it was set back, peers answer only when it is as late again, or when their device was made anew.";
  return wrong("clock", says, cure);
}

/** A chain that drops what has no rule, and of which nobody has said that it lets the ports in. */
function firewall({ wanted: { node }, concerned, ways }: Examined, seen: Snapshot): Found {
  const devices = concerned.filter(({ token }) => token === INTERFACE);
  const missing = devices.flatMap(({ spec }) => missingFirewall(spec, seen));
  const closed = devices.flatMap(({ spec }) => {
    const heard = ways.some(({ path, carried }) => path.device === spec.device && carried);
    return spec.called && !heard ? closedFaults(node.name, spec.listenPort, spec, seen) : [];
  });
  const faults = [...missing, ...closed].map((fault) => format([fault]));
  if (faults.length > 0)
    return wrong("firewall", "drops what no rule lets in", `${node.name}: ${[...new Set(faults)].join(" ")}`);
  const chains = (seen.hooks.input ?? []).map(({ chain }) => chain);
  if (chains.length === 0) return ok("firewall", "no chain drops what no rule lets in");
  return ok("firewall", `${chains.join(", ")} drops what no rule lets in, and lets in what is needed`);
}

const guards = ({ wanted: { node }, concerned }: Examined, seen: Snapshot): string[] => [
  ...nestedElse(node.name, seen),
  ...concerned.flatMap(({ token, spec }) => (token === INTERFACE ? nestedOf(node.name, spec.device, seen) : [])),
];

function guard(it: Examined, seen: Snapshot): Found {
  const found = guards(it, seen);
  if (found.length === 0) return ok("loop guard", "has dropped nothing");
  return wrong("loop guard", "has dropped encrypted packets", found.join(" "));
}

/** What a technology has to say of a host, besides what the guard has counted. */
function others(it: Examined, seen: Snapshot): Found[] {
  const told = new Set(guards(it, seen));
  const found = it.concerned.flatMap(({ technology, spec }) => technology.warnings?.(spec, seen) ?? []);
  const rest = [...new Set(found.map(({ text }) => text))].filter((sentence) => !told.has(sentence));
  return rest.map((sentence) => wrong("forwarding", "something is in its way", sentence));
}

/** Lines that are shown: of a host without its devices there are hundreds. */
const LINES = 10;

function drift({ wanted: { node }, concerned }: Examined, seen: Snapshot): Found {
  const lines = driftOf(concerned, seen);
  if (lines.length === 0) return ok("drift", "none: all lines are as declared");
  const many = `${lines.length} ${lines.length === 1 ? "line is" : "lines are"} not as declared`;
  const shown = [...lines.slice(0, LINES), ...(lines.length > LINES ? [`… and ${lines.length - LINES} more`] : [])];
  const cure = `On ${node.name} ${many}: \`pulumi refresh\`, then \`pulumi up\`, brings back what is declared.`;
  return { ...wrong("drift", many, cure), lines: shown };
}

type End = [Examined, Way];

/** Of the one or the two ends of it that were seen. */
function linkChecks(ends: End[], all: readonly Examined[]): Check[] {
  const [first] = ends;
  if (!first) return [];
  const [it, { path }] = first;
  const names = [it.wanted.node.name, path.to].sort();
  const checks = path.layer === "WireGuard" ? wireguardChecks(ends, all) : segmentChecks(ends);
  return checks.map((check) => ({ of: `${path.of}: ${names.join(" and ")}`, ...check }));
}

const nodeOf = ([it]: End): string => it.wanted.node.name;
/** The way of packets that an end hears. */
const heard = (end: End): string => `${end[1].path.to} to ${nodeOf(end)}`;

function wireguardChecks(ends: End[], all: readonly Examined[]): Found[] {
  const keys = keysCheck(ends, all);
  const clocks = ends.some(([it]) => it.clock !== undefined && Math.abs(it.clock) > CLOCK);
  const lowered = ends.flatMap(loweredCheck);
  const udp = udpCheck(ends, keys.state === "wrong", clocks);
  return [
    keys,
    handshake(ends, udp),
    udp,
    ...ends.flatMap((end) => outside(end, udp)),
    ...lowered,
    ...ends.flatMap((end) => sizes(end, udp.state, lowered.length > 0)),
    ...postQuantum(ends, all, udp.state === "ok"),
  ];
}

const segmentChecks = (ends: End[]): Found[] => {
  const lowered = ends.flatMap(loweredCheck);
  return [...lowered, ...ends.flatMap((end) => sizes(end, "ok", lowered.length > 0))];
};

const deviceOf = ({ look }: Examined, name: string) => look.seen?.wg.find(({ device }) => device === name);
const peerOf = ([it, { path }]: End) =>
  deviceOf(it, path.device)?.peers.find(({ publicKey }) => publicKey === path.from);

/** What each end has as the other's key, what the other's device has, and whether both or neither have a preshared one. */
function keysCheck(ends: End[], all: readonly Examined[]): Found {
  const wrongs = ends.flatMap((end): string[] => {
    const [it, { path, declared }] = end;
    const [name, live] = [nodeOf(end), deviceOf(it, path.device)];
    if (!live)
      return [
        `${name} has no WireGuard device ${path.device}: \`pulumi refresh\`, then \`pulumi up\`, makes it again.`,
      ];
    const far = all.find(({ wanted }) => wanted.node.name === path.to);
    const device = far?.concerned.find(({ token, spec }) => token === INTERFACE && spec.link === path.of)?.spec.device;
    const has = far && device !== undefined ? deviceOf(far, device)?.publicKey : undefined;
    const stranger = live.peers.find(({ publicKey }) => !peersOf(declared.spec).includes(publicKey));
    if (peerOf(end) === undefined) {
      const instead = stranger ? `, but one with the key ${stranger.publicKey}` : "";
      return [
        `${path.device} of ${name} has no peer with ${path.to}'s key ${path.from}${instead}: somebody has changed it there; ` +
          "`pulumi refresh`, then `pulumi up`, puts back the declared one.",
      ];
    }
    if (has === undefined || has === path.from) return [];
    const held = has === "" ? "no private key" : `the key ${has}`;
    return [
      `${path.device} of ${name} expects ${path.to}'s key ${path.from}, and ${device} of ${path.to} has ${held}: somebody has ` +
        `changed it there; \`pulumi refresh\`, then \`pulumi up\`, gives both what the other has.`,
    ];
  });
  if (wrongs.length > 0) return wrong("keys", "what the two ends have does not fit together", wrongs.join(" "));
  const psks = ends.flatMap((end) => peerOf(end)?.presharedKey ?? []);
  if (new Set(psks).size > 1) {
    const [having] = ends.filter((end) => peerOf(end)?.presharedKey);
    const cure = `Only ${having ? nodeOf(having) : "one end"} has a preshared key: \`pulumi refresh\`, then \`pulumi up\`, gives both what is declared; one that nobody declared goes with \`wg set DEVICE peer KEY preshared-key /dev/null\`.`;
    return wrong("keys", "one end alone has a preshared key", cure);
  }
  if (ends.length < 2) return ok("keys", "as declared at the one end that was seen");
  return ok("keys", "each end has the other's");
}

// biome-ignore lint/suspicious/noExplicitAny: a WireGuard device's spec
const peersOf = (spec: any): string[] =>
  [...(spec.peer ? [spec.peer] : []), ...(spec.peers ?? [])].map(({ publicKey }: { publicKey: string }) => publicKey);

function handshake(ends: End[], udp: Found): Found {
  const ages = ends.flatMap(([it, way]) => {
    const at = peerOf([it, way])?.latestHandshake ?? 0;
    return it.look.seen && at > 0 ? [Math.max(0, it.look.seen.now - at)] : [];
  });
  const last = Math.min(...ages);
  if (last < SESSION_SECONDS) return ok("handshake", `${age(last)} ago`);
  const says = ages.length === 0 ? "there was none yet" : `the last one was ${age(last)} ago`;
  return udp.state === "unknown" ? unknown("handshake", says) : wrong("handshake", says);
}

/** Whether what one end sends comes to the other, and where it is lost if it does not. */
function udpCheck(ends: End[], keysDiffer: boolean, clocksDiffer: boolean): Found {
  if (ends.some(([, { carried }]) => carried)) return ok("UDP", "arrives, both ways");
  const lost = ends.flatMap((end) => {
    const sender = ends.find((other) => other !== end);
    return [...keptIn(end), ...lostOnTheWay(end, sender), ...droppedAt(end)];
  });
  const [says] = lost;
  if (says) return wrong("UDP", says.says, [...new Set(lost.map(({ cure }) => cure))].join(" "));
  if (keysDiffer) return wrong("UDP", "nobody answers, because of the keys");
  const called = silenceOf(ends);
  if (ends.length < 2 || ends.some(([, { counted }]) => !counted)) {
    const why = "nobody answers, and only one end could be looked at";
    return called ? unknown("UDP", why, called) : unknown("UDP", why);
  }
  if (ends.every(([, { counted }]) => (counted?.in ?? 0) > 0)) {
    if (ends.some((end) => session(end))) {
      const cure = `${names(ends)} hear each other, but packets inside of ${path(ends).of} get no answer: look for a firewall of theirs that drops ICMP by ${devices(ends)}.`;
      return unknown("UDP", "arrives, both ways, but no ping inside is answered", cure);
    }
    const clock = clocksDiffer ? " First the clock that is wrong." : "";
    const cure = `${names(ends)} get what the other sends and take none of it, though the keys fit: where a clock was set back, WireGuard takes no handshake until it is as late as before.${clock} \`pulumi up\` after \`ip link del\` of one of ${devices(ends)} begins anew.`;
    return wrong("UDP", "arrives, and is not taken", cure);
  }
  return called ? wrong("UDP", "nobody answers", called) : unknown("UDP", "nobody has called yet");
}

const session = ([it, way]: End): boolean => {
  const [seen, peer] = [it.look.seen, peerOf([it, way])];
  return seen !== undefined && peer !== undefined && seen.now - peer.latestHandshake < SESSION_SECONDS;
};
const path = (ends: End[]) => (ends[0] as End)[1].path;
const names = (ends: End[]): string => ends.map(nodeOf).sort().join(" and ");
const devices = (ends: End[]): string => ends.map(([, way]) => way.path.device).join(", ");

interface Lost {
  says: string;
  cure: string;
}

/** `inet filter input rule udp dport 11001 drop (verdict drop)` */
const verdicts = (dropped: readonly string[], port: number, way: "dport" | "sport"): string[] => {
  const own = dropped.filter((line) => line.includes(`${way} ${port}`));
  return own.length > 0 ? own : [...dropped];
};

/** What a rule is, and how it goes. */
function rule(dropped: readonly string[], node: string, what: string): string {
  const [first] = dropped;
  const [, chain, text] = /^(\S+ \S+ \S+) rule (.*) \(verdict drop\)$/.exec(first ?? "") ?? [];
  const [, policy] = /^(\S+ \S+ \S+) (?:verdict \S+ )?policy drop/.exec(first ?? "") ?? [];
  if (chain !== undefined && text !== undefined) {
    return `by \`${text}\` in chain ${chain}: take that rule away (\`nft -a list chain ${chain}\` there shows its handle, \`nft delete rule ${chain} handle N\` deletes it), or let ${what} pass before it: \`nft insert rule ${chain} ${what} accept\`.`;
  }
  if (policy !== undefined) {
    return `by the policy of chain ${policy}: \`nft insert rule ${policy} ${what} accept\` there, or \`firewall\` of node ${node}.`;
  }
  return `by rules that do not show: look for ${what} in \`nft list ruleset\` and \`iptables-legacy -S\` there.`;
}

function droppedAt(end: End): Lost[] {
  const [it, { counted, path }] = end;
  if (!counted || counted.come === 0 || counted.in > 0) return [];
  const by = rule(verdicts(it.dropped, path.port, "dport"), nodeOf(end), `udp dport ${path.port}`);
  return [
    {
      says: `what ${path.to} sends arrives at ${nodeOf(end)}, and is dropped there`,
      cure: `UDP ${path.port} from ${path.to} arrives at ${nodeOf(end)} and is dropped there ${by}`,
    },
  ];
}

function keptIn(end: End): Lost[] {
  const [it, { counted, path }] = end;
  if (!counted || counted.out === 0 || counted.gone > 0) return [];
  const by = rule(verdicts(it.dropped, path.port, "sport"), nodeOf(end), `udp sport ${path.port}`);
  return [
    {
      says: `${nodeOf(end)} drops what it sends to ${path.to}`,
      cure: `${nodeOf(end)} drops what it sends from UDP ${path.port} to ${path.to}, ${by}`,
    },
  ];
}

/** What the other end has sent, and never came here. */
function lostOnTheWay(end: End, sender: End | undefined): Lost[] {
  const [, { counted, path }] = end;
  if (!sender || !counted || counted.come > 0 || (sender[1].counted?.gone ?? 0) === 0) return [];
  const says = `what ${path.to} sends does not arrive at ${nodeOf(end)}`;
  return [
    {
      says,
      cure:
        silenceOf([sender]) ??
        `UDP ${path.port} from ${path.to} does not arrive at ${nodeOf(end)}: something in between drops it.`,
    },
  ];
}

/** What Pulumi says of those who are called in vain. */
function silenceOf(ends: End[]): string | undefined {
  for (const end of ends) {
    const [{ look }, { call, declared }] = end;
    const own = declared.technology.end?.(declared.spec);
    if (!look.seen || !call || !own) continue;
    const at = peerOf(end)?.latestHandshake ?? 0;
    return silence(own, [at > 0 ? { ...call, since: look.seen.now - at } : call], look.seen);
  }
  return undefined;
}

function outside(end: End, udp: Found): Found[] {
  const [, { outside, path }] = end;
  if (!outside) return [];
  const name = `outside, ${nodeOf(end)} to ${path.to}`;
  const [, whole] = outside.asked;
  if (whole !== undefined && outside.answered.includes(whole))
    return [ok(name, `pings are answered, of ${whole} bytes, too`)];
  if (outside.answered.length > 0) return [ok(name, `pings are answered, but none of ${whole} bytes`)];
  if (udp.state === "ok") return [ok(name, "pings are not answered, and UDP arrives")];
  return [unknown(name, "pings are not answered: the host, its network or its firewall")];
}

/** A device whose MTU somebody has set to less. */
function loweredCheck(end: End): Found[] {
  const [it, { path }] = end;
  const device = it.look.seen?.links.find(({ ifname }) => ifname === path.device);
  if (device === undefined || device.mtu >= path.mtu) return [];
  const set = `ip link set dev ${path.device} mtu ${path.mtu}`;
  return [
    wrong(
      `MTU of ${path.device}`,
      `${device.mtu} bytes, and ${path.mtu} are declared`,
      `The MTU of ${path.device} on ${nodeOf(end)} is ${device.mtu}, and ${path.mtu} is declared: \`${set}\` there, or \`pulumi refresh\` and \`pulumi up\`.`,
    ),
  ];
}

/** Somebody else's machines that nobody calls: of these there is nothing to prove. */
function callers({ wanted: { node }, concerned, look }: Examined): Check[] {
  return concerned.flatMap(({ token, spec }) => {
    const peers: Peer[] = token === INTERFACE ? [...(spec.peer ? [spec.peer] : []), ...(spec.peers ?? [])] : [];
    return peers.flatMap(({ name, publicKey, foreign, endpoint }) => {
      if (!foreign || endpoint !== undefined || !look.seen) return [];
      const live = look.seen.wg
        .find(({ device }) => device === spec.device)
        ?.peers.find((it) => it.publicKey === publicKey);
      const at = live?.latestHandshake ?? 0;
      const last = at > 0 ? `the last handshake was ${age(Math.max(0, look.seen.now - at))} ago` : "it has not yet";
      const found = ok("handshake", `${name} calls when it likes: ${last}`);
      return [{ of: `${spec.link}: ${[node.name, name].sort().join(" and ")}`, ...found }];
    });
  });
}

interface Peer {
  name: string;
  publicKey: string;
  foreign?: true;
  endpoint?: string;
}

/** What comes in, whether in one piece, and how much of it at once. `udp`: whether what carries it arrives. */
function sizes(end: End, udp: Check["state"], lowered: boolean): Found[] {
  const [, { carried, path, pieces }] = end;
  const name = `inside, ${heard(end)}`;
  if (!carried) {
    if (udp !== "ok") return [{ name, state: udp, says: "nothing comes back" }];
    const cure = `Nobody answers ${nodeOf(end)} inside of ${path.of}, at ${path.address} of ${path.to}: see that ${path.to} is up, and that no firewall there drops ICMP by its device.`;
    return [unknown(name, "pings are not answered", cure)];
  }
  const answered = ok(name, "pings are answered");
  const mtu = `path MTU, ${heard(end)}`;
  if (carried.bytes >= path.mtu) return [answered, ok(mtu, `${path.mtu} bytes in one piece`)];
  const says = `${carried.bytes} bytes in one piece, and ${path.mtu} are declared`;
  if (lowered) return [answered, wrong(mtu, says)];
  const fragments = `fragments, ${heard(end)}`;
  return [
    answered,
    wrong(mtu, says, `The ${narrow(path, carried)}.`),
    pieces ? wrong(fragments, "larger ones come in pieces") : ok(fragments, "none: larger ones are lost"),
  ];
}

function postQuantum(ends: End[], all: readonly Examined[], arrives: boolean): Found[] {
  const found = ends.flatMap(([it, { path }]) => {
    const daemon = it.concerned.find(
      ({ token, spec }) =>
        token === "overlay:rosenpass:Daemon" && spec.device === path.device && spec.peer.name === path.to,
    );
    return daemon ? [{ it, daemon }] : [];
  });
  const [first] = found;
  if (!first) return [];
  const { name } = first.daemon.spec;
  const stopped = found.filter(({ it }) => it.look.seen?.units[unit(name)]?.active !== true);
  if (stopped.length > 0) {
    const cures = stopped.map(({ it, daemon }) => {
      const failed = it.look.seen?.units[unit(name)]?.failed ? "has failed" : "does not run";
      const { node } = daemon.spec;
      return `${unit(name)} ${failed} on ${node}, and without it there are no new keys: \`systemctl restart ${unit(name)}\` there; \`journalctl -u ${unit(name)}\` says why it ended.`;
    });
    return [
      wrong(
        "Rosenpass",
        `${stopped.map(({ daemon }) => `the daemon of ${daemon.spec.node}`).join(" and ")} does not run`,
        cures.join(" "),
      ),
    ];
  }
  const exchanges: Record<string, Exchange | undefined> = Object.fromEntries(
    found.map(({ it, daemon }) => [daemon.spec.node, it.look.seen?.exchanges[name]]),
  );
  const unseen = all.filter(({ look, wanted }) => !look.seen && wanted.node.name === path(ends).to);
  const says = health(exchanges);
  if (says === HEALTHY) return [ok("Rosenpass", unseen.length > 0 ? `${HEALTHY}, at the end that was seen` : HEALTHY)];
  // A key of each end that is old, or none, says so: what is left is the session.
  if (agreed(exchanges) && Object.values(exchanges).some((it) => it?.protected === false) && !says.includes("older")) {
    const cure = `Of ${name}, ${says}: within two minutes WireGuard makes the next one, which has the key; look again then.`;
    return [unknown("Rosenpass", says, cure)];
  }
  const way = first.daemon.technology.keying?.(first.daemon.spec).way;
  const cure = `No post-quantum keys are exchanged for ${name}: ${says}. ${way} does not arrive, or no answer comes back: let it in where it goes, in the security group of a cloud, on a router, in a firewall of the machine's own.`;
  return [wrong("Rosenpass", says, arrives ? cure : undefined)];
}

const unit = (name: string): string => `overlay-rosenpass@${name}.service`;
