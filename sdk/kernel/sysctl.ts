/** A kernel setting, sysctl(8). The host keeps the value that it found before the first change. */
import type { Kind } from "./fact";

export interface Sysctl {
  /** With slashes, because device names may have dots: `net/ipv4/conf/eth0.100/rp_filter`. */
  name: string;
  value: string;
}

/** Several numbers are shown with tabs between them. */
const oneSpace = (value: string): string => value.trim().replace(/\s+/g, " ");

export const sysctl: Kind<Sysctl> = {
  volatile: true,
  key: (value) => value.name,
  lines: (value) => [`sysctl -w ${value.name}=${value.value}`],
  queries: (value) => [`sysctl ${value.name}`],
  read(snapshot, key) {
    const value = snapshot.sysctls[key];
    return value === undefined ? undefined : { name: key, value: oneSpace(value) };
  },
  set(live, wanted) {
    if (!wanted) return live ? [`restore sysctl ${live.name}`] : [];
    return live?.value === wanted.value ? [] : sysctl.lines(wanted);
  },
};
