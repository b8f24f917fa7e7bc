/** Golden files. `UPDATE_GOLDEN=1` writes them anew; read the diff before you keep it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const golden = join(__dirname, "../golden");

export const readYaml = <T>(path: string): T => parse(readFileSync(path, "utf8")) as T;

export function expectGolden(path: string, actual: string): void {
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, actual);
  expect(actual).toBe(existsSync(path) ? readFileSync(path, "utf8") : `${path} is missing`);
}
