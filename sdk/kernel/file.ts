/**
 * A file of ours; of secrets, and of what is too large for state, a fact has the hash alone. A content is compared by hash, and
 * preview shows twelve digits of it.
 */
import { createHash } from "node:crypto";
import { remembered } from "../remembered";
import type { Command, Kind } from "./fact";
import { isPlaceholder } from "./later";

export interface File {
  path: string;
  /** Octal, `0644`. */
  mode: string;
  /** Wanted files. */
  content?: string;
  /** Live files, and wanted ones of a profile or a blob. */
  sha256?: string;
  /** Has neither text nor profile: whoever carries out the change finds what has this hash. */
  blob?: true;
  /** Of credentials, in place of a content: the profile of the AWS tools that has them, where Pulumi runs. */
  profile?: string;
}

// Hosts have the same large files, and each is asked about again and again.
const sha256 = remembered((content) => createHash("sha256").update(content).digest("hex"));

const hash = (value: File): string => value.sha256 ?? sha256(value.content ?? "");

const short = (sha256: string): string => (isPlaceholder(sha256) ? sha256 : sha256.slice(0, 12));

const escaped = (content: string): string => content.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapedOnce = remembered(escaped);

const written = (path: string, text: string, mode: string): Command => `put ${mode} ${path} ${text}`;

/** The command that writes a file, its text in the words of `printf %b`: sdk/host/agents/files.sh. */
export const put = (path: string, content: string, mode = "0644"): Command => written(path, escaped(content), mode);

/** The command that writes bytes of this hash, which follow in base64 when it is sent: sdk/host/agents/files.sh. */
export const decode = (path: string, sha256: string, mode: string): Command => `decode ${mode} ${path} ${sha256}`;

export const file: Kind<File> = {
  volatile: false,
  key: (value) => value.path,
  lines: (value) => [`install -m ${value.mode} sha256:${short(hash(value))} ${value.path}`],
  queries: (value) => [`file ${value.path}`],
  read(snapshot, key) {
    const there = snapshot.files[key];
    return there && { path: key, mode: there.mode.padStart(4, "0"), sha256: there.sha256 };
  },
  set(live, wanted) {
    if (!wanted) return live ? [`remove ${live.path}`] : [];
    if (live && hash(live) === hash(wanted) && live.mode === wanted.mode) return [];
    if (wanted.profile !== undefined) return [`credentials ${wanted.mode} ${wanted.path} ${wanted.profile}`];
    if (wanted.blob) return [decode(wanted.path, hash(wanted), wanted.mode)];
    return [written(wanted.path, escapedOnce(wanted.content ?? ""), wanted.mode)];
  },
};
