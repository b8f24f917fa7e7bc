/** One change of what is declared of an exchange of keys, and exactly the commands that it costs; each case has its no-op twin. */
import { changes, type Fact, live, type Snapshot, text } from "../../../sdk/kernel";
import { KernelModel } from "../../kernel-model";
import { planned } from "../planned";

const PEER = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";
const HASH = "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce";
const PAIR = "/etc/overlay/keys/rosenpass";
const place = { node: "fra", owner: "net/prod", name: "lux-fra", device: "inter-lux" };
const psk = (mode: string): Fact[] =>
  planned({
    ...{ resource: "overlay:rosenpass:Psk", ...place, mode, version: "rosenpass 0.2.2" },
    peer: { name: "lux", publicKey: PEER, version: "rosenpass 0.2.2" },
  });
const daemon = (more: object = {}, key = HASH): Fact[] =>
  planned({
    ...{ resource: "overlay:rosenpass:Daemon", ...place, mode: "strict", port: 21001, ...more },
    peer: { name: "lux", publicKey: PEER, key, endpoints: ["203.0.113.5:21002"] },
  });

/** A host whose peer has a preshared key, or none; without a device there is no peer. */
function seen(presharedKey?: boolean): Snapshot {
  const snapshot = new KernelModel({ wireguard: "kernel" }).snapshot();
  if (presharedKey === undefined) return snapshot;
  const peer = {
    publicKey: PEER,
    presharedKey,
    allowedIps: [],
    latestHandshake: 0,
    rxBytes: 0,
    txBytes: 0,
    keepalive: 0,
  };
  return { ...snapshot, wg: [{ device: "inter-lux", publicKey: "", listenPort: 11001, fwmark: 0x6f, peers: [peer] }] };
}
/** From what was declared before, and what the host shows of that, to what is declared now. */
const commands = (before: Fact[], after: Fact[], snapshot: Snapshot): string[] =>
  changes(live(snapshot, before), after, { wireguard: "kernel" }).commands;
const line = (mode: string): string => `psk inter-lux ${PEER} ${mode} lux-fra`;

test.each<[string, string | undefined, string | undefined, boolean, string[]]>([
  [
    "a new one leaves an open peer as it is, and says whose its key is",
    undefined,
    "permissive",
    false,
    [line("permissive")],
  ],
  ["the same, whether there is a key yet or not", "permissive", "permissive", false, []],
  ["the same, whichever it is", "permissive", "permissive", true, []],
  ["to strict, with a key", "permissive", "strict", true, [line("strict")]],
  ["strict with a key", "strict", "strict", true, []],
  ["strict, and somebody took the key away", "strict", "strict", false, [line("strict")]],
  ["back to permissive", "strict", "permissive", true, [line("permissive")]],
  ["gone", "permissive", undefined, true, [line("none"), "forget lux-fra"]],
  ["gone, and strict", "strict", undefined, false, [line("none"), "forget lux-fra"]],
])("%s", (_, before, after, keyed, wanted) => {
  const of = (mode: string | undefined) => (mode === undefined ? [] : psk(mode));
  expect(commands(of(before), of(after), seen(keyed))).toEqual(wanted);
});

test("a peer that is gone has no key to take away, but the host has kept one", () => {
  expect(commands(psk("strict"), [], seen())).toEqual(["forget lux-fra"]);
});

test.each<[string, number | undefined, number | undefined, string[]]>([
  ["a key pair that is there whole", 524160, 13568, []],
  ["none", undefined, undefined, ["keypair rosenpass"]],
  ["the secret one is gone", 524160, undefined, ["keypair rosenpass"]],
  ["the public one is gone", undefined, 13568, ["keypair rosenpass"]],
  ["the secret one is cut", 524160, 99, ["keypair rosenpass"]],
])("%s", (_, size, secretSize, wanted) => {
  const rosenpass = {
    ...(size !== undefined && { publicKey: { sha256: HASH, size } }),
    ...(secretSize !== undefined && { secretSize }),
  };
  const pair = planned({ resource: "overlay:rosenpass:Key", node: "fra", owner: "net/prod" }).filter(
    ({ kind }) => kind === "rosenpassKey",
  );
  const snapshot = { ...seen(), rosenpass };
  expect(commands(pair, pair, snapshot)).toEqual(wanted);
  const halves = [["public", size, 524160] as const, ["secret", secretSize, 13568] as const];
  const there = halves.filter(([, is, whole]) => is === whole).map(([half]) => ` --${half}-key ${PAIR}.${half}`);
  const none = size === undefined && secretSize === undefined;
  expect(text(live(snapshot, pair))).toBe(none ? "" : `rosenpass gen-keys${there.join("")}`);
  // Half of one goes as a whole one does.
  expect(commands(pair, [], snapshot)).toEqual(none ? [] : [`remove ${PAIR}.secret`, `remove ${PAIR}.public`]);
});

test("another port is another rule, another table and another file; the unit is left alone", () => {
  expect(
    changes(daemon(), daemon({ port: 51830 }), { wireguard: "kernel" }).commands.map((it) => it.slice(0, 80)),
  ).toMatchInlineSnapshot(`
[
  "ip -6 rule del pref 5109 ipproto udp sport 21001 lookup main",
  "ip rule del pref 5109 ipproto udp sport 21001 lookup main",
  "put 0600 /etc/overlay/rosenpass/lux-fra.conf binary rosenpass\\nmode strict\\ndevi",
  "nft flush chain inet overlay-rosenpass-lux-fra out",
  "nft add rule inet overlay-rosenpass-lux-fra out udp sport 51830 oifgroup { 28417",
  "ip rule add pref 5109 ipproto udp sport 51830 lookup main",
  "ip -6 rule add pref 5109 ipproto udp sport 51830 lookup main",
]
`);
  expect(changes(daemon(), daemon(), { wireguard: "kernel" }).commands).toEqual([]);
});

test("another key at the other end is one file, whose content comes later; what goes is stopped first", () => {
  const other = "0".repeat(64);
  expect(changes(daemon(), daemon({}, other), { wireguard: "kernel" }).commands).toEqual([
    `decode 0644 /etc/overlay/rosenpass/lux-fra.peer ${other}`,
  ]);
  expect(changes(daemon(), [], { wireguard: "kernel" }).commands).toMatchInlineSnapshot(`
[
  "systemctl disable --now overlay-rosenpass@lux-fra.service",
  "ip -6 rule del pref 5109 ipproto udp sport 21001 lookup main",
  "ip rule del pref 5109 ipproto udp sport 21001 lookup main",
  "nft delete table inet overlay-rosenpass-lux-fra",
  "remove /etc/overlay/rosenpass/lux-fra.peer",
  "remove /etc/overlay/rosenpass/lux-fra.conf",
]
`);
});
