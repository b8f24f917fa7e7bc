/** The package as npm hands it out: what is in it, and the first program of the README with nothing but it in an empty folder. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { must, run } from "../../lab/run";
import { backend } from "../backend";
import { diagnostics } from "./output";
import { root } from "./workspace";

jest.setTimeout(300_000);

const MINUTE = 60_000;
/** What of @pulumi/pulumi the package says that it runs with. */
const supported: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies["@pulumi/pulumi"];
/** The package's file is to be smaller, in bytes. */
const MOST = 1_000_000;
const tool = (name: string): string => join(root, "node_modules/.bin", name);

/** The blocks of code of a section of the README, by language: the first of each. */
function blocks(section: string): Record<string, string> {
  const [, text = ""] = readFileSync(join(root, "README.md"), "utf8").split(`\n## ${section}\n`);
  const all = [...(text.split("\n## ")[0] ?? "").matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  return Object.fromEntries(all.reverse().map(([, language, code]) => [language, code ?? ""]));
}

describeWhere("engine", "the package", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-package-"));
  const source = join(folder, "source");
  let tarball: string;

  // Of a copy: packing makes the build anew, and others use this one.
  beforeAll(async () => {
    mkdirSync(source);
    const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: root });
    execFileSync("sh", ["-c", `tar --null -T - -cf - | tar -xf - -C ${source}`], { cwd: root, input: files });
    symlinkSync(join(root, "node_modules"), join(source, "node_modules"));
    const packed = await must(["npm", "pack", "--silent", "--pack-destination", folder], {
      cwd: source,
      timeout: 4 * MINUTE,
    });
    tarball = join(folder, packed.trim());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is small, and what it exports is there, with types for CommonJS, ESM and bundlers", async () => {
    expect(statSync(tarball).size).toBeLessThan(MOST);
    const publint = await run([tool("publint"), "--strict", tarball], { timeout: MINUTE });
    expect(publint.stdout).toContain("All good!");
    const types = await run([tool("attw"), "--no-emoji", "--no-color", tarball], { timeout: MINUTE });
    expect(types).toMatchObject({ code: 0, stdout: expect.stringContaining("No problems found") });
  });

  test("its changelog tells of this version, and of its plans", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const [, ...releases] = readFileSync(join(root, "CHANGELOG.md"), "utf8").split("\n## ");
    expect(releases[0]).toMatch(new RegExp(`^${version}\\b`));
    for (const release of releases) expect(release).toMatch(/^### Plans\n\n\S/m);
  });

  describe.each([
    ["lowest", supported.replace("^", "")],
    ["newest", supported],
  ])("in an empty folder, with the %s supported @pulumi/pulumi, %s", (which, wanted) => {
    const net = join(folder, which);
    const { sh = "", yaml = "", ts = "" } = blocks("A first program");
    const state = backend(join(folder, `state-${which}`));
    const pulumi = (environment: object, ...words: string[]) =>
      run(["pulumi", ...words, "--non-interactive", "--color", "never"], {
        cwd: net,
        timeout: 2 * MINUTE,
        env: {
          ...process.env,
          ...state.environment,
          PULUMI_HOME: join(folder, `home-${which}`),
          PULUMI_CONFIG_PASSPHRASE: "",
          ...environment,
        },
      });

    beforeAll(async () => {
      mkdirSync(net);
      const install = `install --no-audit --no-fund ${tarball} "@pulumi/pulumi@${wanted}"`;
      await must(["sh", "-ec", sh.replace("install pulumi-overlay", install)], {
        cwd: net,
        timeout: 4 * MINUTE,
      });
      const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
      writeFileSync(join(net, "index.ts"), ts.replace("ssh-ed25519 AAAA…", key));
      writeFileSync(join(net, "Pulumi.yaml"), yaml);
      expect((await pulumi({}, "stack", "init", "dev")).code).toBe(0);
    });

    test("there is that one, once", async () => {
      const known = JSON.parse(await must(["npm", "view", `@pulumi/pulumi@${wanted}`, "version", "--json"]));
      const copies = JSON.parse(await must(["npm", "query", `[name="@pulumi/pulumi"]`], { cwd: net }));
      const all = copies.map(({ location, version }: Record<string, string>) => [location, version]);
      expect(all).toEqual([["node_modules/@pulumi/pulumi", [known].flat().at(-1)]]);
    });

    test.each([
      ["as the README says", yaml, {}],
      [
        "with the plugin on PATH",
        yaml.replace(/^plugins:.*/ms, ""),
        { PATH: `${join(net, "node_modules/.bin")}:${process.env.PATH}` },
      ],
    ])("the README's first program is previewed, %s", async (_, text, environment) => {
      writeFileSync(join(net, "Pulumi.yaml"), text);
      const { code, stdout } = await pulumi(environment, "preview");
      expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("+ 8 to create") });
      const told = diagnostics(stdout);
      expect(told["overlay:wireguard:Interface (lux-fra@fra)"]).toContain(
        "wg set inter-lux peer <known after lux is created> allowed-ips 0.0.0.0/0,::/0 endpoint 203.0.113.5:11002 persistent-keepalive 25",
      );
      expect(stdout.replace(/warning: using pulumi-resource-overlay from \$PATH at /g, "")).not.toMatch(/warning:/);
    });

    test("a room of the sdk is to be had by its name", async () => {
      const program = 'process.stdout.write(Object.keys(require("pulumi-overlay/sdk/network/mtu")).join(" "))';
      expect(await must([process.execPath, "-e", program], { cwd: net })).toMatch(/\w/);
    });
  });
});
