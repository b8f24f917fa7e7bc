/** One change of what is declared, and exactly the commands that it costs; each case has its no-op twin. */
import { changes, type Fact, type HostFacts, live, type Snapshot } from "../../../sdk/kernel";
import { KernelModel } from "../../kernel-model";
import { type Declared, planned } from "../planned";
import { commandsBetween } from "./between";

const PEER = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";
const OTHER = "Al8FNScSowRXLvqnUgci3oxTQKBOsCTHqtRJkw3P82s=";

const peer = {
  name: "lux",
  id: 1,
  publicKey: PEER,
  endpoint: "203.0.113.5:11002",
  keepalive: 25,
  addresses: ["10.255.0.1", "fd00:6f::1"],
};
const link = {
  resource: "overlay:wireguard:Interface",
  node: "fra",
  owner: "net/prod",
  link: "lux-fra",
  device: "inter-lux",
  id: 2,
  mtu: 1420,
  listenPort: 11001,
  addresses: ["10.255.0.2", "fd00:6f::2"],
  peer,
};
const node = { resource: "overlay:node:Host", node: "fra", owner: "net/prod", id: 2 };

const kernel: HostFacts = { wireguard: "kernel" };
const userspace: HostFacts = { wireguard: "userspace" };

const cases: [name: string, changed: Declared[], commands: string[]][] = [
  ["MTU", [node, { ...link, mtu: 1400 }], ["ip link set dev inter-lux mtu 1400"]],
  [
    "the stack's name",
    [node, { ...link, owner: "net/production" }],
    ["ip link set dev inter-lux alias overlay:net/production:lux-fra"],
  ],
  [
    "listen port",
    [node, { ...link, listenPort: 11005 }],
    [
      "wg set inter-lux listen-port 11005",
      "nft delete element inet overlay guard { 11001 }",
      'nft add element inet overlay guard { 11005 : "link-inter-lux" }',
    ],
  ],
  [
    "endpoint",
    [node, { ...link, peer: { ...peer, endpoint: "[2001:db8::5]:11002" } }],
    [`wg set inter-lux peer ${PEER} endpoint [2001:db8::5]:11002`],
  ],
  [
    "no endpoint any more",
    [node, { ...link, peer: { ...peer, endpoint: undefined } }],
    [
      `wg set inter-lux peer ${PEER} remove`,
      `wg set inter-lux peer ${PEER} allowed-ips 0.0.0.0/0,::/0 persistent-keepalive 25`,
    ],
  ],
  [
    "keepalive",
    [node, { ...link, peer: { ...peer, keepalive: 7 } }],
    [`wg set inter-lux peer ${PEER} persistent-keepalive 7`],
  ],
  [
    "no keepalive any more",
    [node, { ...link, peer: { ...peer, keepalive: undefined } }],
    [`wg set inter-lux peer ${PEER} persistent-keepalive off`],
  ],
  [
    "the peer's key",
    [node, { ...link, peer: { ...peer, publicKey: OTHER } }],
    [
      `wg set inter-lux peer ${OTHER} allowed-ips 0.0.0.0/0,::/0 endpoint 203.0.113.5:11002 persistent-keepalive 25`,
      `wg set inter-lux peer ${PEER} remove`,
    ],
  ],
  [
    "a key of its own, and the peer's",
    [
      node,
      { resource: "overlay:wireguard:Key", node: "fra", owner: "net/prod", device: "inter-lux", label: "2026" },
      { ...link, key: "2026", peer: { ...peer, publicKey: OTHER } },
    ],
    [
      "genkey /etc/overlay/keys/inter-lux.2026.key",
      "wg set inter-lux private-key /etc/overlay/keys/inter-lux.2026.key",
      `wg set inter-lux peer ${OTHER} allowed-ips 0.0.0.0/0,::/0 endpoint 203.0.113.5:11002 persistent-keepalive 25`,
      `wg set inter-lux peer ${PEER} remove`,
    ],
  ],
  [
    "an address of the peer",
    [node, { ...link, peer: { ...peer, addresses: ["10.255.0.7", "fd00:6f::1"] } }],
    [
      "ip route del 10.255.0.1/32 dev inter-lux proto 111 metric 4096",
      "ip route add 10.255.0.7/32 dev inter-lux proto 111 metric 4096 src 10.255.0.2",
    ],
  ],
  [
    "an address of its own, first of its family",
    [node, { ...link, addresses: ["10.255.0.9", "10.255.0.2", "fd00:6f::2"] }],
    [
      "ip addr add 10.255.0.9/32 dev inter-lux",
      "ip route replace 10.255.0.1/32 dev inter-lux proto 111 metric 4096 src 10.255.0.9",
    ],
  ],
  [
    "ports that lead to the listen port",
    [node, { ...link, alsoPorts: [443] }],
    [
      "nft add table inet overlay-inter-lux",
      "nft add chain inet overlay-inter-lux also { type nat hook prerouting priority -100 ; policy accept ; }",
      "nft add rule inet overlay-inter-lux also fib daddr type local udp dport 443 redirect to :11001",
    ],
  ],
  [
    "a link less",
    [node],
    [
      "nft delete element inet overlay guard { 11001 }",
      "nft delete counter inet overlay link-inter-lux",
      "ip link delete dev inter-lux",
    ],
  ],
  ["a setting", [{ ...node, sysctls: { "net.ipv4.ip_forward": "1" } }, link], ["sysctl -w net/ipv4/ip_forward=1"]],
  [
    "an overlay prefix",
    [{ ...node, prefixes: ["10.255.0.0/24"] }, link],
    ["ip route add unreachable 10.255.0.0/24 proto 111 metric 4294967295"],
  ],
];

