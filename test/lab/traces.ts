/** What a machine has of a lab, for tests: nothing, once it is down. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run";

const entries = (folder: string): string[] =>
  (existsSync(folder) ? readdirSync(folder) : []).map((one) => join(folder, one));

/** Everything that this machine has of a lab. */
export async function traces(name: string): Promise<string[]> {
  const folders = [
    ...["/run/overlay-lab", "/var/tmp/overlay-lab"].flatMap(entries).filter((path) => path.endsWith(`/${name}`)),
    ...["locks", "propagate", "unix-export"].flatMap((one) => entries(`/run/systemd/nspawn/${one}`)),
  ].filter((path) => path.endsWith(`/${name}`) || path.includes(`ol-${name}-`));
  const lines = (text: string): string[] =>
    text.split("\n").filter((line) => line.includes(`ol-${name}-`) || line.includes(`/overlay-lab/${name}/`));
  const groups = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"].map((root) =>
    join(root, "overlay-lab", name),
  );
  const processes = (await run(["ps", "-eo", "pid,args"])).stdout;
  return [
    ...folders,
    ...groups.filter((path) => existsSync(path)),
    ...lines((await run(["ip", "netns", "list"])).stdout),
    ...lines(readFileSync("/proc/self/mounts", "utf8")),
    ...lines((await run(["losetup", "-a"])).stdout),
    ...lines(processes),
  ];
}
