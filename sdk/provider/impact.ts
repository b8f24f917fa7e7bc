/** What an update costs, told at preview: what cannot change in place, what goes, and for how long packets are lost. */
import { changes, type Fact, factId, type KindName, kindOf, type ValueOf } from "../kernel";
import { LOSSES } from "../losses";
import { parseSpec } from "./inputs";
import type { ResourceType } from "./registry";
import { isUnknown, type Values } from "./wire";

type Link = ValueOf<"link">;

/** What is lost while a thing of this kind is gone; what costs nothing is not here. */
const COST: Partial<Record<KindName, string>> = {
  link: LOSSES.link.says,
  wgPeer: LOSSES.peer.says,
  address: LOSSES.address.says,
  route: LOSSES.route.says,
};

/** Of devices that need no handshake: their MAC address stays, so nobody has to look for them. */
function costOfDevice({ key, value: { type, bridge } }: Fact<Link>, facts: readonly Fact[]): string | undefined {
  if (type === "bridge") return (bridge?.stp ? LOSSES.stpBridge : LOSSES.bridge).says;
  if (type !== "vxlan") return undefined;
  const isPort = facts.some((fact) => fact.kind === "bridgePort" && fact.key === key);
  const silent = isPort ? `; ${LOSSES.port.says}, and the next member does not wait for that` : "";
  return `${LOSSES.segment.says}, at one member after the other in the order of their names${silent}`;
}

const rekeyed = (device: string): string =>
  `wgDevice ${device} gets another key: ${LOSSES.key.says}. Somebody else's machine has to be told by hand: output wgQuick.`;

/** Devices that have a key before and after, and not the same. */
function otherKeys(before: readonly Fact[], after: readonly Fact[]): string[] {
  const keys = (facts: readonly Fact[]) =>
    new Map(facts.filter(isDevice).map(({ key, value }) => [key, value.privateKeyFile]));
  const known = keys(before);
  return [...keys(after)].flatMap(([device, key]) => (known.has(device) && known.get(device) !== key ? [device] : []));
}

const isDevice = (fact: Fact): fact is Fact<ValueOf<"wgDevice">> => fact.kind === "wgDevice";

/** `facts`: those that the ids are of. */
const sentence = (id: string, what: string, facts: readonly Fact[]): string[] => {
  const [kind = "", ...key] = id.split(" ");
  const device = facts.filter(isLink).find((fact) => factId(fact) === id);
  const cost = (device && costOfDevice(device, facts)) ?? COST[kind as KindName];
  return cost === undefined ? [] : [`${kind} ${key.join(" ")} ${what}: ${cost}.`];
};

const remade = (id: string, facts: readonly Fact[]): string[] =>
  sentence(id, "cannot change in place and is made again", facts);

/** Devices that were seen to be of another kind than the one that is wanted, as where WireGuard left user space. */
function otherKind(known: unknown, wanted: readonly Fact[]): string[] {
  const lines = String(known).split("\n");
  return wanted.filter(isLink).flatMap((link) => {
    const [add = ""] = kindOf(link).lines(link.value);
    const words = add.split(" ");
    const kind = words[words.indexOf("type") + 1];
    const withoutKind = `${words.slice(0, words.indexOf("type") + 1).join(" ")} `;
    const known = lines.find((line) => line.startsWith(withoutKind));
    return known !== undefined && known.slice(withoutKind.length).split(" ")[0] !== kind ? [factId(link)] : [];
  });
}

const isLink = (fact: Fact): fact is Fact<Link> => fact.kind === "link";

const factsOf = (type: ResourceType, { spec }: Values): Fact[] => type.technology.plan(parseSpec(type, spec));

/** Ids of what an update makes again. Which flavour of WireGuard it is changes commands, and not that. */
const madeAgain = (before: readonly Fact[], after: readonly Fact[], known: unknown): string[] => [
  ...new Set([...changes(before, after, { wireguard: "kernel" }).again, ...otherKind(known, after)]),
];

const aboutDevices = (text: unknown): string =>
  String(text)
    .split("\n")
    .filter((line) => line.startsWith("ip link "))
    .join("\n");

/** Whether an update makes a device again. Most do not, and their facts need not be looked at: a member has many. */
export const remakesDevice = (type: ResourceType, oldInputs: Values, known: unknown, news: Values): boolean =>
  aboutDevices(known) !== aboutDevices(news.config) &&
  madeAgain(factsOf(type, oldInputs), factsOf(type, news), known).some((id) => id.startsWith("link "));

/** Sentences about an update of a resource; none for what nobody notices. `known`: the text last known of the kernel. */
export function impact(type: ResourceType, oldInputs: Values, known: unknown, news: Values): string[] {
  if (isUnknown(news.spec)) return [];
  const [before, after] = [factsOf(type, oldInputs), factsOf(type, news)];
  const again = madeAgain(before, after, known);
  const ids = new Set(after.map(factId));
  const others = otherKeys(before, after);
  // A peer that goes as another key comes is the same peer, which has another key, too.
  const gone = before.filter(
    (fact) => !ids.has(factId(fact)) && !(fact.kind === "wgPeer" && others.includes(fact.key.split(" ")[0] ?? "")),
  );
  const all = new Set([...again, ...gone.map(factId)]);
  // What stands on something that goes has nothing of its own to tell.
  const onTheirOwn = (id: string) => !before.some((fact) => factId(fact) === id && all.has(fact.after ?? ""));
  return [
    ...others.map(rekeyed),
    ...again.filter(onTheirOwn).flatMap((id) => remade(id, after)),
    ...gone
      .map(factId)
      .filter(onTheirOwn)
      .flatMap((id) => sentence(id, "is removed", before)),
  ];
}

/** Sentences about devices that a host turns out to have to make again, besides those that were foretold. */
export function unforeseen(
  again: readonly string[],
  wanted: readonly Fact[],
  foretold: () => readonly string[],
): string[] {
  const told = again.filter((id) => id.startsWith("link ")).flatMap((id) => remade(id, wanted));
  const known = told.length > 0 ? foretold() : [];
  return told.filter((sentence) => !known.includes(sentence));
}
