/** What the loop guard of a host has counted (sdk/node/guard.ts): encrypted packets that were about to leave by a tunnel. */
import type { Snapshot } from "./snapshot";

interface Listed {
  counter?: { name: string; packets: number };
  rule?: { chain: string; expr: { counter?: { packets?: number } }[] };
}

const TABLE = "inet overlay";
const LINK = "link-";

/** Packets of a link; without a device, those from ports that are no link's. */
export interface Nested {
  device?: string;
  packets: number;
}

/** Of each link, and then of the rest. Nothing, where there is no guard. */
export function nested({ nft }: Snapshot): Nested[] {
  const listed = (nft[TABLE] ?? []) as Listed[];
  const links = listed.flatMap(({ counter }) =>
    counter?.name.startsWith(LINK) ? [{ device: counter.name.slice(LINK.length), packets: counter.packets }] : [],
  );
  const rules = listed.flatMap(({ rule }) => (rule?.chain === "nested" ? [rule] : []));
  if (rules.length === 0) return links;
  const packets = rules
    .flatMap(({ expr }) => expr.map(({ counter }) => counter?.packets ?? 0))
    .reduce((a, b) => a + b, 0);
  return [...links, { packets }];
}

/** What it means and what to do, in a sentence or two; nothing where there were none. */
export function nestedAlarm(node: string, { device, packets }: Nested): string[] {
  if (packets === 0) return [];
  const [whose, endpoints, again] =
    device === undefined
      ? [
          "nobody's link",
          "wg show all endpoints",
          `\`nft reset rules chain ${TABLE} nested\` (nft 1.0.7), or a reboot,`,
        ]
      : [device, `wg show ${device} endpoints`, `\`nft reset counter ${TABLE} ${LINK}${device}\``];
  return [
    `${packets} encrypted packets of ${whose} were about to be sent into a tunnel by ${node}, and were dropped there: the way ` +
      `to an endpoint leads by a tunnel. \`ip route get ENDPOINT mark 0x6f\` there says by which; see \`${endpoints}\`, give the ` +
      `endpoint another way, or name that tunnel in \`underlay.devices\` of ${node} where it does not run over this network ` +
      `itself; ${again} there counts anew.`,
  ];
}

const alarms = (node: string, snapshot: Snapshot, device?: string): string[] =>
  nested(snapshot)
    .filter((it) => it.device === device)
    .flatMap((it) => nestedAlarm(node, it));

/** Those of one link, by its counter. */
export const nestedOf = (node: string, device: string, snapshot: Snapshot): string[] => alarms(node, snapshot, device);

/** Those from ports that are no link's. */
export const nestedElse = (node: string, snapshot: Snapshot): string[] => alarms(node, snapshot);
