/** Every kind of thing that a host can be told. */
import { address } from "./address";
import { backup } from "./backup";
import { bridgePort } from "./bridgePort";
import type { Fact, Kind } from "./fact";
import { fdb } from "./fdb";
import { file } from "./file";
import { firewalldRule } from "./firewalldRule";
import { keptPsk } from "./keptPsk";
import { link } from "./link";
import { neighbour } from "./neighbour";
import { nftElement } from "./nftElement";
import { nftRule } from "./nftRule";
import { nftTable } from "./nftTable";
import { pkg } from "./package";
import { rosenpassKey } from "./rosenpassKey";
import { route } from "./route";
import { rule } from "./rule";
import { sysctl } from "./sysctl";
import { ufwRule } from "./ufwRule";
import { unit } from "./unit";
import { wgDevice } from "./wgDevice";
import { wgKey } from "./wgKey";
import { wgPeer } from "./wgPeer";
import { wgPsk } from "./wgPsk";

export const kinds = {
  package: pkg,
  file,
  wgKey,
  rosenpassKey,
  keptPsk,
  unit,
  sysctl,
  nftTable,
  rule,
  route,
  ufwRule,
  firewalldRule,
  nftRule,
  link,
  bridgePort,
  wgDevice,
  wgPeer,
  wgPsk,
  address,
  neighbour,
  fdb,
  nftElement,
  backup,
};

export type KindName = keyof typeof kinds;
export type ValueOf<K extends KindName> = (typeof kinds)[K] extends Kind<infer T> ? T : never;

/** A fact, its key read from its value. `after` is the id of what it stands on, of which it vanishes with. */
export function fact<K extends KindName>(kind: K, value: ValueOf<K>, after?: string): Fact<ValueOf<K>> {
  const key = (kinds[kind] as unknown as Kind<ValueOf<K>>).key(value);
  return after === undefined ? { kind, key, value } : { kind, key, value, after };
}

/** Throws an Error for a fact of no known kind. */
export function kindOf(fact: Pick<Fact, "kind">): Kind<unknown> {
  const kind = kinds[fact.kind as KindName] as Kind<unknown> | undefined;
  if (!kind) throw new Error(`There is no kind ${fact.kind}`);
  return kind;
}
