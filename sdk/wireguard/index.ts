import type { Technology } from "../kernel/technology";
import { end } from "./end";
import { faults, observes, queries, warnings } from "./faults";
import { paths } from "./paths";
import { plan } from "./plan";
import { type Input, type Spec, spec } from "./spec";

export { type KeySpec, wireguardKey } from "./key";
export { ADOPTED, labelField } from "./label";
export { objectToPublicKey } from "./publicKey";
export { missingKey, withPrivateKey } from "./quick";
export { publicKeyField } from "./spec";
export type { Input as InterfaceSpec };

/** One side of a WireGuard link. */
export const wireguard: Technology<Input, Spec> = {
  token: "overlay:wireguard:Interface",
  spec,
  plan,
  queries,
  faults,
  observes,
  warnings,
  end,
  paths,
};
