/** Two nodes and a link from a Python program, by the same plugin, which the engine finds on PATH. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { describeWhere, hindrance } from "../../can";
import { Lab } from "../../lab";
import { counted } from "./output";
import { root, Workspace } from "./workspace";

jest.setTimeout(300_000);

const program = join(__dirname, "python");
const read = (name: string): string => readFileSync(join(program, name), "utf8");

/** A virtual environment with the program's requirements, made once a machine: its folder. */
function environment(): string {
  const version = execFileSync("python3", ["--version"], { encoding: "utf8" });
  const hash = createHash("sha256")
    .update(version + read("requirements.txt"))
    .digest("hex")
    .slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-overlay/python", hash);
  if (existsSync(join(folder, "complete"))) return folder;
  const making = `${folder}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  execFileSync("python3", ["-m", "venv", making]);
  const install = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "-r",
    join(program, "requirements.txt"),
  ];
  execFileSync(join(making, "bin/python3"), install, { stdio: "inherit" });
  writeFileSync(join(making, "complete"), "");
  rmSync(folder, { recursive: true, force: true });
  renameSync(making, folder);
  return folder;
}

/** Where it cannot be built, the program goes without keys. */
const keyed = hindrance("rosenpass") === undefined;
const rosenpass = () => {
  const path = realpathSync(join(root, "dist/.bin/rosenpass"));
  return { path, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
};

describeWhere(["lab", "engine", "python"], "a program in Python", () => {
  let lab: Lab;
  let workspace: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "python", fresh: true });
    const binary = keyed ? rosenpass() : null;
    const files = ["Pulumi.yaml", "__main__.py", "overlay.py"].map((name) => [name, read(name)]);
    workspace = await Workspace.make({
      lab,
      files: { ...Object.fromEntries(files), "rosenpass.json": JSON.stringify(binary) },
      environment: { PATH: [join(environment(), "bin"), join(root, "bin"), process.env.PATH].join(":") },
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
    expect(counted(text)).toEqual([keyed ? "+ 18 created" : "+ 11 created"]);
    expect(connections).toBe(2);
    const { code } = await lab.exec(
      "lux",
      "ping -n -c 3 -i 0.2 -W 5 10.255.0.2 && ping -n -c 3 -i 0.2 -W 5 10.100.0.2 && ping -n -c 3 -i 0.2 -W 5 fd00:6f::2",
    );
    expect(code).toBe(0);
    const outputs = JSON.parse((await workspace.well("stack", "output", "--json")).text);
    expect(outputs.segment[1]).toEqual({ node: "fra", device: "vx-lan", vtep: "10.255.0.2", mtu: 1370 });
    expect(outputs.health).toBe(keyed ? "healthy" : undefined);
    expect(outputs).toMatchObject({ link: { node: "lux", device: "inter-fra", endpoint: "198.51.100.9:11001" } });
  });

  test("faults are the same sentences, and show no value of an unknown field", async () => {
    const faulty = read("__main__.py").replace("keepalive=", 'mtu=1500, keepalve="hunter2", keepalive=');
    writeFileSync(join(workspace.folder, "__main__.py"), faulty);
    const { code, text, connections } = await workspace.run("preview");
    expect({ code, connections }).toEqual({ code: 1, connections: 0 });
    expect(text).toContain(
      "keepalve: legal is one of a, adopt, alsoPorts, b, devices, family, keepalive, mtu, peer, ports, rotate, routes;",
    );
    expect(text).not.toContain("hunter2");
    writeFileSync(join(workspace.folder, "__main__.py"), read("__main__.py"));
  });

  test("with nothing to do no host is connected to", async () => {
    const again = await workspace.well("up", "--yes", "--skip-preview");
    expect({ counted: counted(again.text), connections: again.connections }).toEqual({
      counted: [keyed ? "18 unchanged" : "11 unchanged"],
      connections: 0,
    });
  });
});
