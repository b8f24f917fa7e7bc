/** The stack l-net on hosts: one WireGuard interface a node, a segment on top of it, and the outside through its router. */
import { join } from "node:path";
import { describeWhere } from "../can";
import { project, root, Workspace } from "../e2e/engine/workspace";
import { Lab } from "../lab";

jest.setTimeout(120_000);

describeWhere(["lab", "engine"], "stack l-net", () => {
  let lab: Lab;
  let workspace: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("l-net", { name: "lnet", fresh: true });
    const program = `module.exports = require(${JSON.stringify(join(root, "dist/stacks/l-net.js"))});\n`;
    const files = { "Pulumi.yaml": project(join(root, "bin"), "nodejs"), "package.json": "{}\n", "index.js": program };
    workspace = await Workspace.make({ lab, files, environment: { OVERLAY_LAB: "lnet" } });
  });
  afterAll(async () => {
    workspace?.remove();
    await Lab.down("lnet");
  });

  const on = async (host: string, command: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.exec(host, command);
    if (code !== 0) throw new Error(`${host}: ${command}: code ${code}: ${stderr}${stdout}`);
    return stdout;
  };

  test("one WireGuard interface a node, and the segment is all that people see of it", async () => {
    await workspace.well("up", "--yes", "--skip-preview");
    for (const host of ["gauss", "hilbert", "noether"]) {
      expect(await on(host, "ip -o link show group 28417 | cut -d : -f 2")).toBe(" wg0\n");
    }
    expect(await on("hilbert", "ip -d link show vwg0")).toMatch(/ mtu 1370 .* id 49371 .* ttl 1 /s);
    const to = ["192.168.102.1", "192.168.102.3", "fde9:632e:2c3f::1", "fde9:632e:2c3f::3"];
    await on("hilbert", to.map((address) => `ping -q -c 2 -i 0.2 -w 10 ${address}`).join(" && "));
  });

  test("the kernel sends by the interface what is for the nodes alone, and VXLAN packets live for one hop", async () => {
    const nodes = ["192.168.228.166", "192.168.228.60"];
    const allowed = await on("hilbert", "wg show wg0 allowed-ips | cut -f 2 | sort");
    expect(allowed).toBe(`${nodes[0]}/32\n${nodes[1]}/32\n`);
    const routes = await on("hilbert", "for f in 4 6; do ip -$f -o route show table all dev wg0 type unicast; done");
    const to = routes
      .trim()
      .split("\n")
      .flatMap((line) => line.split(" ")[0] ?? []);
    expect(to.filter((it) => !it.startsWith("fe80::")).sort()).toEqual([...nodes].sort());

    const chain = "add table inet hops; add chain inet hops in { type filter hook input priority -10 ; }";
    const rule = (match: string) => `add rule inet hops in udp dport 4789 @th,96,24 49371 ip ttl ${match} 1 counter`;
    await on("noether", `nft '${[chain, rule("=="), rule("!=")].join("; ")}'`);
    await on("hilbert", "ping -q -c 3 -i 0.2 -w 10 192.168.102.3");
    const seen = await on("noether", "nft list table inet hops && nft delete table inet hops");
    const [one = 0, more] = [...seen.matchAll(/packets (\d+)/g)].map(([, packets]) => Number(packets));
    expect(one).toBeGreaterThanOrEqual(3);
    expect(more).toBe(0);
  });

  test("a client reaches the outside through the router, under its address", async () => {
    const chain = "add table inet seen; add chain inet seen in { type filter hook input priority 0 ; }";
    const rule = (match: string) => `add rule inet seen in ${match} counter`;
    const rules = ["ip saddr 203.0.113.5 icmp type echo-request", "ip6 saddr 2001:db8:1::5 icmpv6 type echo-request"];
    await on("web", `nft '${[chain, ...rules.map(rule)].join("; ")}'`);
    for (const to of ["198.18.7.80", "2001:db8:7::80"]) await on("hilbert", `ping -q -c 3 -i 0.2 -w 10 ${to}`);
    expect((await on("web", "nft list table inet seen")).match(/packets \d+/g)).toEqual(["packets 3", "packets 3"]);
  });

  test("what the kernels say is what was declared, and nothing is left in the end", async () => {
    await workspace.well("refresh", "--preview-only", "--diff", "--expect-no-changes");
    await workspace.well("destroy", "--yes", "--skip-preview");
    for (const host of ["gauss", "hilbert", "noether"]) {
      const left = "ip -o link show type vxlan; ls -d /etc/overlay 2>/dev/null; nft list tables | grep overlay; true";
      expect(await on(host, left)).toBe("");
    }
    expect(await on("gauss", "cat /proc/sys/net/ipv4/ip_forward")).toBe("0\n");
  });
});
