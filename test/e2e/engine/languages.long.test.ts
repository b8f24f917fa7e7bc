/**
 * The package from other languages: SDKs that Pulumi's generators make of its schema, compiled with a program, and YAML. Where a
 * schema names no Go module, the generator takes example.com.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { must } from "../../lab/run";
import { counted, diagnostics } from "./output";
import { root, Workspace } from "./workspace";

jest.setTimeout(900_000);

const MINUTE = 60_000;
const toolchain = join(root, "scripts/toolchain/gen-sdk");

const GO = `package main

import (
	"example.com/pulumi-overlay/sdk/go/overlay"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		address := pulumi.String("203.0.113.5").ToStringOutput()
		lux, err := overlay.NewOverlayNode(ctx, "lux", &overlay.OverlayNodeArgs{
			Id:         1,
			Connection: overlay.ConnectionArgs{Host: address},
			Endpoints:  overlay.EndpointArray{overlay.EndpointArgs{Address: address}},
		})
		if err != nil {
			return err
		}
		fra, err := overlay.NewOverlayNode(ctx, "fra", &overlay.OverlayNodeArgs{
			Id:         2,
			Connection: overlay.ConnectionArgs{Host: pulumi.String("198.51.100.9")},
		})
		if err != nil {
			return err
		}
		link, err := overlay.NewWgLink(ctx, "lux-fra", &overlay.WgLinkArgs{
			A:      lux,
			B:      fra,
			Routes: overlay.LinkRoutesArgs{B: pulumi.StringArray{address}},
		})
		if err != nil {
			return err
		}
		ctx.Export("mtu", link.PathMtu)
		return nil
	})
}
`;

const TYPESCRIPT = `import * as pulumi from "@pulumi/pulumi";
import * as overlay from "./sdk";

const address = pulumi.output("203.0.113.5");
const lux = new overlay.OverlayNode("lux", { id: 1, connection: { host: address }, endpoints: [{ address }] });
const fra = new overlay.OverlayNode("fra", { id: 2, connection: { host: "198.51.100.9" } });
const link = new overlay.WgLink("lux-fra", { a: lux, b: fra, routes: { b: [address] } });
export const mtu: pulumi.Output<number> = link.pathMtu;
`;

describeWhere("go", "SDKs of Pulumi's generators", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-sdks-"));
  const generator = join(folder, "gen-sdk");
  const generate = (language: string, to: string) =>
    must([generator, language, join(root, "schema.json"), to], { timeout: MINUTE });

  beforeAll(async () => {
    await must(["env", "-C", toolchain, "GOFLAGS=-mod=readonly", "go", "build", "-o", generator, "."], {
      timeout: 14 * MINUTE,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("Go: it compiles, with a program that hands over what is known later", async () => {
    const module = join(folder, "go");
    await generate("go", join(module, "go"));
    const pinned = readFileSync(join(toolchain, "go.mod"), "utf8");
    writeFileSync(join(module, "go.mod"), pinned.replace(/^module .*/, "module example.com/pulumi-overlay/sdk"));
    writeFileSync(join(module, "go.sum"), readFileSync(join(toolchain, "go.sum")));
    mkdirSync(join(module, "program"));
    writeFileSync(join(module, "program/main.go"), GO);
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

const YAML = `name: net
runtime: yaml
plugins: { providers: [{ name: overlay, path: ${join(root, "bin")} }] }
resources:
  lux:
    type: overlay:OverlayNode
    properties:
      id: 1
      connection: { host: 203.0.113.5 }
      addresses: [10.255.0.1]
      endpoints: [{ address: 203.0.113.5 }]
  fra:
    type: overlay:OverlayNode
    properties:
      id: 2
      connection: { host: 198.51.100.9 }
      addresses: [10.255.0.2]
  lux-fra:
    type: overlay:WgLink
    properties:
      a: \${lux}
      b: \${fra}
`;

describeWhere(["engine", "yaml"], "a program in YAML", () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.make({ files: { "Pulumi.yaml": YAML } });
  });
  afterAll(() => workspace?.remove());

  test("two nodes and a link are previewed as the kernel's lines", async () => {
    const { text } = await workspace.well("preview");
    expect(counted(text)).toEqual(["+ 8 to create"]);
    expect(diagnostics(text)["overlay:wireguard:Interface (lux-fra@fra)"]).toContain(
      "wg set inter-lux peer <known after lux is created> allowed-ips 0.0.0.0/0,::/0 endpoint 203.0.113.5:11002 persistent-keepalive 25",
    );
  });
});
