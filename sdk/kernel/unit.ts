/** A systemd unit, systemctl(1). */
import type { Kind } from "./fact";

export interface Unit {
  name: string;
  enabled: boolean;
  /** Absent: whether it runs is not looked at, as for what runs once at boot. */
  active?: boolean;
}

const words = (value: Unit): string =>
  `systemctl ${value.enabled ? "enable" : "disable"}${value.active === value.enabled ? " --now" : ""} ${value.name}`;

export const unit: Kind<Unit> = {
  volatile: false,
  key: (value) => value.name,
  lines: (value) => [words(value)],
  queries: ({ name, active }) => [active === undefined ? `enabled ${name}` : `unit ${name}`],
  read(snapshot, key, wanted) {
    const there = snapshot.units[key];
    if (!there) return wanted?.enabled === false ? wanted : undefined;
    return {
      name: key,
      enabled: there.enabled,
      ...(wanted?.active !== undefined && { active: there.active ?? false }),
    };
  },
  set(live, wanted) {
    if (!wanted) return live?.enabled || live?.active ? [`systemctl disable --now ${live.name}`] : [];
    const commands: string[] = [];
    if ((live?.enabled ?? false) !== wanted.enabled) {
      commands.push(`systemctl ${wanted.enabled ? "enable" : "disable"} ${wanted.name}`);
    }
    if (wanted.active !== undefined && (live?.active ?? false) !== wanted.active) {
      commands.push(`systemctl ${wanted.active ? "start" : "stop"} ${wanted.name}`);
    }
    return commands;
  },
};
