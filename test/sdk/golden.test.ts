/**
 * Whole plans and whole error texts, byte by byte: test/golden/CASE/input.yaml beside one HOST.txt a host, and
 * test/golden/faults/CASE.yaml beside CASE.txt. `UPDATE_GOLDEN=1` writes them anew; read the diff before you keep it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { format, parse } from "../../sdk/faults";
import { type Fact, text } from "../../sdk/kernel";
import { type Agents, node } from "../../sdk/node";
import { wireguard } from "../../sdk/wireguard";

const golden = join(__dirname, "../golden");

/** In place of the real ones, which have a life of their own. */
const agents: Agents = {
  "/usr/local/lib/overlay/boot.sh": { mode: "0755", content: "#!/bin/sh\n" },
  "/etc/systemd/system/overlay-early.service": { mode: "0644", content: "[Unit]\n" },
};

interface AnyTechnology {
  spec: z.ZodType;
  plan(spec: unknown): Fact[];
}
const technologies = Object.fromEntries(
  [node(agents), wireguard].map((technology) => [technology.token, technology as AnyTechnology]),
);

type Declared = { resource: string } & Record<string, unknown>;
const readYaml = <T>(path: string): T => parseYaml(readFileSync(path, "utf8")) as T;

function expectGolden(path: string, actual: string): void {
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, actual);
  expect(actual).toBe(existsSync(path) ? readFileSync(path, "utf8") : `${path} is missing`);
}

function planned({ resource, ...input }: Declared): string {
  const technology = technologies[resource];
  if (!technology) throw new Error(`no technology ${resource}`);
  const result = parse(technology.spec, input);
  if ("faults" in result) throw new Error(format(result.faults));
  return `# ${resource}\n${text(technology.plan(result.value))}\n`;
}

const cases = readdirSync(golden).filter((name) => existsSync(join(golden, name, "input.yaml")));

describe.each(cases)("%s", (name) => {
  const hosts = readYaml<Record<string, Declared[]>>(join(golden, name, "input.yaml"));
  test.each(Object.keys(hosts))("%s", (host) => {
    expectGolden(join(golden, name, `${host}.txt`), (hosts[host] ?? []).map(planned).join("\n"));
  });
});

const faultCases = readdirSync(join(golden, "faults")).filter((name) => name.endsWith(".yaml"));

test.each(faultCases)("faults: %s", (name) => {
  const path = join(golden, "faults", name);
  const { resource, ...input } = readYaml<Declared>(path);
  const technology = technologies[resource];
  if (!technology) throw new Error(`no technology ${resource}`);
  const result = parse(technology.spec, input);
  const said = "faults" in result ? format(result.faults) : "no faults";
  expectGolden(path.replace(/yaml$/, "txt"), `${said}\n`);
  // Whatever the golden file says: no key is ever shown.
  expect(said).not.toMatch(/[A-Za-z0-9+/]{43}=/);
});
