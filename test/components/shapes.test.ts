/** Many links at once. */
import { fullMesh, OverlayNode, star, type WgLink } from "../../components";
import { registered } from "./declare";

const nodes = (): OverlayNode[] =>
  ["lux", "fra", "hkg", "nas"].map(
    (name, index) =>
      new OverlayNode(name, {
        id: index + 1,
        connection: { host: `${name}.example` },
        addresses: [`10.255.0.${index + 1}`],
        endpoints: name === "nas" ? [] : [`203.0.113.${index + 1}`],
      }),
  );

async function made(shape: (nodes: OverlayNode[]) => WgLink[]): Promise<string[]> {
  const all = await registered(() => {
    shape(nodes());
  });
  return all.filter(({ type }) => type === "overlay:wireguard:Interface").map(({ name }) => name);
}

test("a full mesh has a link between every two, named in the order given", async () => {
  expect(await made((all) => fullMesh(all))).toEqual([
    "fra-hkg@fra",
    "fra-hkg@hkg",
    "fra-nas@fra",
    "fra-nas@nas",
    "hkg-nas@hkg",
    "hkg-nas@nas",
    "lux-fra@fra",
    "lux-fra@lux",
    "lux-hkg@hkg",
    "lux-hkg@lux",
    "lux-nas@lux",
    "lux-nas@nas",
  ]);
  expect(await made(([one]) => fullMesh(one ? [one] : []))).toEqual([]);
});

test("a star has a link from the hub to every other", async () => {
  const around = (all: OverlayNode[]) => star(all[0] as OverlayNode, all);
  expect(await made(around)).toEqual([
    "lux-fra@fra",
    "lux-fra@lux",
    "lux-hkg@hkg",
    "lux-hkg@lux",
    "lux-nas@lux",
    "lux-nas@nas",
  ]);
});

test("what is said of all is said of each", async () => {
  const all = await registered(() => {
    const [hub, ...others] = nodes();
    star(hub as OverlayNode, others, { mtu: 1400, keepalive: 15, family: "inet" });
  });
  const specs = all.filter(({ type }) => type === "overlay:wireguard:Interface").map(({ inputs }) => inputs.spec);
  expect(specs.map(({ mtu }) => mtu)).toEqual([1400, 1400, 1400, 1400, 1400, 1400]);
  expect(specs.map(({ peer }) => peer.keepalive)).toEqual([15, 15, 15, 15, undefined, 15]);
});
