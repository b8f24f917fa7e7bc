/**
 * Whole plans and whole error texts, byte by byte: test/golden/CASE/input.yaml beside one HOST.txt a host, and
 * test/golden/faults/CASE.yaml beside CASE.txt.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { formatWithCodes, parse } from "../../sdk/faults";
import { text } from "../../sdk/kernel";
import { expectGolden, golden, readYaml } from "./golden";
import { type Declared, planned, technologyOf } from "./planned";

const written = (declared: Declared): string => `# ${declared.resource}\n${text(planned(declared))}\n`;

const cases = readdirSync(golden).filter((name) => existsSync(join(golden, name, "input.yaml")));

describe.each(cases)("%s", (name) => {
  const hosts = readYaml<Record<string, Declared[]>>(join(golden, name, "input.yaml"));
  test.each(Object.keys(hosts))("%s", (host) => {
    expectGolden(join(golden, name, `${host}.txt`), (hosts[host] ?? []).map(written).join("\n"));
  });
});

const faultCases = readdirSync(join(golden, "faults")).filter((name) => name.endsWith(".yaml"));

test.each(faultCases)("faults: %s", (name) => {
  const path = join(golden, "faults", name);
  const declared = readYaml<Declared>(path);
  const { resource: _, ...input } = declared;
  const result = parse(technologyOf(declared).spec, input);
  const said = "faults" in result ? formatWithCodes(result.faults) : "no faults";
  expectGolden(path.replace(/yaml$/, "txt"), `${said}\n`);
  // Whatever the golden file says: no key is ever shown.
  expect(said).not.toMatch(/[A-Za-z0-9+/]{43}=/);
});