test.each(cases)("%s", (_, changed, commands) => {
  expect(commandsBetween([node, link], changed)).toEqual(commands);
});
test.each(cases)("%s: twice the same is nothing to do", (_, changed) => {
  expect(commandsBetween(changed, changed)).toEqual([]);
});

test("an underlay more: the guard's rules are written anew, and every link's count stays", () => {
  const commands = commandsBetween([node, link], [{ ...node, underlay: ["wan"] }, link]);
  expect(commands.map((command) => command.split(" ").slice(0, 6).join(" "))).toEqual([
    "nft flush chain inet overlay guard",
    "nft add rule inet overlay guard",
    "nft add rule inet overlay guard",
  ]);
});

test("in user space a device is a unit that starts and stops", () => {
  expect(commandsBetween([node], [node, link], userspace)).toContain(
    "systemctl start overlay-wireguard-go@inter-lux.service",
  );
  expect(commandsBetween([node, link], [node], userspace).at(-1)).toBe(
    "systemctl stop overlay-wireguard-go@inter-lux.service",
  );
});

test("packages: installed where asked for, wireguard-go only where the kernel has no WireGuard", () => {
  const install = [{ ...node, packages: "install" }];
  const apt = (host: HostFacts) =>
    commandsBetween([], install, host).filter((command) => command.startsWith("apt-get"));
  expect(apt(kernel)).toEqual(["apt-get install nftables", "apt-get install wireguard-tools"]);
  expect(apt(userspace)).toEqual(["apt-get install nftables", "apt-get install wireguard-tools wireguard-go"]);
  expect(commandsBetween([], [node], userspace).filter((command) => command.startsWith("apt-get"))).toEqual([]);
});

describe("somebody else's device of the same name", () => {
  const facts = planned(link);
  const model = new KernelModel(kernel);
  model.run(["ip link add dev inter-lux type bridge", "ip addr add 192.0.2.1/24 dev inter-lux"]);
  const { commands, foreign, again } = changes(live(model.snapshot(), facts), facts, kernel);

  test("is named, with the cure", () => {
    expect(foreign).toEqual([
      "The host has a device inter-lux of type bridge that this package did not make (group 0, no alias). Rename or remove it, or give the link another device name.",
    ]);
    expect(again).toEqual([]);
  });
  test("is left alone, now and when the link is removed", () => {
    expect(commands.filter((command) => !command.startsWith("nft "))).toEqual([]);
    expect(changes(live(model.snapshot(), facts), [], kernel).commands).toEqual([]);
  });
});

describe("a device that is ours and of another type", () => {
  const facts = planned(link);
  const model = new KernelModel(kernel);
  model.run(changes([], planned(node), kernel).commands);
  model.run(["ip link add dev inter-lux group 28417 type bridge"]);
  const { commands, again } = changes(live(model.snapshot(), facts), facts, kernel);

  test("is made again, and only what was there is said to be", () => {
    expect(commands.slice(0, 2)).toEqual([
      "ip link delete dev inter-lux",
      "ip link add dev inter-lux group 28417 type wireguard",
    ]);
    expect(again).toEqual([
      "link inter-lux",
      "sysctl net/ipv4/conf/inter-lux/rp_filter",
      "sysctl net/ipv6/conf/inter-lux/accept_ra",
      "sysctl net/ipv6/conf/inter-lux/disable_ipv6",
    ]);
    model.run(commands);
    expect(changes(live(model.snapshot(), facts), facts, kernel).commands).toEqual([]);
  });
});

test("a device that lost its group or its alias is still ours", () => {
  const model = new KernelModel(kernel);
  const facts: Fact[] = [...planned(node), ...planned(link)];
  model.run(changes([], facts, kernel).commands);
  const mended = (snapshot: Snapshot) => changes(live(snapshot, facts), facts, kernel).commands;
  model.run(["ip link set dev inter-lux group 0"]);
  expect(mended(model.snapshot())).toEqual(["ip link set dev inter-lux group 28417"]);
  model.run(["ip link set dev inter-lux group 28417 alias mine"]);
  expect(mended(model.snapshot())).toEqual(["ip link set dev inter-lux alias overlay:net/prod:lux-fra"]);
});
