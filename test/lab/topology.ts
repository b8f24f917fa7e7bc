/** What a lab is made of, as a person writes it in YAML. Everything is checked before anything is made. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { checkedString, format, type Mismatch, parse, unlessFaulty } from "../../sdk/faults";
import * as ip from "../../sdk/network/address";

/** Where the operator's machine is. RFC 2544's and a documentation prefix: no server of a lab is there. */
export const OPERATOR = {
  prefixes: ["198.18.0.0/24", "2001:db8:ffff::/64"],
  mtu: 1500,
  kind: "internet" as const,
};
export const OPERATOR_ADDRESSES = ["198.18.0.2", "2001:db8:ffff::2"];
/** In the operator's segment: answers nothing; refuses every connection; is nobody's. */
export const DEAD = { drops: "198.18.0.251", refuses: "198.18.0.252", absent: "198.18.0.253" };

/** Network namespaces that a lab has besides its hosts' and routers'. */
const RESERVED = ["net", "internet", "operator"];

/** Part of the names of network namespaces and of interfaces, which Linux cuts at 15 characters (IFNAMSIZ). */
const name = checkedString((text) =>
  /^[a-z][a-z0-9]{0,9}$/.test(text)
    ? undefined
    : { legal: "1 to 10 lower-case letters and digits, a letter first", cure: "rename it" },
);

const address = checkedString((text) =>
  ip.address(text) === text
    ? undefined
    : {
        legal: "an IPv4 or IPv6 address in its canonical form",
        cure: ip.address(text) ? `write ${ip.address(text)}` : "correct it",
      },
);

const prefix = checkedString((text) =>
  ip.prefix(text) === text
    ? undefined
    : {
        legal: "a prefix in its canonical form, like 203.0.113.0/24",
        cure: ip.prefix(text) ? `write ${ip.prefix(text)}` : "correct it",
      },
);

const port = z.int().min(1).max(65535);

const segment = z.strictObject({
  prefixes: z.array(prefix).min(1).describe("The first address of each is the segment's router."),
  mtu: z.int().min(1280).max(9000).default(1500).describe("Bytes; 1280 is IPv6's least (RFC 8200, section 5)."),
  kind: z
    .enum(["internet", "private"])
    .default("internet")
    .describe(
      "The internet's router leads from each internet segment to all others; a private one has its own, or none.",
    ),
});

const host = z.strictObject({
  segment: z
    .union([name.transform((one) => [one]), z.array(name).min(1)])
    .describe("Several: an interface in each, eth0, eth1…; the default route goes by the first."),
  addresses: z.array(address).min(1),
  kind: z
    .enum(["container", "vm"])
    .default("container")
    .describe("A container has the machine's kernel; a vm boots one of its own, which has WireGuard."),
  image: z
    .enum(["bullseye", "bookworm", "trixie", "noble", "managers"])
    .default("bookworm")
    .describe(
      "Debian 11, 12, 13 or Ubuntu 24.04: the suite that rootfs.sh makes its root file system of. managers: Debian 12 with ufw, firewalld, Docker and others, switched off.",
    ),
  user: z.enum(["root", "admin", "guest"]).default("root").describe("Who logs in. admin has sudo, guest has not."),
});

const forward = z.strictObject({
  protocol: z.enum(["tcp", "udp"]),
  port: port.describe("On the router's outside addresses."),
  host: name,
  to: port,
});

const router = z.strictObject({
  inside: name,
  outside: name,
  addresses: z.array(address).min(1).describe("Outside."),
  masquerade: z.boolean().default(true).describe("Hides what is inside, and lets in only answers and forwards."),
  dropFragments: z.boolean().default(false).describe("Loses every IP fragment, as Hyper-V's NAT does."),
  forwards: z.array(forward).default([]),
});

type Segments = Record<string, z.output<typeof segment>>;
type Hosts = Record<string, z.output<typeof host>>;
type Routers = Record<string, z.output<typeof router>>;
type Context = z.core.$RefinementCtx;

const withOperator = (segments: Segments): Segments => ({ ...segments, operator: OPERATOR });

/** The segment's router's address: the first after the network's. */
export function gateway(prefix: string): string {
  const bytes = ipaddr.parse(prefix.split("/")[0] ?? "").toByteArray();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1;
  return ip.address(ipaddr.fromByteArray(bytes).toString()) ?? "";
}

/** The one of a segment's prefixes that holds an address. */
export const prefixOf = (segment: Segment | undefined, address: string): string | undefined =>
  segment?.prefixes.find((prefix) => ip.contains(prefix, address));

/** Whether an IPv4 address is the network's own, or its broadcast address (RFC 919). */
function spansAll(prefix: string, address: string): boolean {
  if (ip.family(prefix) === "inet6") return false;
  const all = [ipaddr.IPv4.networkAddressFromCIDR(prefix), ipaddr.IPv4.broadcastAddressFromCIDR(prefix)];
  return all.some((one) => one.toString() === address);
}

const object = (context: Context, path: PropertyKey[], { legal, cure }: Mismatch): void =>
  context.addIssue({ code: "custom", path, message: legal, params: { cure } });

const notReserved = (context: Context, kind: string, names: string[], reserved: string[]): void => {
  for (const name of names.filter((name) => reserved.includes(name))) {
    object(context, [kind, name], {
      legal: "a name that nothing else in the lab has",
      cure: "rename it",
    });
  }
};

function checkSegments({ segments }: { segments: Segments }, context: Context): void {
  notReserved(context, "segments", Object.keys(segments), ["operator"]);
  const prefixes = Object.entries(withOperator(segments)).flatMap(([name, { prefixes }]) =>
    prefixes.map((prefix, index) => ({ name, prefix, index })),
  );
  for (const [position, { name, prefix, index }] of prefixes.entries()) {
    const other = prefixes.find((one, at) => at !== position && ip.overlaps(one.prefix, prefix));
    if (other && name !== "operator") {
      object(context, ["segments", name, "prefixes", index], {
        legal: `a prefix of its own: ${other.prefix} of ${other.name} overlaps it`,
        cure: "choose another",
      });
    }
  }
}

