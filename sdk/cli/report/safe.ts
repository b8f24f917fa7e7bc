/** Text of others as text: nothing in it that Markdown or HTML take for theirs. */

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

/**
 * What GitHub makes a link of after all Markdown, some of which tell those that they lead to: mentions, issues, addresses,
 * commits. As code it is none.
 */
const LINKED = /(\S*[@#]\w\S*|\S*\bGH-\d+\S*|\S*\b(?:https?:\/\/|ftp:\/\/|mailto:|xmpp:|www\.)\S*|\b[0-9a-f]{7,40}\b)/i;

/** What begins a block at the beginning, and what means something anywhere. CommonMark, section 2.4. */
const escaped = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>|~&]/g, "\\$&").replace(/^(\d*)([-+#.)])(?=[#\s]|$)/, "$1\\$2");

/** Every other part is code. Two of it side by side would be one. */
const written = (parts: readonly string[], rest: (text: string) => string): string =>
  parts.reduce((all, part, index) => {
    const next = index % 2 === 1 ? code(part) : rest(part);
    return `${all}${all.endsWith("`") && next.startsWith("`") ? "\u200b" : ""}${next}`;
  }, "");

const withoutLinks = (text: string): string => written(text.split(LINKED), escaped);

/** A sentence, in one line: what it has in backticks is code, all else is as it is. */
export function sentence(text: string): string {
  const parts = text.trim().replace(/\s+/g, " ").split("`");
  return parts.length % 2 === 0 ? withoutLinks(parts.join("`")) : written(parts, withoutLinks);
}
