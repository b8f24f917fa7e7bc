/** A named counter and the element of a map that leads to it, nft(8): one count a link. */
import type { Kind } from "./fact";

export interface NftElement {
  /** Family and name, `inet overlay`. */
  table: string;
  map: string;
  key: string;
  counter: string;
}

/** The parts of `nft -j list table` that are read here; libnftables-json(5). */
interface MapJson {
  map?: { name: string; elem?: [unknown, unknown][] };
}

const element = (value: NftElement): string => `element ${value.table} ${value.map} { ${value.key}`;

export const nftElement: Kind<NftElement> = {
  volatile: true,
  // By counter, not by the map's key: a changed key leaves the counter and its count as they are.
  key: (value) => `${value.table} ${value.map} ${value.counter}`,
  lines: (value) => [
    `nft add counter ${value.table} ${value.counter}`,
    `nft add ${element(value)} : "${value.counter}" }`,
  ],
  queries: (value) => [`table ${value.table}`],
  read(snapshot, id, wanted) {
    const [family, name, map = "", counter = ""] = id.split(" ");
    const table = `${family} ${name}`;
    const objects = (snapshot.nft[table] ?? []) as MapJson[];
    const elements = objects.find((object) => object.map?.name === map)?.map?.elem ?? [];
    const keys = elements.filter(([, data]) => data === counter).map(([key]) => String(key));
    const key = keys.find((key) => key === wanted?.key) ?? keys[0];
    return key === undefined ? undefined : { table, map, key, counter };
  },
  set(live, wanted) {
    if (!wanted)
      return live ? [`nft delete ${element(live)} }`, `nft delete counter ${live.table} ${live.counter}`] : [];
    if (!live) return nftElement.lines(wanted);
    return live.key === wanted.key
      ? []
      : [`nft delete ${element(live)} }`, `nft add ${element(wanted)} : "${wanted.counter}" }`];
  },
};
