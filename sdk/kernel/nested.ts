/** What the loop guard of a host has counted (sdk/node/guard.ts): encrypted packets that were about to leave by a tunnel. */
import type { Snapshot } from "./snapshot";

interface Listed {
  counter?: { name: string; packets: number };
  rule?: { chain: string; expr: { counter?: { packets?: number } }[] };
}

const TABLE = "inet overlay";
const listed = ({ nft }: Snapshot): Listed[] => (nft[TABLE] ?? []) as Listed[];

const alarm = (node: string, packets: number, whose: string, cure: string, again: string): string =>
  `${packets} encrypted packets of ${whose} were about to be sent into a tunnel by ${node}, and were dropped there: the way ` +
  `to an endpoint leads by a tunnel. ${cure}, give the endpoint another way, or name that tunnel in \`underlay.devices\` of ` +
  `${node} where it does not run over this network itself; ${again} there counts anew.`;

/** Those of one link, by its counter. */
export function nestedOf(node: string, device: string, snapshot: Snapshot): string[] {
  const name = `link-${device}`;
  const packets = listed(snapshot).find(({ counter }) => counter?.name === name)?.counter?.packets ?? 0;
  const cure = `\`ip route get ENDPOINT mark 0x6f\` there says by which; see \`wg show ${device} endpoints\``;
  return packets > 0 ? [alarm(node, packets, device, cure, `\`nft reset counter ${TABLE} ${name}\``)] : [];
}

/** Those from ports that are no link's. */
export function nestedElse(node: string, snapshot: Snapshot): string[] {
  const rules = listed(snapshot).flatMap(({ rule }) => (rule?.chain === "nested" ? [rule] : []));
  const packets = rules
    .flatMap(({ expr }) => expr.map(({ counter }) => counter?.packets ?? 0))
    .reduce((a, b) => a + b, 0);
  const cure = "`ip route get ENDPOINT mark 0x6f` there says by which; see `wg show all endpoints`";
  return packets > 0
    ? [
        alarm(
          node,
          packets,
          "nobody's link",
          cure,
          `\`nft reset rules chain ${TABLE} nested\` (nft 1.0.7), or a reboot,`,
        ),
      ]
    : [];
}
