/** Whether what one end sends comes to the other, and where it is lost if it does not. */
import type { Path } from "../../kernel";
import { parseEndpoint } from "../../network/address";
import { type Found, follows, ok, unknown, wrong } from "./check";
import { devicesOf, type End, hasSession, namesOf, nodeOf } from "./ends";
import { endpointOf } from "./examine";

/** Of WireGuard. `keys`: whether they fit. `clocksDiffer`: whether one is so wrong that no handshake may be taken. */
export function udpCheck(ends: End[], keys: Found, clocksDiffer: boolean): Found {
  if (ends.some(([, { carried }]) => carried)) return ok("UDP", "arrives, both ways");
  const lost = lostOf(ends);
  if (lost) return lostCheck("UDP", lost);
  if (keys.state === "wrong") {
    const why = keys.code === "doctor/key" ? ", because of the keys" : `: ${keys.says}`;
    return follows(keys, "UDP", `nobody answers${why}`);
  }
  // Who could not send has not been left without an answer.
  const called = silenceOf(ends.filter(([{ unproven }]) => unproven === undefined));
  const blind = blindCheck("UDP", ends, called);
  if (blind) return blind;
  if (ends.every(([, { counted }]) => (counted?.in ?? 0) > 0)) {
    const [[, { path }]] = ends as [End];
    if (ends.some(hasSession)) {
      const cure = `${namesOf(ends)} hear each other, but packets inside of ${path.of} get no answer: look for a firewall of theirs that drops ICMP by ${devicesOf(ends)}.`;
      return unknown("doctor/unanswered", "UDP", "arrives, both ways, but no ping inside is answered", cure);
    }
    const clock = clocksDiffer ? " First the clock that is wrong." : "";
    const cure = `${namesOf(ends)} get what the other sends and take none of it, though the keys fit: where a clock was set back, WireGuard takes no handshake until it is as late as before.${clock} \`pulumi up --refresh\` after \`ip link del\` of one of ${devicesOf(ends)} begins anew.`;
    return wrong("doctor/untaken", "UDP", "arrives, and is not taken", cure);
  }
  return called
    ? wrong("doctor/silent", "UDP", "nobody answers", called)
    : unknown("doctor/silent", "UDP", "nobody has called yet");
}

/** Where the silence of a pair shows nothing more; undefined: what became of its packets was seen at both ends. */
export function blindCheck(name: string, ends: readonly End[], cure?: string): Found | undefined {
  const mute = ends.filter(([{ unproven }]) => unproven !== undefined);
  if (mute.length === ends.length) {
    return unknown("doctor/unproven", name, `no packets could be sent, or be followed, on ${namesOf(mute)}`);
  }
  if (ends.length < 2)
    return unknown("doctor/silent", name, "nobody answers, and only one end could be looked at", cure);
  const blind = ends.filter(([, { counted }]) => !counted);
  if (blind.length === 0) return undefined;
  return unknown("doctor/silent", name, `nobody answers, and packets could not be followed on ${namesOf(blind)}`, cure);
}

interface Lost {
  code: "doctor/dropped" | "doctor/silent";
  says: string;
  cure: string;
}

/** Where packets of the pair are lost; undefined: none of them is seen to be. */
export function lostOf(ends: readonly End[]): [Lost, ...Lost[]] | undefined {
  const [first, ...more] = ends.flatMap((end) => [
    ...keptIn(end),
    ...lostOnTheWay(
      end,
      ends.find((other) => other !== end),
    ),
    ...droppedAt(end),
  ]);
  return first && [first, ...more];
}

export const lostCheck = (name: string, [first, ...more]: [Lost, ...Lost[]]): Found =>
  wrong(first.code, name, first.says, [...new Set([first, ...more].map(({ cure }) => cure))].join(" "));

