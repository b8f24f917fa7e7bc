/** A host with a device that somebody made by hand and that is to be taken over. */
import { ModelMachine } from "./model-machine";

/** The public key of its one peer. */
export const PEER = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";

export function byHand(): ModelMachine {
  const machine = new ModelMachine();
  machine.model.run([
    "genkey /root/key",
    "ip link add dev wg0 type wireguard",
    "wg set wg0 listen-port 51820 private-key /root/key",
    `wg set wg0 peer ${PEER} allowed-ips 10.255.0.1/32`,
    "ip link set dev wg0 up",
    "put 0600 /etc/wireguard/wg0.conf hello",
  ]);
  return machine;
}
