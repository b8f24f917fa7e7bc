/** The image of the lab's vms: trusted only when it is whole, and made by these scripts of this root file system. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describeWhere } from "../../can";
import { SOURCES } from "../files";
import { must, run } from "../run";

jest.setTimeout(300_000);

describeWhere(["lab", "vm"], "the image of vms", () => {
  let folder: string;
  let rootfs: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "overlay-image-"));
    rootfs = (await must(["sh", join(SOURCES, "rootfs.sh")], { timeout: 280_000 })).trim();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** image.sh with a cache of its own. */
  const image = (scripts: string, ...args: string[]) =>
    run(["env", `XDG_CACHE_HOME=${join(folder, "cache")}`, "sh", join(scripts, "vm/image.sh"), ...args], {
      timeout: 280_000,
    });

  test("damaged or of other scripts it is not taken; what was left half-made goes", async () => {
    expect(await image(SOURCES, "--check", rootfs)).toMatchObject({ code: 1, stdout: "" });
    const half = join(folder, "cache/pulumi-overlay/vm/0123456789abcdef.999999999");
    mkdirSync(half, { recursive: true });
    const made = await image(SOURCES, rootfs);
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining("Debian's cloud kernel")]);
    const path = made.stdout.trim();
    expect(dirname(path)).toBe(dirname(half));
    expect(existsSync(half)).toBe(false);
    expect(await image(SOURCES, rootfs)).toEqual({ code: 0, stdout: made.stdout, stderr: "" });
    expect(await image(SOURCES, "--check", rootfs)).toMatchObject({ code: 0, stdout: made.stdout });

    const other = join(folder, "scripts");
    cpSync(join(SOURCES, "vm"), join(other, "vm"), { recursive: true });
    expect(await image(other, "--check", rootfs)).toMatchObject({ code: 0, stdout: made.stdout });
    writeFileSync(join(other, "vm/guest/init"), `${readFileSync(join(other, "vm/guest/init"), "utf8")}# another\n`);
    expect(await image(other, "--check", rootfs)).toMatchObject({ code: 1, stdout: "" });
    expect(await image(SOURCES, "--check", `${rootfs.slice(0, -1)}x`)).toMatchObject({ code: 1, stdout: "" });

    // As a copy that was cut off, or something that wrote to it.
    truncateSync(join(path, "disk"), 2 ** 20);
    expect(await image(SOURCES, "--check", rootfs)).toMatchObject({ code: 1, stdout: "" });
    rmSync(join(path, "vmlinuz"));
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
