import type { Technology } from "../kernel/technology";
import { faults } from "./faults";
import { end, paths } from "./paths";
import { plan } from "./plan";
import { type Input, type Spec, spec } from "./spec";

export { memberMac } from "../network/mac";
export { type BridgeInput as BridgeSpec, bridgeSpec, vxlanBridge } from "./bridge";
export { amongMembers, type Compared } from "./members";
export { type Input as MemberSpec, spec as memberSpec, VARIANTS } from "./spec";

/** A member of a VXLAN segment. */
export const vxlan: Technology<Input, Spec> = {
  token: "overlay:vxlan:Member",
  spec,
  plan,
  faults,
  end,
  paths,
};