/** What a rule is, and how it goes. `what`: in words of nft(8). `or`: another cure of a chain's policy. */
function rule([first = ""]: readonly string[], { from }: Path, what: string, or: string): string {
  const [, chain, text] = /^(\S+ \S+ \S+) rule (.*) \(verdict drop\)$/.exec(first) ?? [];
  const [, policy] = /^(\S+ \S+ \S+) (?:verdict \S+ )?policy drop/.exec(first) ?? [];
  if (chain?.startsWith("inet overlay ")) return "by the loop guard, whose own finding has the cure.";
  if (chain?.startsWith("inet overlay-")) {
    return `by our own rule \`${text}\`, because it does not come and go by a link: \`ip route get ${from}\` there says by what; \`pulumi refresh\`, then \`pulumi up\`, brings back the declared routes.`;
  }
  if (chain !== undefined) {
    return `by \`${text}\` in chain ${chain}: take that rule away (\`nft -a list chain ${chain}\` there shows its handle, \`nft delete rule ${chain} handle N\` deletes it), or let ${what} pass before it: \`nft insert rule ${chain} ${what} accept\`.`;
  }
  if (policy !== undefined) {
    return `by the policy of chain ${policy}: \`nft insert rule ${policy} ${what} accept\` there${or}.`;
  }
  return `by rules that do not show: look for ${what} in \`nft list ruleset\` and \`iptables-legacy -S\` there.`;
}

/** A declared firewall lets in links, and no segment. */
const declare = (end: End): string =>
  end[1].path.layer === "WireGuard" ? `, or \`firewall\` of node ${nodeOf(end)}` : "";

function droppedAt(end: End): Lost[] {
  const [, { counted, path }] = end;
  if (!counted || counted.come === 0 || counted.in > 0) return [];
  const by = rule(counted.droppedIn, path, `udp dport ${path.port}`, declare(end));
  return [
    {
      code: "doctor/dropped",
      says: `what ${path.to} sends arrives at ${nodeOf(end)}, and is dropped there`,
      // Not from whom: to all of a mesh it is one rule.
      cure: `UDP ${path.port} arrives at ${nodeOf(end)} and is dropped there ${by}`,
    },
  ];
}

function keptIn(end: End): Lost[] {
  const [, { counted, path }] = end;
  if (!counted || counted.out === 0 || counted.gone > 0) return [];
  // The port that VXLAN comes from is another for each flow.
  const [what, flow] =
    path.layer === "VXLAN"
      ? [`udp dport ${path.port}`, `to UDP ${path.port} of ${path.to}`]
      : [`udp sport ${path.port}`, `from UDP ${path.port}`];
  return [
    {
      code: "doctor/dropped",
      says: `${nodeOf(end)} drops what it sends to ${path.to}`,
      cure: `${nodeOf(end)} drops what it sends ${flow}, ${rule(counted.droppedOut, path, what, declare(end))}`,
    },
  ];
}

/** What the other end has sent, and never came here. */
function lostOnTheWay(end: End, sender: End | undefined): Lost[] {
  const [, { counted, path }] = end;
  if (!sender || !counted || counted.come > 0 || (sender[1].counted?.gone ?? 0) === 0) return [];
  return [
    {
      code: "doctor/silent",
      says: `what ${path.to} sends does not arrive at ${nodeOf(end)}`,
      cure:
        silenceOf([sender]) ??
        `UDP ${path.port} from ${path.to} does not arrive at ${nodeOf(end)}: something in between drops it.`,
    },
  ];
}

/** Who is called in vain, where he is called now. Not by whom: in a mesh that may be everybody. */
function silenceOf(ends: readonly End[]): string | undefined {
  for (const end of ends) {
    const [{ look }, way] = end;
    const at = look.seen && way.call && parseEndpoint(endpointOf(way, look.seen) ?? way.call.endpoint);
    if (!look.seen || !at) continue;
    const { address, port } = at;
    const { ways } = look.seen;
    const lost = address in ways && ways[address] === undefined ? `${nodeOf(end)} has no route to ${address}. ` : "";
    const { to } = way.path;
    return (
      `${lost}UDP ${port} does not arrive at ${address}, where ${to} is called, or no answer comes back: let it in there, in the ` +
      "security group of its cloud, on its router, in a firewall of its own (`firewall` of the node); and see that " +
      `${to} runs and has that address.`
    );
  }
  return undefined;
}
