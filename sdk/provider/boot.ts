/** The file that a host replays at boot, one a resource; its first line says whose it is. */
import { createHash } from "node:crypto";
import type { Snapshot } from "../kernel";

export type BootFile = { file: string; content: string };

export const bootPath = (file: string): string => `/etc/overlay/boot.d/${file}`;

/** What a snapshot must be asked for. */
export const bootQuery = (file: string): string => `file ${bootPath(file)}`;

/** Why the file is not as it should be, as a line of the text; nothing when it is. */
export function bootDrift(snapshot: Snapshot, { file, content }: BootFile): string[] {
  const there = snapshot.files[bootPath(file)];
  if (!there) return [`# ${bootPath(file)} is missing: a reboot loses all this`];
  const sha256 = createHash("sha256").update(content).digest("hex");
  return there.sha256 === sha256 ? [] : [`# ${bootPath(file)} differs: a reboot brings back something else`];
}

/** A boot file is a resource's own until another one has written it, as after a rename without an alias. */
export const isOwn = (snapshot: Snapshot, file: string, resource: string): boolean =>
  [undefined, resource].includes(snapshot.boot[file]);
