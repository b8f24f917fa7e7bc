/** A key of a device's own, in place of the node's: what a person may say, and the one fact that follows. */
import { z } from "zod";
import type { Fact } from "../kernel/fact";
import { fact } from "../kernel/kinds";
import { deviceKey } from "../kernel/marks";
import { foreignOwner } from "../kernel/owner";
import type { Technology } from "../kernel/technology";
import { deviceField, nameField, ownerField } from "../network/fields";
import { labelField } from "./label";

const spec = z.strictObject({
  node: nameField.describe("The node's own name. Example: fra"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
  device: deviceField.describe("Name of the network device, at most 15 bytes. Example: inter-lux"),
  label: labelField.describe("What tells this key from the device's other ones. Example: 2026-11"),
  adopt: z
    .boolean()
    .default(false)
    .describe("Whether it is the key that the device has, where there is one already. Default: false."),
});

type Spec = z.output<typeof spec>;

const plan = ({ device, label, adopt }: Spec): Fact[] => [
  fact("wgKey", { path: deviceKey(device, label), ...(adopt && { device }) }),
];

export type KeySpec = z.input<typeof spec>;

/** Old and new keys are resources of their own, so that both are there until both sides of a link have changed over. */
export const wireguardKey: Technology<KeySpec, Spec> = {
  token: "overlay:wireguard:Key",
  spec,
  plan,
  faults: ({ owner }, snapshot) => foreignOwner(snapshot, owner),
};
