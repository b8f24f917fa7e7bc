/** Plans from what a person would write: the technologies by their tokens, with agents of our own. */
import type { z } from "zod";
import { formatWithCodes, parse } from "../../sdk/faults";
import type { Fact } from "../../sdk/kernel";
import { type Agents, chooser, node, nodeKey } from "../../sdk/node";
import { rosenpassDaemon, rosenpassKey, rosenpassPsk } from "../../sdk/rosenpass";
import { vxlan, vxlanBridge } from "../../sdk/vxlan";
import { wireguard, wireguardKey } from "../../sdk/wireguard";

/** In place of the real ones, which have a life of their own. */
const agents: Agents = {
  "/usr/local/lib/overlay/boot.sh": { mode: "0755", content: "#!/bin/sh\n" },
  "/etc/systemd/system/overlay-early.service": { mode: "0644", content: "[Unit]\n" },
};

const choosers: Agents = {
  "/usr/local/lib/overlay/choose.sh": { mode: "0644", content: "main\n" },
  "/etc/systemd/system/overlay-choose.service": { mode: "0644", content: "[Unit]\n" },
};

const rosenpassAgents: Agents = {
  "/usr/local/lib/overlay/rosenpass.sh": { mode: "0644", content: "main\n" },
  "/etc/systemd/system/overlay-rosenpass@.service": { mode: "0644", content: "[Unit]\n" },
};

/** What a spec and a plan are to a test that does not care which technology it has. */
interface AnyTechnology {
  spec: z.ZodType;
  plan(spec: unknown): Fact[];
}

/** A resource's token and its spec. */
export type Declared = { resource: string } & Record<string, unknown>;

const technologies = Object.fromEntries(
  [
    node(agents),
    nodeKey,
    chooser(choosers),
    wireguard,
    wireguardKey,
    vxlan,
    vxlanBridge,
    rosenpassKey(rosenpassAgents),
    rosenpassPsk,
    rosenpassDaemon,
  ].map((technology) => [technology.token, technology as AnyTechnology]),
);

export function technologyOf({ resource }: Declared): AnyTechnology {
  const technology = technologies[resource];
  if (!technology) throw new Error(`no technology ${resource}`);
  return technology;
}

/** Throws an Error with all faults. */
export function planned(declared: Declared): Fact[] {
  const { resource: _, ...input } = declared;
  const technology = technologyOf(declared);
  const result = parse(technology.spec, input);
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  return technology.plan(result.value);
}
