/** The image of the lab's vms: trusted only when it is whole, and made by these scripts of this root file system. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describeWhere } from "../../can";
import { labFolder, SOURCES, writeJson } from "../files";
import { must, run } from "../run";

jest.setTimeout(300_000);

const MONTHS_AGO = new Date(Date.now() - 60 * 24 * 60 * 60_000);
/** No lab, but what one would have here that has long been up. */
const LAB = labFolder("timage");

describeWhere(["lab", "vm"], "the image of vms", () => {
  let folder: string;
  let rootfs: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "overlay-image-"));
    rootfs = (await must(["sh", join(SOURCES, "rootfs.sh")], { timeout: 280_000 })).trim();
  });
  afterAll(() => {
    for (const one of [folder, LAB]) rmSync(one, { recursive: true, force: true });
  });

  /** image.sh with a cache of its own. */
  const image = (scripts: string, ...args: string[]) =>
    run(["env", `XDG_CACHE_HOME=${join(folder, "cache")}`, "sh", join(scripts, "vm/image.sh"), ...args], {
      timeout: 280_000,
    });

  test("damaged or of other scripts it is not taken; what was left half-made or is long unused goes", async () => {
    expect(await image(SOURCES, "--check", rootfs)).toMatchObject({ code: 1, stdout: "" });
    const half = join(folder, "cache/pulumi-overlay/vm/0123456789abcdef.999999999");
    mkdirSync(half, { recursive: true });
    const [unused, used, recent] = ["a", "b", "c"].map((one) => join(dirname(half), one)) as [string, string, string];
    for (const old of [unused, used, recent]) {
      mkdirSync(old);
      writeFileSync(join(old, ".stamp"), "");
      if (old !== recent) utimesSync(join(old, ".stamp"), MONTHS_AGO, MONTHS_AGO);
    }
    mkdirSync(LAB, { recursive: true });
    writeJson(join(LAB, "images.json"), { lux: used });
    const made = await image(SOURCES, rootfs);
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining("Debian's cloud kernel")]);
    const path = made.stdout.trim();
    expect(dirname(path)).toBe(dirname(half));
    expect([half, unused, used, recent].map(existsSync)).toEqual([false, false, true, true]);
    utimesSync(join(path, ".stamp"), MONTHS_AGO, MONTHS_AGO);
    expect(await image(SOURCES, rootfs)).toEqual({ code: 0, stdout: made.stdout, stderr: "" });
    expect(statSync(join(path, ".stamp")).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
    expect(await image(SOURCES, "--check", rootfs)).toMatchObject({ code: 0, stdout: made.stdout });

    const other = join(folder, "scripts");
    cpSync(join(SOURCES, "vm"), join(other, "vm"), { recursive: true });
    cpSync(join(SOURCES, "cached.sh"), join(other, "cached.sh"));
    expect(await image(other, "--check", rootfs)).toMatchObject({ code: 0, stdout: made.stdout });
    writeFileSync(join(other, "vm/guest/init"), `${readFileSync(join(other, "vm/guest/init"), "utf8")}# another\n`);
    expect(await image(other, "--check", rootfs)).toMatchObject({ code: 1, stdout: "" });
    expect(await image(SOURCES, "--check", `${rootfs.slice(0, -1)}x`)).toMatchObject({ code: 1, stdout: "" });

    for (const file of ["vmlinuz", "disk"].map((one) => join(path, one))) {
      renameSync(file, join(path, "kept"));
      expect([file, await image(SOURCES, "--check", rootfs)]).toMatchObject([file, { code: 1, stdout: "" }]);
      // As a copy that was cut off.
      writeFileSync(file, "");
      expect([file, await image(SOURCES, "--check", rootfs)]).toMatchObject([file, { code: 1, stdout: "" }]);
      renameSync(join(path, "kept"), file);
      expect(await image(SOURCES, "--check", rootfs)).toMatchObject({ code: 0, stdout: made.stdout });
    }
    // Something wrote to it.
    utimesSync(join(path, "disk"), new Date(), new Date());
    expect(await image(SOURCES, "--check", rootfs)).toMatchObject({ code: 1, stdout: "" });
  });

  test("without QEMU: what to install", async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    for (const tool of ["dirname", "sha256sum", "cat", "cut", "stat", "sh", "env"]) {
      writeFileSync(join(bin, tool), `#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec ${tool} "$@"\n`, {
        mode: 0o755,
      });
    }
    const { code, stderr } = await run([
      "/usr/bin/env",
      `PATH=${bin}`,
      "/bin/sh",
      join(SOURCES, "vm/image.sh"),
      rootfs,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("apt-get install --no-install-recommends qemu-system-x86 qemu-utils");
  });
});
