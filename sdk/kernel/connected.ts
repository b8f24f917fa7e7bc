/** What a host reaches without us: prefixes that devices of others are connected to, `ip route show proto kernel`. */
import { host, overlaps } from "../network/address";
import { link } from "./link";
import { isOurs } from "./marks";
import type { Snapshot } from "./snapshot";

export interface Connected {
  dst: string;
  device: string;
}

/** The first that has an address in common with a prefix. `adopted`: devices that are to become ours. */
export function connected(snapshot: Snapshot, prefix: string, adopted: readonly string[]): Connected | undefined {
  const foreign = (device: string) => {
    const there = link.read(snapshot, device);
    return there !== undefined && !isOurs(there) && !adopted.includes(device);
  };
  const { routes4, routes6 } = snapshot;
  return [...routes4, ...routes6]
    .filter(({ protocol, type, table }) => protocol === "kernel" && type === "unicast" && table === "main")
    .flatMap(({ dst, dev }) => (dev !== undefined && foreign(dev) ? [{ dst, device: dev }] : []))
    .find(({ dst }) => overlaps(prefix, dst.includes("/") ? dst : host(dst)));
}
