/** What a device of a snapshot has, by key: made once, because a segment may ask for ten thousand. */
import type { Snapshot } from "./snapshot";

export function indexed<T>(
  all: (snapshot: Snapshot, device: string) => T[],
  key: (value: T) => string,
): (snapshot: Snapshot, device: string) => ReadonlyMap<string, T> {
  const known = new WeakMap<Snapshot, Map<string, Map<string, T>>>();
  return (snapshot, device) => {
    const devices = known.get(snapshot) ?? new Map<string, Map<string, T>>();
    known.set(snapshot, devices);
    const made = devices.get(device) ?? new Map(all(snapshot, device).map((one) => [key(one), one]));
    devices.set(device, made);
    return made;
  };
}
