/** A device that somebody made by hand becomes ours: what it is told, and when it is left alone. */
import { formatWithCodes } from "../../../sdk/faults";
import { changes, live, type Snapshot, text } from "../../../sdk/kernel";
import { wireguard } from "../../../sdk/wireguard";
import { KernelModel } from "../../kernel-model";

const PEER = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";
const STRANGER = "Al8FNScSowRXLvqnUgci3oxTQKBOsCTHqtRJkw3P82s=";

const spec = (change: object = {}) =>
  wireguard.spec.parse({
    ...{ node: "fra", owner: "net/prod", link: "lux-fra", device: "wg0", id: 2, mtu: 1420, listenPort: 51820 },
    ...{ key: "adopted", adopts: ["wg0"], addresses: ["10.255.0.2", "fd00:6f::2"] },
    peer: {
      name: "lux",
      id: 1,
      publicKey: PEER,
      endpoint: "203.0.113.5:51820",
      addresses: ["10.255.0.1", "fd00:6f::1"],
    },
    ...change,
  });
const wanted = wireguard.plan(spec());

/** What wg-quick makes of a file with one peer. */
function byHand(): KernelModel {
  const model = new KernelModel({ wireguard: "kernel" });
  model.run([
    "genkey /etc/overlay/keys/wg0.adopted.key",
    "put 0600 /etc/wireguard/wg0.conf hello",
    "systemctl enable wg-quick@wg0.service",
    "ip link add dev wg0 type wireguard",
    "wg set wg0 listen-port 51820 private-key /etc/overlay/keys/wg0.adopted.key",
    `wg set wg0 peer ${PEER} allowed-ips 10.255.0.1/32 endpoint 203.0.113.5:51820`,
    "ip addr add 10.255.0.2/24 dev wg0",
    "ip addr add fd00:6f::2/64 dev wg0",
    "ip link set dev wg0 up",
    "nft add table inet overlay",
    "nft add map inet overlay guard { type inet_service : counter ; }",
  ]);
  return model;
}

const told = (seen: Snapshot, facts = wanted) => changes(live(seen, facts), facts, { wireguard: "kernel" });
const said = (change: Partial<Snapshot>, more: object = {}): string =>
  formatWithCodes(wireguard.faults?.(spec(more), { ...byHand().snapshot(), ...change }) ?? []);

test("it is brought in place to what is declared: nothing is made again, and what boots it goes last", () => {
  const model = byHand();
  const { commands } = told(model.snapshot());
  expect(commands).toEqual([
    "ip link set dev wg0 group 28417 addrgenmode none alias overlay:net/prod:lux-fra",
    "sysctl -w net/ipv4/conf/wg0/rp_filter=2",
    "sysctl -w net/ipv6/conf/wg0/accept_ra=0",
    "wg set wg0 fwmark 0x6f",
    `wg set wg0 peer ${PEER} allowed-ips 0.0.0.0/0,::/0`,
    "ip addr add 10.255.0.2/32 dev wg0",
    "ip addr del fd00:6f::2/64 dev wg0",
    "ip addr add fd00:6f::2/128 dev wg0",
    "ip addr add fe80::2/64 dev wg0",
    "ip route add 10.255.0.1/32 dev wg0 proto 111 metric 4096 src 10.255.0.2",
    "ip route add fd00:6f::1/128 dev wg0 proto 111 metric 4096 src fd00:6f::2",
    "nft add counter inet overlay link-wg0",
    'nft add element inet overlay guard { 51820 : "link-wg0" }',
    "systemctl disable wg-quick@wg0.service",
    "retire /etc/wireguard/wg0.conf",
    "ip addr del 10.255.0.2/24 dev wg0",
  ]);
  model.run(commands);
  expect(text(live(model.snapshot(), wanted))).toBe(text(wanted));
  expect(told(model.snapshot()).commands).toEqual([]);
});

test("where there is no such device, it is made", () => {
  const { commands } = told(new KernelModel({ wireguard: "kernel" }).snapshot());
  expect(commands[0]).toBe("ip link add dev wg0 group 28417 type wireguard");
});

test("without `adopt`, or where it is no WireGuard device, it is somebody else's", () => {
  const seen = byHand().snapshot();
  // With a sentence like this nothing is done at all.
  const foreign = [expect.stringContaining("a device wg0 of type wireguard that this package did not make")];
  expect(told(seen, wireguard.plan(spec({ adopts: [] }))).foreign).toEqual(foreign);
  expect(told({ ...seen, wg: [] }).foreign).toEqual(foreign);
});

describe("what could cost somebody a packet is refused", () => {
  const wg = ({ wg: [device] }: Snapshot) => device as Snapshot["wg"][number];
  const peers = (...more: object[]) => {
    const it = wg(byHand().snapshot());
    const [peer] = it.peers;
    return { wg: [{ ...it, peers: more.map((one) => ({ ...peer, ...one })) as typeof it.peers }] };
  };

  test("nothing, when it is a plain link; its own port and its own prefix are no others'", () => {
    const route = { dst: "10.255.0.0/24", dev: "wg0", protocol: "kernel", type: "unicast", table: "main" };
    expect(said({ routes4: [route] })).toBe("");
    expect(said({ routes4: [route] }, { adopts: [] })).toContain("its device wg0 is in 10.255.0.0/24");
    // Nor is it in the way of another link, which may come first.
    expect(said({ routes4: [route] }, { device: "inter-hkg", listenPort: 11003 })).toBe("");
  });

  test("more peers than a link has, a preshared key, a manager, a default route", () => {
    expect(said(peers({}, { publicKey: STRANGER }))).toContain("a device with one peer, and wg0 has 2");
    expect(said(peers({ presharedKey: true }))).toContain(`preshared key, which is in none of our files, and ${PEER}`);
    expect(said({ managers: { wg0: "systemd-networkd" } })).toContain("systemd-networkd has wg0");
    expect(said({ routes4: [{ dst: "default", dev: "wg0", protocol: "boot", table: "51820" }] })).toContain(
      "some of wg0 are in table 51820",
    );
  });
});
