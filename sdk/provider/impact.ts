/** What an update costs, told at preview: what cannot change in place, what goes, and for how long packets are lost. */
import { changes, factId, type KindName } from "../kernel";
import { parseSpec } from "./inputs";
import type { ResourceType } from "./registry";
import { isUnknown, type Values } from "./wire";

/** What is lost while a thing of this kind is gone; what costs nothing is not here. Measured with 500 pings a second. */
const COST: Partial<Record<KindName, string>> = {
  link: "no packet passes by it until its next handshake, about a second",
  wgPeer: "no packet reaches it until the next handshake, about one round trip",
  address: "packets from and to it are lost for some milliseconds",
  route: "packets to it are lost for some milliseconds",
};

const sentence = (id: string, what: string): string[] => {
  const [kind = "", ...key] = id.split(" ");
  const cost = COST[kind as KindName];
  return cost === undefined ? [] : [`${kind} ${key.join(" ")} ${what}: ${cost}.`];
};

/** Sentences about an update of a resource; none for what nobody notices. */
export function impact(type: ResourceType, oldInputs: Values, news: Values): string[] {
  if (isUnknown(news.spec)) return [];
  const before = type.technology.plan(parseSpec(type, oldInputs.spec));
  const after = type.technology.plan(parseSpec(type, news.spec));
  // Which flavour of WireGuard it is changes commands, and not what is made again.
  const { again } = changes(before, after, { wireguard: "kernel" });
  const ids = new Set(after.map(factId));
  const gone = before.filter((fact) => !ids.has(factId(fact)));
  const all = new Set([...again, ...gone.map(factId)]);
  // What stands on something that goes has nothing of its own to tell.
  const onTheirOwn = (id: string) => !before.some((fact) => factId(fact) === id && all.has(fact.after ?? ""));
  return [
    ...again.filter(onTheirOwn).flatMap((id) => sentence(id, "cannot change in place and is made again")),
    ...gone
      .map(factId)
      .filter(onTheirOwn)
      .flatMap((id) => sentence(id, "is removed")),
  ];
}
