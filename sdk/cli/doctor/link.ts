/** What is found of a WireGuard link, or of a pair of a mesh: keys, handshake, the underlay, MTU. */
import { narrow } from "../../host";
import { SESSION_SECONDS } from "../../kernel";
import { byName } from "../order";
import { age } from "../status/table";
import { type Check, type Found, follows, ok, unknown, wrong } from "./check";
import { INTERFACE, peersOf } from "./concerns";
import { deviceOf, type End, heard, nodeOf, peerOf } from "./ends";
import type { Examined } from "./examine";
import { isOff } from "./host";
import { postQuantum } from "./rosenpass";
import { udpCheck } from "./udp";

export function linkChecks(ends: End[], all: readonly Examined[]): Found[] {
  const keys = keysCheck(ends, all);
  const lowered = ends.flatMap(loweredCheck);
  const udp = udpCheck(ends, keys, ends.map(([it]) => it).some(isOff));
  return [
    keys,
    handshake(ends, udp),
    udp,
    ...ends.flatMap((end) => outside(end, udp)),
    ...lowered,
    ...ends.flatMap((end) => sizes(end, udp, lowered[0])),
    ...postQuantum(ends, all, udp.state === "ok"),
  ];
}

/** What each end has as the other's key, what the other's device has, and whether both or neither have a preshared one. */
function keysCheck(ends: End[], all: readonly Examined[]): Found {
  const absent: string[] = [];
  const wrongs = ends.flatMap((end): string[] => {
    const [it, { path, declared }] = end;
    const [name, live] = [nodeOf(end), deviceOf(it, path.device)];
    if (!live) {
      absent.push(`${path.device} of ${name}`);
      return [
        `${name} has no WireGuard device ${path.device}: \`pulumi refresh\`, then \`pulumi up\`, makes it again.`,
      ];
    }
    const far = all.find(({ wanted }) => wanted.node.name === path.to);
    const device = far?.concerned.find(({ token, spec }) => token === INTERFACE && spec.link === path.of)?.spec.device;
    const has = far && device !== undefined ? deviceOf(far, device)?.publicKey : undefined;
    const known = peersOf(declared).map(({ publicKey }) => publicKey);
    const stranger = live.peers.find(({ publicKey }) => !known.includes(publicKey));
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
  if (absent.length > 0) {
    const says = `${absent.join(" and ")} ${absent.length === 1 ? "is" : "are"} not there`;
    return wrong("doctor/drift", "keys", says, wrongs.join(" "));
  }
  if (wrongs.length > 0) {
    return wrong("doctor/key", "keys", "what the two ends have does not fit together", wrongs.join(" "));
  }
  const psks = ends.flatMap((end) => peerOf(end)?.presharedKey ?? []);
  if (new Set(psks).size > 1) {
    const [having] = ends.filter((end) => peerOf(end)?.presharedKey);
    const cure = `Only ${having ? nodeOf(having) : "one end"} has a preshared key: \`pulumi refresh\`, then \`pulumi up\`, gives both what is declared; one that nobody declared goes with \`wg set DEVICE peer KEY preshared-key /dev/null\`.`;
    return wrong("doctor/key", "keys", "one end alone has a preshared key", cure);
  }
  if (ends.length < 2) return ok("keys", "as declared at the one end that was seen");
  return ok("keys", "each end has the other's");
}

function handshake(ends: End[], udp: Found): Found {
  const ages = ends.flatMap((end) => {
    const [seen, at] = [end[0].look.seen, peerOf(end)?.latestHandshake ?? 0];
    return seen && at > 0 ? [Math.max(0, seen.now - at)] : [];
  });
  const last = Math.min(...ages);
  if (last < SESSION_SECONDS) return ok("handshake", `${age(last)} ago`);
  const says = ages.length === 0 ? "there was none yet" : `the last one was ${age(last)} ago`;
  return udp.state === "ok" ? wrong("doctor/silent", "handshake", says) : follows(udp, "handshake", says);
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
  return [unknown("doctor/silent", name, "pings are not answered: the host, its network or its firewall")];
}

/** A device whose MTU somebody has set to less. */
export function loweredCheck(end: End): Found[] {
  const [it, { declared }] = end;
  const { device: name, mtu }: { device: string; mtu: number } = declared.spec;
  const device = it.look.seen?.links.find(({ ifname }) => ifname === name);
  if (device === undefined || device.mtu >= mtu) return [];
  return [
    wrong(
      "doctor/lowered",
      `MTU of ${name}`,
      `${device.mtu} bytes, and ${mtu} are declared`,
      `The MTU of ${name} on ${nodeOf(end)} is ${device.mtu}, and ${mtu} is declared: \`ip link set dev ${name} mtu ${mtu}\` there, or \`pulumi refresh\` and \`pulumi up\`.`,
    ),
  ];
}

/**
 * What comes in, whether in one piece, and how much of it at once. `udp`: whether what carries it arrives. `because`: what
 * keeps large packets from coming, if that was found already.
 */
export function sizes(end: End, udp: Found, because: Found | undefined): Found[] {
  const [it, { carried, path, pieces }] = end;
  const name = `inside, ${heard(end)}`;
  if (!carried) {
    if (udp.state !== "ok") return [follows(udp, name, "nothing comes back")];
    if (it.unproven !== undefined) {
      return [unknown("doctor/unproven", name, `no packets could be sent by ${nodeOf(end)}`)];
    }
    const cure = `Nobody answers ${nodeOf(end)} inside of ${path.of}, at ${path.address} of ${path.to}: see that ${path.to} is up, and that no firewall there drops ICMP by its device.`;
    return [unknown("doctor/unanswered", name, "pings are not answered", cure)];
  }
  const answered = ok(name, "pings are answered");
  const [mtu, fragments] = [`path MTU, ${heard(end)}`, `fragments, ${heard(end)}`];
  if (carried.bytes >= path.mtu) {
    return [answered, ok(mtu, `${path.mtu} bytes in one piece`), ok(fragments, "no packet came in pieces")];
  }
  const says = `${carried.bytes} bytes in one piece, and ${path.mtu} are declared`;
  if (because) return [answered, follows(because, mtu, says)];
  return [
    answered,
    wrong("doctor/narrow", mtu, says, `The ${narrow(path, carried)}.`),
    pieces
      ? wrong("doctor/narrow", fragments, "larger ones come in pieces")
      : ok(fragments, "none: larger ones are lost"),
  ];
}

/** Somebody else's machines that nobody calls: of these there is nothing to prove. */
export function callers({ wanted: { node }, concerned, look }: Examined): Check[] {
  return concerned.flatMap((declared) =>
    peersOf(declared).flatMap(({ name, publicKey, foreign, endpoint }) => {
      if (!foreign || endpoint !== undefined || !look.seen) return [];
      const { link, device } = declared.spec;
      const live = look.seen.wg.find((it) => it.device === device)?.peers.find((it) => it.publicKey === publicKey);
      const at = live?.latestHandshake ?? 0;
      const last = at > 0 ? `the last handshake was ${age(Math.max(0, look.seen.now - at))} ago` : "it has not yet";
      const found = ok("handshake", `${name} calls when it likes: ${last}`);
      return [{ of: `${link}: ${[node.name, name].sort(byName).join(" and ")}`, within: link, ...found }];
    }),
  );
}
