/** The package as npm hands it out: what is in it, and the first program of the README with nothing but it in an empty folder. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { must, run } from "../../lab/run";
import { MOST as MOST_SECONDS } from "../../long/newcomer";
import { expectGolden, golden } from "../../sdk/golden";
import { backend } from "../backend";
import { atHome, follow, PLAN, PROJECT, packed } from "./newcomer";
import { counted, devices, diagnostics } from "./output";
import { root } from "./workspace";

jest.setTimeout(600_000);

const MINUTE = 60_000;
/** What of @pulumi/pulumi the package says that it runs with. */
const supported: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).peerDependencies[
  "@pulumi/pulumi"
];
/** The package's file is to be smaller, in bytes. */
const MOST = 1_000_000;
const tool = (name: string): string => join(root, "node_modules/.bin", name);

describeWhere("engine", "the package", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-package-"));
  let tarball: string;

  beforeAll(async () => {
    tarball = await packed(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is small, and what it exports is there, with types for CommonJS, ESM and bundlers", async () => {
    expect(statSync(tarball).size).toBeLessThan(MOST);
    const publint = await run([tool("publint"), "--strict", tarball], { timeout: MINUTE });
    expect(publint.stdout).toContain("All good!");
    const types = await run([tool("attw"), "--no-emoji", "--no-color", tarball], { timeout: MINUTE });
    expect(types).toMatchObject({ code: 0, stdout: expect.stringContaining("No problems found") });
  });

  test("what its README and its pages lead to is there", async () => {
    const files = (await must(["tar", "-tzf", tarball])).split("\n").map((path) => path.replace(/^package\//, ""));
    const pages = files.filter((path) => /^(README|docs\/[^/]+)\.md$/.test(path));
    expect(pages).toEqual(expect.arrayContaining(["README.md", "docs/languages.md"]));
    const broken = pages.flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
        .map(([, to = ""]) => normalize(join(dirname(page), to)))
        .filter((to) => !files.includes(to))
        .map((to) => `${page}: ${to}`),
    );
    expect(broken).toEqual([]);
  });

  describe.each([
    ["lowest", supported.replace("^", "")],
    ["newest", supported],
  ])("in an empty folder, with the %s supported @pulumi/pulumi, %s", (which, wanted) => {
    const net = join(folder, which);

    test("the README's first program is previewed as the README says, in less than five minutes", async () => {
      const { said, seconds } = await follow(net, tarball, wanted);
      expect(said).toContain("+ 8 to create");
      expect(diagnostics(said)["overlay:wireguard:Interface (lux-fra@fra)"]).toEqual(PLAN.trim().split("\n"));
      expect(said).not.toMatch(/warning:/);
      expect(seconds).toBeLessThan(MOST_SECONDS);
    });

    test("it is the same with the plugin on PATH", async () => {
      writeFileSync(join(net, "Pulumi.yaml"), PROJECT.replace(/^plugins:.*/ms, ""));
      const env = { ...atHome(net), PATH: `${join(net, "node_modules/.bin")}:${process.env.PATH}` };
      const said = await must(["pulumi", "preview"], { cwd: net, timeout: 2 * MINUTE, env });
      writeFileSync(join(net, "Pulumi.yaml"), PROJECT);
      expect(diagnostics(said)["overlay:wireguard:Interface (lux-fra@fra)"]).toEqual(PLAN.trim().split("\n"));
      expect(said.replace(/warning: using pulumi-resource-overlay from \$PATH at /g, "")).not.toMatch(/warning:/);
    });

    test("there is that one, once", async () => {
      const known = JSON.parse(await must(["npm", "view", `@pulumi/pulumi@${wanted}`, "version", "--json"]));
      const copies = JSON.parse(await must(["npm", "query", `[name="@pulumi/pulumi"]`], { cwd: net }));
      const all = copies.map(({ location, version }: Record<string, string>) => [location, version]);
      expect(all).toEqual([["node_modules/@pulumi/pulumi", [known].flat().at(-1)]]);
    });

    test("docs/existing-repo.md's program is previewed as it is in the repository, before its servers are there and after", async () => {
      const shop = join(folder, `shop-${which}`);
      cpSync(join(root, "test/consumer"), shop, { recursive: true });
      symlinkSync(join(net, "node_modules"), join(shop, "node_modules"));
      const env = { ...atHome(shop), ...backend(join(shop, "state")).environment };
      const pulumi = (...words: string[]) => must(["pulumi", ...words], { cwd: shop, timeout: 3 * MINUTE, env });
      await pulumi("stack", "init", "dev");
      await pulumi("config", "set", "overlay:ssh", "/bin/false");
      expectGolden(join(golden, "consumer/first.txt"), devices(await pulumi("preview")));
      await pulumi("up", "--yes", "--skip-preview", "--target", "**cloud:index:*::*");
      expectGolden(join(golden, "consumer/known.txt"), devices(await pulumi("preview")));
    });

    describeWhere(["lab", "engine"], "on hosts", () => {
      const name = `package${which}`;
      afterAll(() => Lab.down(name));

      test("that program goes up, is read back as it was declared, has nothing to do, and goes", async () => {
        const lab = await Lab.up("lab", { name, fresh: true });
        const shop = join(folder, `shop-${which}`);
        const env = { ...atHome(shop), ...backend(join(shop, "state")).environment, OVERLAY_ALLOW_DESTROY: "on" };
        const pulumi = (...words: string[]) => must(["pulumi", ...words], { cwd: shop, timeout: 3 * MINUTE, env });
        await pulumi("destroy", "--yes", "--skip-preview"); // servers that are nowhere
        writeFileSync(join(shop, "lab.json"), JSON.stringify(lab.json));
        await pulumi("config", "set", "overlay:ssh", lab.json.ssh);
        expect(counted(await pulumi("up", "--yes", "--skip-preview"))).toEqual(["+ 25 created"]);
        for (const to of ["10.255.0.2", "10.100.0.2"])
          expect((await lab.exec("lux", `ping -n -q -c 3 -W 5 ${to}`)).stdout).toContain(" 0% packet loss");
        await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        expect(counted(await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes"))).toEqual(["25 unchanged"]);
        await pulumi("destroy", "--yes", "--skip-preview");
        expect((await lab.exec("lux", "ip -o link show group 28417; ls -d /etc/overlay")).stdout).toBe("");
      });
    });

    test("each room of the sdk is to be had by its name, and so is a file of one", async () => {
      const all = readdirSync(join(net, "node_modules/pulumi-overlay/dist/sdk"), { withFileTypes: true });
      const within = (room: string) => readdirSync(join(net, "node_modules/pulumi-overlay/dist/sdk", room));
      const rooms = all
        .filter((it) => it.isDirectory() && within(it.name).includes("index.js"))
        .map(({ name }) => name);
      expect(rooms).toEqual(expect.arrayContaining(["host", "kernel", "truth", "wireguard"]));
      for (const room of [...rooms, "network/mtu"]) {
        const program = `process.stdout.write(Object.keys(require("pulumi-overlay/sdk/${room}")).join(" "))`;
        expect(await must([process.execPath, "-e", program], { cwd: net })).toMatch(/\w/);
      }
    });
  });
});
