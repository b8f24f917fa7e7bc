/** What only the live host can tell, on what a real one printed. */
import { format, parse } from "../../../sdk/faults";
import { wireguard } from "../../../sdk/wireguard";
import { captured } from "../kernel/captured";

const host = captured("fresh");

function said(spec: object, snapshot = host): string {
  const whole = {
    node: "fra",
    owner: "net/prod",
    link: "lux-fra",
    device: "inter-lux",
    id: 2,
    mtu: 1420,
    listenPort: 11001,
  };
  const peer = { name: "lux", id: 1, publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=" };
  const result = parse(wireguard.spec, { ...whole, peer, ...spec });
  if ("faults" in result) throw new Error(format(result.faults));
  return format(wireguard.faults?.(result.value, snapshot) ?? []);
}

test("a link on a machine of its stack has no faults, and the same machine is no other stack's", () => {
  expect(said({})).toBe("");
  expect(said({ owner: "net/other" })).toContain("a machine that belongs to the stack net/prod");
});

describe("a port that a WireGuard device listens on", () => {
  test("is free again when the device is ours: it may be about to go", () => {
    expect(said({ listenPort: 11003 })).toBe("");
  });
  test("is a fault when the device is somebody else's", () => {
    const links = host.links.map((link) => {
      const { ifalias: _, ...foreign } = link;
      return link.ifname === "inter-hkg" ? { ...foreign, group: "0" } : link;
    });
    expect(said({ listenPort: 11003 }, { ...host, links })).toBe(
      "listenPort: found 11003, legal is a port that nothing else listens on, and the host's device inter-hkg listens on this one; give the link another port in `ports`.",
    );
  });
});
