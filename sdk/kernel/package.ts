/** A package of the distribution, known by the command that it brings. Never removed: others may use it by now. */
import type { Kind } from "./fact";

export interface Package {
  /** Debian's name. */
  name: string;
  command: string;
  mode: "expect" | "install";
  /** Package and command that are needed besides where the kernel has no WireGuard. */
  userspace?: string;
}

export const pkg: Kind<Package> = {
  volatile: false,
  key: (value) => value.name,
  lines: (value) => [value.mode === "install" ? `apt-get install ${value.name}` : `command -v ${value.command}`],
  queries: (value) => [value.command, value.userspace].flatMap((name) => (name ? [`command ${name}`] : [])),
  read(snapshot, key, wanted) {
    if (wanted?.name !== key || !snapshot.commands[wanted.command]) return undefined;
    const complete = !wanted.userspace || snapshot.host.wireguard === "kernel" || snapshot.commands[wanted.userspace];
    return complete ? wanted : undefined;
  },
  set(live, wanted, host) {
    if (live || wanted?.mode !== "install") return [];
    const userspace = host.wireguard === "userspace" && wanted.userspace ? ` ${wanted.userspace}` : "";
    return [`apt-get install ${wanted.name}${userspace}`];
  },
};
