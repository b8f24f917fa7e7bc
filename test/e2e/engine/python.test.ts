/** Nodes, a link, a segment and a mesh from a Python program on the SDK for it, by the same plugin, which the engine finds on PATH. */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWhere, hindrance } from "../../can";
import { Lab } from "../../lab";
import { counted } from "./output";
import { virtualEnvironment } from "./sdks";
import { root, Workspace } from "./workspace";

jest.setTimeout(600_000);

const program = join(__dirname, "python");
const read = (name: string): string => readFileSync(join(program, name), "utf8");

/** Where it cannot be built, the program goes without keys. */
const keyed = hindrance("rosenpass") === undefined;
const rosenpass = () => {
  const path = realpathSync(join(root, "dist/.bin/rosenpass"));
  return { path, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
};

describeWhere(["lab", "engine", "python", "sdks"], "a program in Python", () => {
  let lab: Lab;
  let workspace: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "python", fresh: true });
    const binary = keyed ? rosenpass() : null;
    const files = ["Pulumi.yaml", "__main__.py"].map((name) => [name, read(name)]);
    workspace = await Workspace.make({
      lab,
      files: { ...Object.fromEntries(files), "rosenpass.json": JSON.stringify(binary) },
      environment: { PATH: [join(await virtualEnvironment(), "bin"), join(root, "bin"), process.env.PATH].join(":") },
    });
  });
  afterAll(async () => {
    workspace?.remove();
    await Lab.down("python");
  });

  test("a node is an argument of a link, what is not known yet has its place in the preview, and packets pass", async () => {
    const { text, connections } = await workspace.well("up", "--yes");
    expect(text).toContain(
      "wg set inter-fra peer <known after fra is created> allowed-ips 0.0.0.0/0,::/0 endpoint 198.51.100.9:11001 persistent-keepalive 25\n",
    );
    expect(counted(text)).toEqual([keyed ? "+ 23 created" : "+ 16 created"]);
    expect(connections).toBe(3);
    const { code } = await lab.exec(
      "lux",
      "ping -n -c 3 -i 0.2 -W 5 10.255.0.2 && ping -n -c 3 -i 0.2 -W 5 10.100.0.2 && ping -n -c 3 -i 0.2 -W 5 fd00:6f::2",
    );
    expect(code).toBe(0);
    expect((await lab.exec("fra", "ping -n -c 3 -i 0.2 -W 5 10.255.0.3 && ip route get 192.168.8.1")).stdout).toMatch(
      /192\.168\.8\.1 dev mesh /,
    );
    const outputs = JSON.parse((await workspace.well("stack", "output", "--json")).text);
    expect(outputs.segment[1]).toEqual({ node: "fra", device: "vx-lan", vtep: "10.255.0.2", mtu: 1370 });
    expect(outputs.health).toBe(keyed ? "healthy" : undefined);
    expect(outputs.mesh).toEqual(
      ["fra", "hkg"].map((node) => expect.objectContaining({ node, device: "mesh", mtu: 1420 })),
    );
    expect(outputs).toMatchObject({ link: { node: "lux", device: "inter-fra", endpoint: "198.51.100.9:11001" } });
  });

  test("faults are the same sentences, and show no value of an unknown field", async () => {
    const faulty = read("__main__.py")
      .replace("keepalive=keepalive", "keepalive=keepalive, mtu=1500")
      .replace(/overlay\.ConnectionArgs\(.*\)(?=,)/, '{"host": host["addresses"][0], "hostKy": "hunter2"}');
    writeFileSync(join(workspace.folder, "__main__.py"), faulty);
    const { code, text, connections } = await workspace.run("preview");
    expect({ code, connections }).toEqual({ code: 1, connections: 0 });
    expect(text).toContain("connection.hostKy: legal is one of connectTimeout, host, hostKey, port, proxyJump, user;");
    expect(text).not.toContain("hunter2");
    writeFileSync(join(workspace.folder, "__main__.py"), read("__main__.py"));
  });

  test("with nothing to do no host is connected to", async () => {
    const again = await workspace.well("up", "--yes", "--skip-preview");
    expect({ counted: counted(again.text), connections: again.connections }).toEqual({
      counted: [keyed ? "23 unchanged" : "16 unchanged"],
      connections: 0,
    });
  });
});
