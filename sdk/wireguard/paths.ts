/** Which ways inside of a WireGuard device are to be proven. */
import { factId } from "../kernel/fact";
import { kindOf } from "../kernel/kinds";
import { isPlaceholder } from "../kernel/later";
import type { Path } from "../kernel/technology";
import { carriesIpv6, leastMtu } from "../network/mtu";
import { named } from "./end";
import { plan } from "./plan";
import type { Peer, Spec } from "./spec";

/** A machine of somebody else that nobody calls moves about, and answers where it is when it likes. */
const stays = ({ foreign, endpoint }: Peer): boolean => !foreign || endpoint !== undefined;

/** A link carries everything; a mesh has the peers' own addresses alone. */
function inside(spec: Spec, { id, addresses }: Peer): string | undefined {
  if (spec.peer && carriesIpv6(spec)) return `fe80::${id.toString(16)}`;
  return [addresses].flat().find((it) => !isPlaceholder(it));
}

export function paths(spec: Spec): Path[] {
  const { device, link, mtu, family: only, listenPort, peer, peers = [] } = spec;
  const facts = new Map(plan(spec).map((fact) => [factId(fact), fact]));
  const linesOf = (id: string): string[] => {
    const fact = facts.get(id);
    return fact ? kindOf(fact).lines(fact.value) : [];
  };
  const own = [...linesOf(`link ${device}`), ...linesOf(`wgDevice ${device}`)];
  return [...(peer ? [peer] : []), ...peers].filter(stays).flatMap((other): Path[] => {
    const address = inside(spec, other);
    if (address === undefined) return [];
    const lines = [...own, ...linesOf(`wgPeer ${device} ${other.publicKey}`)];
    const far = { to: other.name, ...(!other.foreign && { other: named(link, other.name) }) };
    return [
      {
        ...{ device, of: link, ...far, address, mtu, ...(only && { least: leastMtu(only) }) },
        ...{ layer: "WireGuard", below: "underlay", port: listenPort, from: other.publicKey, lines },
      },
    ];
  });
}
