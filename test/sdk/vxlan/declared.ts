/** A member of a segment, with an address there, and a bridge that it may be a port of. */
const own = { node: "fra", owner: "net/prod", id: 2, mac: "02:00:00:64:00:02", mtu: 1370 };

export const member = {
  ...own,
  segment: "lan",
  device: "vx-lan",
  vni: 100,
  local: "10.255.0.2",
  addresses: ["10.100.0.2/24"],
};
export const bridge = { ...own, device: "br-lan" };