/** Each address inside the segments it is meant for, not their routers', and nobody else's. */
function checkAddresses(
  context: Context,
  path: PropertyKey[],
  addresses: string[],
  segments: [name: string, Segment | undefined][],
  taken: Map<string, string>,
): void {
  for (const [index, address] of addresses.entries()) {
    const at = [...path, "addresses", index];
    const prefix = segments.map(([, segment]) => prefixOf(segment, address)).find((found) => found !== undefined);
    const owner = taken.get(address);
    const prefixes = segments.flatMap(([, segment]) => segment?.prefixes ?? []).join(", ");
    if (prefix === undefined) {
      object(context, at, { legal: `inside of ${prefixes}`, cure: "correct the address or the segment" });
    } else if (spansAll(prefix, address)) {
      object(context, at, {
        legal: "neither the network's own address nor its broadcast address",
        cure: "choose another",
      });
    } else if (address === gateway(prefix)) {
      object(context, at, { legal: `not ${address}, which is the segment's router's`, cure: "choose another" });
    } else if (owner !== undefined) {
      object(context, at, { legal: `an address of its own: ${owner} has it`, cure: "choose another" });
    }
    taken.set(address, path.join("."));
  }
}

const known = (context: Context, path: PropertyKey[], what: string, name: string, names: string[]): void => {
  if (!names.includes(name)) {
    object(context, path, {
      legal: `a ${what} that is declared (${names.join(", ")})`,
      cure: "declare it, or correct its name",
    });
  }
};

function checkHosts({ segments, hosts }: { segments: Segments; hosts: Hosts }, context: Context): void {
  notReserved(context, "hosts", Object.keys(hosts), RESERVED);
  const taken = new Map<string, string>();
  for (const [name, { segment, addresses }] of Object.entries(hosts)) {
    for (const one of segment) known(context, ["hosts", name, "segment"], "segment", one, Object.keys(segments));
    if (!segment.every((one) => one in segments)) continue;
    checkAddresses(
      context,
      ["hosts", name],
      addresses,
      segment.map((one) => [one, segments[one]]),
      taken,
    );
  }
}

function checkRouters(
  { segments, hosts, routers }: { segments: Segments; hosts: Hosts; routers: Routers },
  context: Context,
): void {
  notReserved(context, "routers", Object.keys(routers), [...RESERVED, ...Object.keys(hosts)]);
  const taken = new Map(
    Object.entries(hosts).flatMap(([name, { addresses }]) => addresses.map((one) => [one, `hosts.${name}`])),
  );
  for (const [name, { inside, outside, addresses, forwards }] of Object.entries(routers)) {
    const at = ["routers", name];
    known(context, [...at, "inside"], "segment", inside, Object.keys(segments));
    known(context, [...at, "outside"], "segment", outside, Object.keys(segments));
    if (segments[inside]?.kind === "internet") {
      object(context, [...at, "inside"], { legal: "a segment of kind private", cure: `make ${inside} private` });
    }
    const other = Object.entries(routers).find(([one, router]) => one !== name && router.inside === inside);
    if (other)
      object(context, [...at, "inside"], {
        legal: `a segment without a router: ${other[0]} is its`,
        cure: "remove one",
      });
    if (segments[outside]) checkAddresses(context, at, addresses, [[outside, segments[outside]]], taken);
    for (const [index, { host, protocol, port }] of forwards.entries()) {
      const behind = Object.keys(hosts).filter((one) => hosts[one]?.segment.includes(inside));
      known(context, [...at, "forwards", index, "host"], `host in ${inside}`, host, behind);
      if (forwards.findIndex((one) => one.port === port && one.protocol === protocol) < index) {
        object(context, [...at, "forwards", index, "port"], {
          legal: "a port that is forwarded once",
          cure: "choose another",
        });
      }
    }
  }
}

function check(topology: { segments: Segments; hosts: Hosts; routers: Routers }, context: Context): void {
  checkSegments(topology, context);
  checkHosts(topology, context);
  checkRouters(topology, context);
}

const file = z
  .strictObject({
    segments: z.record(name, segment),
    hosts: z.record(name, host),
    routers: z.record(name, router).default({}),
  })
  .superRefine(check, unlessFaulty("segments", "hosts", "routers"))
  .transform((topology) => ({ ...topology, segments: withOperator(topology.segments) }));

export type Topology = z.output<typeof file>;
export type Segment = z.output<typeof segment>;
export type Host = z.output<typeof host>;
export type Router = z.output<typeof router>;

/** The topology that a text in YAML declares. Throws an error that names all faults. */
export function read(yaml: string, from: string): Topology {
  let input: unknown;
  try {
    input = parseYaml(yaml);
  } catch (error) {
    throw new Error(`${from} is not YAML: ${(error as Error).message}`);
  }
  const result = parse(file, input);
  if ("faults" in result) throw new Error(`${from} has faults:\n${format(result.faults)}`);
  return result.value;
}

/** Reads a topology by its name in `folder`, or by its file. */
export function load(from: string, folder: string): Topology {
  const path = [join(folder, `${from}.yaml`), from].find((one) => existsSync(one));
  if (path === undefined) {
    const names = readdirSync(folder).map((one) => one.replace(/\.yaml$/, ""));
    throw new Error(`${from} is no topology: neither a file nor one of ${names.sort().join(", ")}`);
  }
  return read(readFileSync(path, "utf8"), path);
}
