/** What only the live host can tell, on what a real one printed. */
import { marked } from "../../../sdk/codes";
import { formatWithCodes, parse } from "../../../sdk/faults";
import type { Snapshot } from "../../../sdk/kernel";
import { node, nodeKey } from "../../../sdk/node";
import { captured } from "../kernel/captured";

const technology = node({});
const all = { ip: true, nft: true, wg: true };
const host: Snapshot = { ...captured("fresh"), commands: all };

function said(spec: object, snapshot: Partial<Snapshot> = {}): string {
  const result = parse(technology.spec, { node: "fra", owner: "net/prod", id: 2, ...spec });
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  return formatWithCodes(technology.faults?.(result.value, { ...host, ...snapshot }) ?? []);
}

test("a host of ours that has what it needs has no faults", () => {
  expect(said({ prefixes: ["10.255.0.0/24", "fd00:6f::/48"] })).toBe("");
});

describe("a machine belongs to one stack", () => {
  test("which is named", () => {
    expect(said({ owner: "net/other" })).toBe(
      "node: found a machine that belongs to the stack net/prod (/etc/overlay/owner), legal is a machine of nobody's or of net/other; destroy it there first; or, if net/other is that stack under a new name, add \"net/prod\" to the node's `formerly`. [host/owned]",
    );
  });
  test("which may have had another name", () => {
    expect(said({ owner: "net/other", formerly: ["net/prod"] })).toBe("");
  });
  test("or to none", () => {
    const { owner: _, ...unowned } = host;
    const result = parse(technology.spec, { node: "fra", owner: "net/other", id: 2 });
    expect("value" in result && technology.faults?.(result.value, unowned)).toEqual([]);
  });
});

test("a kernel or an nft that is too old is a fault; a later one is none, whatever its release is called", () => {
  const fault = (found: string, floor: string) =>
    `connection.host: found a host with ${found}, legal is ${floor} or later; upgrade its system: Debian 11, Ubuntu 22.04 and all later ones have it. [host/system]`;
  expect(said({}, { versions: { linux: "5.4.0-216-generic", nft: "0.9.3" } }).split("\n")).toEqual([
    fault("Linux 5.4.0-216-generic", "Linux 5.6"),
    fault("nft 0.9.3", "nft 0.9.4"),
  ]);
  for (const linux of ["5.6.0-1-amd64", "5.10.0-35-amd64", "6.1.0-32-cloud-amd64", "6.18.44-fc-v669", "10.0-rc1"]) {
    expect(said({}, { versions: { linux } })).toBe("");
  }
  for (const nft of ["0.9.4", "0.9.8", "1.0", "1.0.6", "1.1.3"]) expect(said({}, { versions: { nft } })).toBe("");
});

describe("missing commands", () => {
  test("are a fault where they are expected", () => {
    expect(said({}, { commands: { ip: true } }).split("\n")).toEqual([
      'packages: found a host without nft, legal is a host that has nft; `apt-get install --no-install-recommends nftables` there, or say packages: "install". [host/package]',
      'packages: found a host without wg, legal is a host that has wg; `apt-get install --no-install-recommends wireguard-tools` there, or say packages: "install". [host/package]',
    ]);
    expect(said({}, { host: { wireguard: "none" } })).toContain("WireGuard in the kernel, or wireguard-go");
  });
  test("are those alone that it takes, where a key is made by itself", () => {
    const spec = { node: "fra", owner: "net/other", formerly: [], packages: "expect" as const };
    expect(formatWithCodes(nodeKey.faults?.(spec, { ...host, commands: {} }) ?? []).split("\n")).toEqual([
      expect.stringContaining("a machine that belongs to the stack net/prod"),
      expect.stringContaining("found a host without wg"),
    ]);
  });
  test("are none where they are installed", () => {
    expect(said({ packages: "install" }, { commands: { ip: true }, host: { wireguard: "none" } })).toBe("");
  });
});

