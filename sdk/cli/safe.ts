/** Text of others made safe to show: no secret, and nothing that a terminal obeys. */
import { stripVTControlCharacters } from "node:util";
import { TURNS } from "./direction";

const HIDDEN = "<not shown>";

/** C0 and C1 but tab and newline, and what turns the direction of text. */
const CONTROL = new RegExp(String.raw`(?![\t\n])[\p{Cc}${TURNS}]`, "gu");

export const printable = (text: string): string =>
  stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replace(CONTROL, "");

/** The first characters of it; of one that has two code units not the first alone. */
export const start = (text: string, length: number): string => text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
/** The last of them. */
export const end = (text: string, length: number): string => text.slice(-length).replace(/^[\udc00-\udfff]/, "");

const PEM = /-----BEGIN [^-]*PRIVATE KEY-----[\s\S]*?(?:-----END [^-]*-----|$)/g;
const SECRET =
  "(?:token|passw(?:or)?d|passphrase|secret|credentials?|psk|preshared[-_ ]?key|private[-_ ]?key|api[-_]?key|access[-_]?key)";
/** A whole text in quotes, which JSON in JSON has escaped; or a word. */
const VALUE = String.raw`(?:\\+"[\s\S]*?\\+"|"(?:[^"\\]|\\.)*"|'[^'\n]*'|[^\s"',;]+)`;
/** A name, what stands between it and its value, and that. A passphrase may have spaces; names are no longer than that. */
const [IN_NAME, PASS] = [String.raw`[\w.-]{0,64}`, "(?:passw(?:or)?d|passphrase)"];
const NAMED = new RegExp(
  [
    String.raw`(${IN_NAME}${PASS}${IN_NAME})(: *)([^\s"'\\,;][^\n"',;]*)`,
    String.raw`(${IN_NAME}${SECRET}${IN_NAME})((?:\\*["'])?\s*(?:=>?|:=?)\s*)(${VALUE})`,
    String.raw`(?!--secret\s)(--${IN_NAME}${SECRET}${IN_NAME})(\s+)(${VALUE})`,
  ].join("|"),
  "gi",
);
/** Where a secret is, and not what. */
const isPlace = (name: string, value: string): boolean =>
  /(?:file|path)$/i.test(name) && /^\\*["']?[~.]*\//.test(value);
const AUTHORIZATION = /\b(authorization\\*["']?\s*[:=]\s*\\*["']?)(?:[a-z]+ +)?[^\s"',;\\]+/gi;
const BEARER = /\b(bearer +)[\w.~+/=-]{16,}/gi;
/** RFC 7519: a header, which is JSON and so begins with these, and more behind a dot. */
const JWT = /\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g;
/** In the lines of wg(8) these are followed by the path of a file; a key in its place is none of ours. */
const IN_LINE = /\b((?:private-key|preshared-key) )(?!\/)\S+/g;
/** Tokens of GitHub, GitLab, npm, Slack, Pulumi and AWS by their prefixes. */
const TOKENS =
  /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|npm_\w{30,}|xox[abprs]-[\w-]{10,}|pul-[0-9a-f]{32,}|A(?:KIA|SIA)[0-9A-Z]{16})\b/g;
/** 32 bytes in base64: whether a key is the private one nothing tells. */
const KEY = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/g;

/** A line of a host's text: public keys are a part of it. */
export const shownLine = (line: string): string => printable(line).replace(IN_LINE, `$1${HIDDEN}`);

/** Values of variables that are named as secrets are: a CI keeps them out of its log, and not out of a comment. */
export function secretsOf(environment: Record<string, string | undefined>): string[] {
  const isNamed = (name: string) => /TOKEN|SECRET|PASS|CREDENTIAL|KEY/i.test(name);
  return Object.entries(environment)
    .flatMap(([name, value = ""]) =>
      isNamed(name) && value.length >= 8 ? [value, JSON.stringify(value).slice(1, -1)] : [],
    )
    .sort((a, b) => b.length - a.length);
}

/** In each word, from the first :// to the last @: of a URL what stands before the host, RFC 3986, section 3.2.1. */
const withoutUserInfo = (text: string): string =>
  text.replace(/\S+/g, (word) => {
    const begin = word.indexOf("://");
    const [at, encoded] = [word.lastIndexOf("@"), word.lastIndexOf("%40")];
    if (begin < 0 || Math.max(at, encoded) < begin) return word;
    return `${word.slice(0, begin)}://${HIDDEN}@${word.slice(at > encoded ? at + 1 : encoded + 3)}`;
  });

function withoutNamed(text: string): string {
  return text.replace(NAMED, (whole: string, ...groups: (string | undefined)[]) => {
    const [name = "", between = "", value = ""] = groups.slice(0, 9).filter((it) => it !== undefined);
    return isPlace(name, value) || value.startsWith(HIDDEN) ? whole : `${name}${between}${HIDDEN}`;
  });
}

/** What Pulumi or a program said. `secrets`: what must not be in it. */
export function shownMessage(message: string, secrets: readonly string[]): string {
  const known = secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), printable(message));
  const shown = withoutUserInfo(known.replace(PEM, HIDDEN))
    .replace(JWT, HIDDEN)
    .replace(TOKENS, HIDDEN)
    .replace(AUTHORIZATION, `$1${HIDDEN}`)
    .replace(BEARER, `$1${HIDDEN}`);
  return withoutNamed(shown).replace(KEY, HIDDEN);
}

/** Characters of what Pulumi said on standard error that are shown. */
const SAID = 4000;

/** The last of what Pulumi said on standard error. */
export const saidOf = (stderr: string, secrets: readonly string[]): string =>
  end(shownMessage(stderr, secrets).trim(), SAID) || "it said nothing";
