/** Text of others made safe to show: no secret, nothing that a terminal obeys, nothing that Markdown or HTML take for theirs. */
import { stripVTControlCharacters } from "node:util";

const HIDDEN = "<not shown>";

/** C0 and C1 but tab and newline, and what turns the direction of text: UAX #9. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export const plain = (text: string): string =>
  stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replace(CONTROL, "");

const PEM = /-----BEGIN [^-]*PRIVATE KEY-----[\s\S]*?(?:-----END [^-]*-----|$)/g;
const NAMED =
  /((?:token|passw(?:or)?d|passphrase|secret|credentials?|psk|preshared[-_ ]?key|private[-_ ]?key|api[-_]?key|access[-_]?key)["']?\s*[=:]\s*["']?)(?![/<])[^\s"',;]+/gi;
/** In the lines of wg(8) these are followed by the path of a file; a key in its place is none of ours. */
const IN_LINE = /\b((?:private-key|preshared-key) )(?!\/)\S+/g;
/** What stands before the host in a URL, RFC 3986, section 3.2.1. */
const USER_INFO = /(:\/\/)[^\s/]*(?:@|%40)/g;
/** Tokens of GitHub, Pulumi and AWS by their prefixes. */
const TOKENS = /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|pul-[0-9a-f]{32,}|A(?:KIA|SIA)[0-9A-Z]{16})\b/g;
/** 32 bytes in base64: whether a key is the private one nothing tells. */
const KEY = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/g;

/** A line of a host's text: public keys are a part of it. */
export const shownLine = (line: string): string => plain(line).replace(IN_LINE, `$1${HIDDEN}`);

/** Values of variables that are named as secrets are: a CI keeps them out of its log, and not out of a comment. */
export function secretsOf(environment: Record<string, string | undefined>): string[] {
  const isNamed = (name: string) => /TOKEN|SECRET|PASS|CREDENTIAL|KEY/i.test(name);
  return Object.entries(environment)
    .flatMap(([name, value = ""]) => (isNamed(name) && value.length >= 8 ? [value] : []))
    .sort((a, b) => b.length - a.length);
}

/** What Pulumi or a program said. `secrets`: what must not be in it. */
export function shownMessage(message: string, secrets: readonly string[]): string {
  const known = secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), plain(message));
  return known
    .replace(PEM, HIDDEN)
    .replace(USER_INFO, `$1${HIDDEN}@`)
    .replace(TOKENS, HIDDEN)
    .replace(NAMED, `$1${HIDDEN}`)
    .replace(KEY, HIDDEN);
}

export const html = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));

/** A code span: in it no character means anything, and nobody is mentioned. CommonMark, section 6.1. */
export function code(text: string): string {
  const line = text.replace(/\s+/g, " ");
  const fence = "`".repeat(longestRun(line) + 1);
  const space = /^`|`$|^ .* $/.test(line) ? " " : "";
  return line.trim() === "" ? "` `" : `${fence}${space}${line}${space}${fence}`;
}

/** A code block that nothing in it ends. */
export function block(language: string, text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

/** GitHub makes links of these after all Markdown: mentions, issues. What follows them is kept apart by nothing visible. */
const apart = (text: string): string => text.replace(/(^|[^\w])([@#])(?=\w)/g, "$1$2\u200b");

/** What begins a block at the beginning, and what means something anywhere. CommonMark, section 2.4. */
const escaped = (text: string): string =>
  apart(text)
    .replace(/[\\`*_{}[\]<>|~&]/g, "\\$&")
    .replace(/^(\d*)([-+#.)])(?=[#\s]|$)/, "$1\\$2");

/** A sentence, in one line: what it has in backticks is code, all else is as it is. */
export function sentence(text: string): string {
  const parts = text.trim().replace(/\s+/g, " ").split("`");
  if (parts.length % 2 === 0) return escaped(parts.join("`"));
  return parts.map((part, index) => (index % 2 === 1 ? code(part) : escaped(part))).join("");
}