test("an overlay prefix that the host is connected to is a fault, whichever is the larger", () => {
  const fault = (prefix: string, connected: string) =>
    `prefixes[0]: found "${prefix}", legal is a prefix that the host is not connected to, and its device eth0 is in ${connected}; choose another prefix for the overlay. [input/overlap]`;
  expect(said({ prefixes: ["203.0.0.0/16"] })).toBe(fault("203.0.0.0/16", "203.0.113.0/24"));
  expect(said({ prefixes: ["203.0.113.128/25"] })).toBe(fault("203.0.113.128/25", "203.0.113.0/24"));
  expect(said({ prefixes: ["2001:db8::/32"] })).toBe(fault("2001:db8::/32", "2001:db8:1::/64"));
  expect(said({ prefixes: ["203.0.114.0/24"] })).toBe("");
});

describe("IPv6 forwarding where the default route comes by router advertisement", () => {
  const forwarding = { "net.ipv6.conf.all.forwarding": "1" };
  const by = (acceptRa: string) => ({ advertised: { eth0: acceptRa } });
  test("would delete it", () => {
    expect(said({ sysctls: forwarding }, by("1"))).toContain('add "net/ipv6/conf/eth0/accept_ra": "2".');
    // Ours, perhaps, which goes when it is declared no more.
    expect(said({ sysctls: forwarding }, by("2"))).toContain('add "net/ipv6/conf/eth0/accept_ra": "2".');
  });
  test("does not where accept_ra=2 is set, where the kernel handles none, or where no route is an advertised one", () => {
    expect(said({ sysctls: { ...forwarding, "net.ipv6.conf.eth0.accept_ra": "2" } }, by("1"))).toBe("");
    expect(said({ sysctls: forwarding }, by("0"))).toBe("");
    expect(said({ sysctls: forwarding }, { advertised: {} })).toBe("");
    expect(said({}, by("1"))).toBe("");
  });
  test("is asked of a host only where it forwards IPv6", () => {
    const asked = (sysctls: object) => {
      const result = parse(technology.spec, { node: "fra", owner: "net/prod", id: 2, sysctls });
      return "value" in result ? technology.queries?.(result.value, "") : result;
    };
    expect([asked(forwarding), asked({})]).toEqual([["advertised"], []]);
  });
});

test("a kernel without IPv6 is a fault before anything is done", () => {
  const without = host.links.map(({ inet6_addr_gen_mode: _, ...link }) => link);
  expect(said({}, { links: without })).toBe(
    "connection.host: found a host whose kernel has no IPv6, legal is a kernel with IPv6, on which every link stands; it needs no address of the provider; remove `ipv6.disable=1` from the kernel's command line (/proc/cmdline shows it) and reboot. [host/system]",
  );
});

test("what the loop guard has dropped of nobody's link is an alarm, with what to do", () => {
  const result = parse(technology.spec, { node: "fra", owner: "net/prod", id: 2 });
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  const counted = (packets: number): Snapshot => {
    const rule = {
      family: "inet",
      table: "overlay",
      chain: "nested",
      expr: [{ counter: { packets, bytes: 0 } }, { drop: null }],
    };
    return { ...host, nft: { "inet overlay": [{ rule }, { counter: { name: "link-inter-lux", packets: 3 } }] } };
  };
  expect(technology.warnings?.(result.value, counted(0))).toEqual([]);
  expect(technology.warnings?.(result.value, counted(7)).map(({ code, text }) => marked(code, text))).toEqual([
    "7 encrypted packets of nobody's link were about to be sent into a tunnel by fra, and were dropped there: the way to an " +
      "endpoint leads by a tunnel. `ip route get ENDPOINT mark 0x6f` there says by which; see `wg show all endpoints`, give the " +
      "endpoint another way, or name that tunnel in `underlay.devices` of fra where it does not run over this network itself; " +
      "`nft reset rules chain inet overlay nested` (nft 1.0.7), or a reboot, there counts anew. [warning/nested]",
  ]);
});
