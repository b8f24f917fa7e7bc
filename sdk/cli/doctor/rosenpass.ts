/** What is found of the exchange of post-quantum keys for a pair. */
import type { Exchange } from "../../kernel";
import { agreed, HEALTHY, health } from "../../rosenpass";
import { type Found, ok, unknown, wrong } from "./check";
import type { End } from "./ends";
import type { Examined } from "./examine";

const unit = (name: string): string => `overlay-rosenpass@${name}.service`;

/** `arrives`: whether UDP of the link itself does. */
export function postQuantum(ends: End[], all: readonly Examined[], arrives: boolean): Found[] {
  const found = ends.flatMap(([it, { path }]) => {
    const daemon = it.concerned.find(
      ({ token, spec }) =>
        token === "overlay:rosenpass:Daemon" && spec.device === path.device && spec.peer.name === path.to,
    );
    return daemon ? [{ it, daemon, to: path.to }] : [];
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
    const whose = stopped.map(({ daemon }) => `the daemon of ${daemon.spec.node}`).join(" and ");
    return [wrong("doctor/rosenpass", "Rosenpass", `${whose} does not run`, cures.join(" "))];
  }
  const exchanges: Record<string, Exchange | undefined> = Object.fromEntries(
    found.map(({ it, daemon }) => [daemon.spec.node, it.look.seen?.exchanges[name]]),
  );
  const unseen = all.some(({ look, wanted }) => !look.seen && wanted.node.name === first.to);
  const says = health(exchanges);
  if (says === HEALTHY) return [ok("Rosenpass", unseen ? `${HEALTHY}, at the end that was seen` : HEALTHY)];
  // A key of each end that is old, or none, says so: what is left is the session.
  if (agreed(exchanges) && Object.values(exchanges).some((it) => it?.protected === false) && !says.includes("older")) {
    const cure = `Of ${name}, ${says}: within two minutes WireGuard makes the next one, which has the key; look again then.`;
    return [unknown("doctor/rosenpass", "Rosenpass", says, cure)];
  }
  const way = first.daemon.technology.keying?.(first.daemon.spec).way;
  const cure = `No post-quantum keys are exchanged for ${name}: ${says}. ${way} does not arrive, or no answer comes back: let it in where it goes, in the security group of a cloud, on a router, in a firewall of the machine's own.`;
  return [wrong("doctor/rosenpass", "Rosenpass", says, arrives ? cure : undefined)];
}
