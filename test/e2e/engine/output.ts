/** What the Pulumi CLI prints, read back. */

/** What is said about each resource after `Diagnostics:`, by `TYPE (NAME)`. */
export function diagnostics(text: string): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  let about: string[] = [];
  const section =
    text.slice(text.lastIndexOf("\nDiagnostics:\n") + 1).split(/\n(?:Outputs|Resources|Policies):\n/)[0] ?? "";
  for (const line of section.split("\n").slice(1)) {
    const [, resource] = /^ {2}(\S+ \(.+\)):$/.exec(line) ?? [];
    if (resource) about = all[resource] = [];
    else if (line.trim() !== "") about.push(line.trim());
  }
  return all;
}

/** What a preview says of each device, the hosts' own part left out: that is the same in every program. */
export const devices = (text: string): string =>
  Object.entries(diagnostics(text))
    .filter(([about]) => /^overlay:(wireguard|vxlan):/.test(about))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([about, lines]) => `${[about, ...lines].join("\n")}\n`)
    .join("\n");

/** What the last section `Resources:` counts: `+ 13 created`. */
export const counted = (text: string): string[] =>
  (text.split("\nResources:\n").at(-1) ?? "")
    .split("\n\n")[0]
    ?.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "") ?? [];

/** The kernel's lines that a diff takes away and adds: `- ip …`, `+ ip …`. */
export const changed = (text: string): string[] =>
  text.split("\n").flatMap((line) => {
    const [, sign, words] = /^\s+([-+]) ((?:ip|wg|nft|sysctl|systemctl) .*)$/.exec(line) ?? [];
    return words === undefined ? [] : [`${sign} ${words}`];
  });
