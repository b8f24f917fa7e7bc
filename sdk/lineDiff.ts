/** `- LINE` for what is in one text alone, `+ LINE` for what is in the other. */
export function lineDiff(from: string, to: string): string[] {
  const [before, after] = [from.split("\n"), to.split("\n")];
  const [had, has] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
}
