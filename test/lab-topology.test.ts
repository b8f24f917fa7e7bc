/** What a topology may say, and the words that a lab's network is made and broken with: golden files in lab/golden. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Break, bridgeRules } from "./lab/breaks";
import { routers } from "./lab/mtu";
import { gateway, load, read } from "./lab/topology";
import { dial, hostCables, hostGateways, namespaces } from "./lab/wires";
import { expectGolden } from "./sdk/golden";

const folder = join(__dirname, "lab/golden");
const topologies = join(__dirname, "lab/topologies");
const routed = load("routed", folder);

test.each(["faults", "shapes"])("%s: all at once, each with its cure", (name) => {
  const yaml = readFileSync(join(folder, `${name}.yaml`), "utf8");
  let said = "no faults";
  try {
    read(yaml, `${name}.yaml`);
  } catch (error) {
    said = (error as Error).message;
  }
  expectGolden(join(folder, `${name}.txt`), `${said}\n`);
});

test.each(readdirSync(topologies))("topologies/%s is sound", (file) => {
  const { hosts, segments } = load(file.replace(/\.yaml$/, ""), topologies);
  expect(Object.keys(hosts).length).toBeGreaterThan(0);
  expect(segments.operator?.kind).toBe("internet");
});

test("the words that make a lab's network", () => {
  const words = namespaces("lab", routed).map(({ name, sysctls, ip, nft }) =>
    [`# ${name}`, ...sysctls.map((one) => `sysctl -w ${one}`), ...ip.map((one) => `ip ${one}`), nft].join("\n"),
  );
  const cables = Object.keys(routed.hosts).flatMap((host) => [`# ${host}`, ...hostCables("lab", routed, host)]);
  expectGolden(join(folder, "routed.txt"), `${[...words, ...cables].join("\n")}\n`);
});

test("the words that break it", () => {
  const breaks: Break[] = [
    { kind: "drop", target: "desk" },
    { kind: "drop", target: "segment/home" },
    { kind: "loss", target: "isp", percent: 12.5 },
    { kind: "loss", target: "alone", percent: 100 },
    { kind: "mtu", target: "isp", bytes: 1400, silent: false },
    { kind: "mtu", target: "home", bytes: 1300, silent: true },
    { kind: "link", target: "nas" },
  ];
  const words = routers(routed, breaks).map(({ router, clear, ip, nft }) =>
    [
      `# ${router}`,
      ...clear.map((one) => `ip -force ${one}`),
      ...ip.inet.map((one) => `ip -4 ${one}`),
      ...ip.inet6.map((one) => `ip -6 ${one}`),
      nft,
    ].join("\n"),
  );
  expectGolden(join(folder, "routed-broken.txt"), `${[bridgeRules(routed, breaks), ...words].join("\n")}\n`);
});

test("nothing broken is nothing told to the bridges but an empty chain, and no rule to a router", () => {
  expect(bridgeRules(routed, []).match(/iifname|oifname/)).toBeNull();
  expect(
    routers(routed, [])
      .flatMap(({ ip }) => [...ip.inet, ...ip.inet6])
      .join("\n"),
  ).not.toMatch(/mtu|rule/);
});

test("the operator dials a host itself, its router's port for it, or not at all", () => {
  expect(dial(routed, "desk")).toEqual({ host: "10.1.0.10", port: 22 });
  expect(dial(routed, "nas")).toBeUndefined();
  expect(dial(load("home", topologies), "nas")).toEqual({ host: "198.51.100.20", port: 2222 });
});

test("default gateways are the first segment's router, one a family, and none where there is no router", () => {
  expect(hostGateways(routed, "nas")).toEqual(["192.168.1.1", "fd00:1::1"]);
  expect(hostGateways(routed, "alone")).toEqual([]);
  expect(["10.0.0.0/8", "10.1.2.128/25", "fd00::/8", "2001:db8:1:2:3:4:5:0/112"].map(gateway)).toEqual([
    "10.0.0.1",
    "10.1.2.129",
    "fd00::1",
    "2001:db8:1:2:3:4:5:1",
  ]);
});

test("a topology that is not there is an error that names those that are", () => {
  expect(() => load("nowhere", topologies)).toThrow(/neither a file nor one of home, .*lab, /);
});

test("what is not YAML is an error that names the file and the line", () => {
  expect(() => read("segments: [", "my.yaml")).toThrow(/my\.yaml is not YAML: .*line 1/s);
});
