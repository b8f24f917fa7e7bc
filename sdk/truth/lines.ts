/** What a stack says, as lines for people: a preview, and what differs from what is in the document. */
import { line } from "./document";
import { ascending, type Declared } from "./schema";

const named = (word: string, values: Record<string, unknown>): string[] =>
  Object.keys(values)
    .sort(ascending)
    .map((name) => `${word} ${name} ${line(values[name])}`);

/** A line each, none of which is JSON by itself: Pulumi would show the difference of objects. */
export const lines = ({ prefixes, nodes, links }: Declared): string[] => [
  ...prefixes.map((prefix) => `prefix ${prefix}`),
  ...named("node", nodes),
  ...named("link", links),
];

/** The same without what was agreed with another stack and nobody asked for. */
export const asDeclared = (said: Declared, wanted: Declared | undefined): Declared => ({
  ...said,
  links: Object.fromEntries(
    Object.entries(said.links).map(([name, { chooser, ...link }]) => [
      name,
      { ...link, ...(chooser !== undefined && wanted?.links[name]?.chooser !== undefined && { chooser }) },
    ]),
  ),
});
