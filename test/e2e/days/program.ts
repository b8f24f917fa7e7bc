/** What the stacks of these tests run: the network that network.json in the current folder declares. */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, type OverlayNodeArgs, WgLink, type WgLinkArgs } from "../../../components";
import { Provider, type ProviderArgs } from "../../../sdk/provider/resources";

/** The part of Pulumi's `customTimeouts` and other options that a test wants. */
export interface Declared {
  provider: ProviderArgs & { identities?: string[] };
  nodes: Record<string, OverlayNodeArgs & { connection: { host: string } & Record<string, unknown> }>;
  links: Record<string, Omit<WgLinkArgs, "a" | "b"> & { a: string; b: string }>;
  /** Nodes that stand on a server of the user's, and go with it. */
  servers?: string[];
}

export function program(): void {
  const { provider: how, nodes, links, servers = [] } = JSON.parse(readFileSync("network.json", "utf8")) as Declared;
  const provider = new Provider("lab", how);
  const made = new Map<string, OverlayNode>();
  for (const [name, args] of Object.entries(nodes)) {
    const deletedWith = servers.includes(name) ? new pulumi.ComponentResource("test:index:Server", name) : undefined;
    made.set(name, new OverlayNode(name, args, { providers: [provider], ...(deletedWith && { deletedWith }) }));
  }
  for (const [name, { a, b, ...args }] of Object.entries(links)) {
    const [one, other] = [made.get(a), made.get(b)];
    if (!one || !other) throw new Error(`link ${name} has a node that is not declared`);
    new WgLink(name, { a: one, b: other, ...args }, { providers: [provider] });
  }
}
