/** What the stacks of these tests run: the network that network.json in the current folder declares. */
import { readFileSync } from "node:fs";
import type { Alias } from "@pulumi/pulumi";
import { OverlayNode, type OverlayNodeArgs, WgLink, type WgLinkArgs } from "../../../components";
import { Provider, type ProviderArgs } from "../../../sdk/provider/resources";

export interface Declared {
  provider: ProviderArgs & { identities?: string[] };
  nodes: Record<string, OverlayNodeArgs & { connection: { host: string } & Record<string, unknown> }>;
  links: Record<string, Omit<WgLinkArgs, "a" | "b"> & { a: string; b: string }>;
  /** What a node or a link was called before, where its `aliases` say so. */
  aliases?: Record<string, string>;
  /** How long a node may take to be created. */
  seconds?: Record<string, number>;
}

export function program(): void {
  const {
    provider: how,
    nodes,
    links,
    aliases = {},
    seconds = {},
  } = JSON.parse(readFileSync("network.json", "utf8")) as Declared;
  const providers = [new Provider("lab", how)];
  const formerly = (name: string): Alias[] => (aliases[name] === undefined ? [] : [{ name: aliases[name] }]);
  const made = new Map<string, OverlayNode>();
  for (const [name, args] of Object.entries(nodes)) {
    const customTimeouts = seconds[name] === undefined ? {} : { create: `${seconds[name]}s` };
    made.set(name, new OverlayNode(name, args, { providers, aliases: formerly(name), customTimeouts }));
  }
  for (const [name, { a, b, ...args }] of Object.entries(links)) {
    const [one, other] = [made.get(a), made.get(b)];
    if (!one || !other) throw new Error(`link ${name} has a node that is not declared`);
    new WgLink(name, { a: one, b: other, ...args }, { providers, aliases: formerly(name) });
  }
}
