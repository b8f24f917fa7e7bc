/** What is found of a pair of a segment's members: what carries their frames, VXLAN itself, MTU. */
import { type Found, follows, ok, unknown, wrong } from "./check";
import { devicesOf, type End, namesOf, nodeOf } from "./ends";
import { loweredCheck, sizes } from "./link";
import { blindCheck, lostCheck, lostOf } from "./udp";

/** What was found of the link, or of the pair of a mesh, by which an end's frames go. */
export interface Carrier {
  of: string;
  checks: readonly Found[];
}

/** `carriers`: of each end; undefined where none was looked at. */
export function segmentChecks(ends: End[], carriers: readonly (Carrier | undefined)[]): Found[] {
  const lowered = ends.flatMap(loweredCheck);
  const vxlan = vxlanCheck(ends, carriers);
  const narrow = carriers.flatMap((it) =>
    it?.checks.filter(({ code, state }) => state === "wrong" && NARROW.has(code)),
  );
  return [vxlan, ...lowered, ...ends.flatMap((end) => sizes(end, vxlan, lowered[0] ?? narrow[0]))];
}

/** Of a carrier, what makes a segment narrow, too. */
const NARROW = new Set<Found["code"]>(["doctor/lowered", "doctor/narrow"]);

const NAME = "VXLAN";

function vxlanCheck(ends: End[], carriers: readonly (Carrier | undefined)[]): Found {
  const [[, { path, declared }]] = ends as [End];
  if (ends.some(([, { carried }]) => carried)) return ok(NAME, "arrives, both ways");
  const silent = carriers.flatMap((it) => {
    const udp = it?.checks.find(({ name }) => name === "UDP");
    return it && udp && udp.state !== "ok" ? [{ of: it.of, udp }] : [];
  });
  const worst = silent.find(({ udp }) => udp.state === "wrong") ?? silent[0];
  if (worst) {
    const found = follows(worst.udp, NAME, `nobody answers, nor by ${worst.of}, which carries it`);
    return { ...found, code: "doctor/beneath" };
  }
  const lost = ends.filter(([, { path }]) => path.below === "link" && !path.within);
  if (lost.length > 0) {
    const cures = lost.map(
      (end) =>
        `${nodeOf(end)} has no route by a link to ${end[1].path.from}, where ${end[1].path.to} has its end of ${path.of}: ` +
        "`pulumi refresh`, then `pulumi up`, brings back what is declared; where no link is, declare one.",
    );
    return wrong("doctor/beneath", NAME, "no link leads to the other end", cures.join(" "));
  }
  const dropped = lostOf(ends);
  if (dropped) return lostCheck(NAME, dropped);
  const blind = blindCheck(NAME, ends);
  if (blind) return blind;
  if (ends.every(([, { counted }]) => (counted?.in ?? 0) > 0)) {
    const cure = `${namesOf(ends)} hear each other in ${path.of}, but no ping is answered there: look for a firewall of theirs that drops ICMP by ${devicesOf(ends)}.`;
    return unknown("doctor/unanswered", NAME, "arrives, both ways, but no ping inside is answered", cure);
  }
  const cure = `No frames are sent between ${namesOf(ends)} in ${path.of}: \`bridge fdb show dev ${declared.spec.device}\` and \`ip neigh\` on both show whom they know; what is not as declared, \`pulumi refresh\` and \`pulumi up\` bring back.`;
  return unknown("doctor/silent", NAME, "no frame was sent to the other end", cure);
}
