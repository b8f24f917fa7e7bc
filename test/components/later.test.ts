/** What the schema lets be an Output, in every language, is accepted as one of which nothing is known yet; the rest is marked plain. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type Checked, Network } from "../../components/network";
import { type Fault, format } from "../../sdk/faults";
import { reference } from "./declare";

interface Property {
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  plain?: boolean;
}
type Properties = Record<string, Property>;
const { resources, types } = JSON.parse(readFileSync(join(__dirname, "../../schema.json"), "utf8")) as {
  resources: Record<string, { isComponent?: boolean; inputProperties: Properties }>;
  types: Record<string, { properties?: Properties }>;
};

type Path = (string | number)[];

/** Where a value may be an Output, itself or within: `*` stands for any name. */
function places({ $ref, items, additionalProperties, plain }: Property, path: Path): Path[] {
  const fields = types[$ref?.replace("#/types/", "") ?? ""]?.properties ?? {};
  return [
    ...(plain ? [] : [path]),
    ...Object.entries(fields).flatMap(([name, it]) => places(it, [...path, name])),
    ...(items ? places(items, [...path, 0]) : []),
    ...(additionalProperties ? places(additionalProperties, [...path, "*"]) : []),
  ];
}

/** A copy with something else at a place; undefined where there is nothing at the place. */
function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return value === undefined ? undefined : by;
  if (typeof value !== "object" || value === null || pulumi.Resource.isInstance(value)) return undefined;
  const name = first === "*" ? Object.keys(value)[0] : first;
  const inner = name === undefined ? undefined : replaced(Reflect.get(value, name), rest, by);
  if (inner === undefined) return undefined;
  return Array.isArray(value) ? value.with(Number(name), inner) : { ...value, [name as string]: inner };
}

const node = (id: number, at: string) => ({
  id,
  connection: { host: at },
  addresses: [`10.255.0.${id}`, `fd00:6f::${id}`],
  endpoints: [{ address: at }],
});
const peer = {
  name: "phone",
  id: 50,
  publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
  addresses: ["10.255.0.50"],
  endpoint: "192.0.2.80:51820",
  routes: ["192.168.9.0/24"],
};
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const [a, b] = [reference("lux"), reference("fra")];
const link = Object.assign(reference("lux"), {
  __pulumiType: "overlay:index:WgLink",
  linkName: "lux-fra",
  formerNames: [],
});

/** Lux and fra, with a link where that is needed. */
function network(linked = false): Network {
  const made = new Network();
  made.addNode("lux", node(1, "203.0.113.5"));
  made.addNode("fra", node(2, "198.51.100.9"));
  if (linked) made.addLink("lux-fra", { a, b });
  return made;
}

const faultsOf = (checked: Checked<unknown>): Fault[] => ("faults" in checked ? checked.faults : []);

// biome-ignore lint/suspicious/noExplicitAny: what a program gave
type Try = [args: object, faults: (args: any) => Fault[]];

const SAMPLES: Record<string, Try[]> = {
  OverlayNode: [
    [
      {
        ...node(3, "192.0.2.7"),
        connection: { host: "hkg", port: 22, user: "root", hostKey, proxyJump: "bastion", connectTimeout: 10 },
        endpoints: [{ address: "192.0.2.7", ports: [443] }],
        prefixes: ["10.255.0.0/24"],
        ports: [51820],
        portBase: 20000,
        underlay: { mtu: 1492, devices: [] },
      },
      (args) => faultsOf(network().addNode("hkg", args)),
    ],
    [
      { id: 3, connection: { host: "hkg", hostKey }, prepare: ["apt-get update"] },
      (args) => faultsOf(network().addNode("hkg", args)),
    ],
  ],
  WgLink: [
    [
      { a, b, mtu: 1380, ports: { a: 51820, b: 51821 }, routes: { a: ["192.168.6.0/24"], b: ["192.168.7.0/24"] } },
      (args) => faultsOf(network().addLink("lux-fra", args)),
    ],
    [{ a, peer }, (args) => faultsOf(network().addLink("lux-phone", args))],
  ],
  WgMesh: [
    [
      { nodes: [a, b], peers: [peer], routes: { fra: ["192.168.7.0/24"] }, mtu: 1380, port: 51820 },
      (args) => faultsOf(network().addMesh("mesh", args)),
    ],
  ],
  RosenpassPeer: [[{ link, port: 51830 }, (args) => faultsOf(network(true).addRosenpass("keys", args))]],
  VxlanSegment: [
    [
      {
        vni: 100,
        variant: "route-short-circuit",
        mtu: 1350,
        members: [
          {
            node: a,
            addresses: ["10.100.0.1/24"],
            bridge: { ports: ["eth1"], stp: true },
            behind: [{ mac: "52:54:00:12:34:56", addresses: ["10.100.0.50"] }],
            vtep: "10.255.0.1",
            routes: ["192.168.9.0/24"],
          },
          { node: b, addresses: ["10.100.0.2/24"] },
        ],
        router: { mac: "02:00:5e:00:01:01", addresses: ["10.100.0.254"], routes: ["10.101.0.0/24"] },
      },
      (args) => {
        const declared = network(true);
        const checked = declared.addSegment("lan", args);
        return "value" in checked ? declared.segmentFaults(checked.value) : checked.faults;
      },
    ],
  ],
};

const all = Object.entries(resources)
  .filter(([, { isComponent }]) => isComponent)
  .flatMap(([token, { inputProperties }]) =>
    Object.entries(inputProperties).flatMap(([name, property]) =>
      places(property, [name]).map((path): [string, Path] => [token.split(":").at(-1) ?? "", path]),
    ),
  );

const agent = process.env.SSH_AUTH_SOCK;
beforeAll(() => {
  process.env.SSH_AUTH_SOCK = "/run/agent";
});
afterAll(() => {
  if (agent === undefined) delete process.env.SSH_AUTH_SOCK;
  else process.env.SSH_AUTH_SOCK = agent;
});

test("the samples have no faults as they are", () => {
  for (const tries of Object.values(SAMPLES)) for (const [args, faults] of tries) expect(format(faults(args))).toBe("");
  expect(all.length).toBeGreaterThan(40);
});

test.each(all.map(([component, path]) => [`${component}: ${path.join(".")}`, component, path] as const))(
  "%s",
  (_, component, path) => {
    const unknown = pulumi.output(new Promise<never>(() => undefined));
    const [tried, faults] = (SAMPLES[component] ?? [])
      .map(([args, faults]) => [replaced(args, path, unknown), faults] as const)
      .find(([args]) => args !== undefined) ?? [undefined, () => []];
    expect(tried).toBeDefined();
    expect(format(faults(tried))).toBe("");
  },
);

test("what is marked plain is refused as an Output, or the mark would keep from SDKs what could be had", () => {
  const unknown = pulumi.output(new Promise<never>(() => undefined));
  const [args, faults] = SAMPLES.OverlayNode?.[0] ?? [{}, () => []];
  const plain = Object.keys(args).filter(
    (name) => resources["overlay:index:OverlayNode"]?.inputProperties[name]?.plain,
  );
  expect(plain).toEqual(["id"]);
  for (const name of plain) expect(faults({ ...args, [name]: unknown })).not.toEqual([]);
});
