/**
 * The package from other languages, as docs/languages.md has it: SDKs that Pulumi's generators make of its schema, compiled with a
 * program, and programs that are previewed with nothing of ours but what npm hands out.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { blocks, inLanguage } from "../../docs/page";
import { must } from "../../lab/run";
import { backend } from "../backend";
import { atHome, PLAN, packed } from "./newcomer";
import { counted, diagnostics } from "./output";
import { generate, virtualEnvironment } from "./sdks";
import { root } from "./workspace";

jest.setTimeout(900_000);

const MINUTE = 60_000;
const toolchain = join(root, "scripts/toolchain/gen-sdk");
const page = blocks("docs/languages.md");
const [[INSTALL = ""], [YAML = ""], [PYTHON = ""], [GO = ""]] = ["sh", "yaml", "python", "go"].map((it) =>
  inLanguage(page, it),
) as [string[], string[], string[], string[]];

/** What is known later is handed over, to where the arguments themselves have to be known and within lists. */
const GO_LATER = `package main

import (
	"example.com/pulumi-overlay/sdk/go/overlay"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func later(ctx *pulumi.Context, lux, fra *overlay.OverlayNode, prefixes pulumi.StringArrayOutput) error {
	_, err := overlay.NewWgLink(ctx, "lux-fra", &overlay.WgLinkArgs{A: lux, B: fra, Routes: &overlay.LinkRoutesArgs{B: prefixes}})
	return err
}
`;

const TYPESCRIPT = `import * as pulumi from "@pulumi/pulumi";
import * as overlay from "./sdk";

const address = pulumi.output("203.0.113.5");
const prefixes = pulumi.output(["192.168.7.0/24"]);
const lux = new overlay.OverlayNode("lux", { id: 1, connection: { host: address }, endpoints: [{ address }] });
const fra = new overlay.OverlayNode("fra", { id: 2, connection: { host: "198.51.100.9" } });
const link = new overlay.WgLink("lux-fra", { a: lux, b: fra, routes: { b: prefixes } });
export const mtu: pulumi.Output<number> = link.pathMtu;
`;

describeWhere(["sdks", "go"], "SDKs of Pulumi's generators", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-sdks-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("Go: it compiles, with a program that hands over what is known later", async () => {
    const module = join(folder, "go");
    await generate("go", join(module, "go"));
    const pinned = readFileSync(join(toolchain, "go.mod"), "utf8");
    writeFileSync(join(module, "go.mod"), pinned.replace(/^module .*/, "module example.com/pulumi-overlay/sdk"));
    writeFileSync(join(module, "go.sum"), readFileSync(join(toolchain, "go.sum")));
    mkdirSync(join(module, "program"));
    writeFileSync(join(module, "program/main.go"), GO);
    writeFileSync(join(module, "program/later.go"), GO_LATER);
    await must(["env", "-C", module, "GOFLAGS=-mod=mod", "go", "vet", "./..."], { timeout: 14 * MINUTE });
  });

  test("TypeScript: it compiles, with a program that hands over what is known later", async () => {
    const module = join(folder, "nodejs");
    await generate("nodejs", join(module, "sdk"));
    symlinkSync(join(root, "node_modules"), join(module, "node_modules"));
    writeFileSync(join(module, "index.ts"), TYPESCRIPT);
    const words = "--noEmit --strict --skipLibCheck --pretty false --target es2022 --module node16 --types node";
    const tsc = [process.execPath, join(root, "node_modules/typescript/bin/tsc"), ...words.split(" "), "index.ts"];
    await must(["env", "-C", module, ...tsc], { timeout: 5 * MINUTE });
  });
});

describeWhere(["engine", "yaml", "python", "sdks"], "programs with the package from npm", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-languages-"));
  const net = join(folder, "net");

  beforeAll(async () => {
    const tarball = await packed(folder);
    mkdirSync(net);
    await must(["sh", "-ec", INSTALL.replace(" pulumi-overlay ", ` ${tarball} `)], { cwd: net, timeout: 5 * MINUTE });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** With a state of its own for each language. */
  async function preview(language: string, files: Record<string, string>, path: string): Promise<string> {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(net, file), text);
    const command = "pulumi stack init dev && pulumi preview";
    const state = backend(join(folder, language)).environment;
    const env = { ...atHome(folder), ...state, PATH: path };
    return must(["sh", "-ec", command], { cwd: net, timeout: 3 * MINUTE, env });
  }

  const PATH = process.env.PATH ?? "";
  test.each([
    ["YAML", { "Pulumi.yaml": YAML }, async () => PATH],
    [
      "Python",
      {
        "Pulumi.yaml": YAML.replace("runtime: yaml", "runtime: python").replace(/^resources:\n.*/ms, ""),
        "__main__.py": PYTHON,
      },
      async () => `${join(await virtualEnvironment(), "bin")}:${PATH}`,
    ],
  ])("%s: the preview has the lines of the README's", async (language, files, path) => {
    const text = await preview(language, files, await path());
    expect(counted(text)).toEqual(["+ 8 to create"]);
    expect(diagnostics(text)["overlay:wireguard:Interface (lux-fra@fra)"]).toEqual(PLAN.trim().split("\n"));
  });
});
