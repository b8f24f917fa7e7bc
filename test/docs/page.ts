/** The pages of the documentation, as tests read them. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of package.json: compiled code lies one level deeper (dist/) than its source. */
const packageRoot = (from: string): string =>
  existsSync(join(from, "package.json")) ? from : packageRoot(dirname(from));
export const root = packageRoot(__dirname);

export interface Block {
  /** As it stands after the three backticks. */
  language: string;
  code: string;
}

/** The blocks of code of a page, in their order; of one section, where that is named. Throws where there is none. */
export function blocks(page: string, section?: string): Block[] {
  const text = readFileSync(join(root, page), "utf8");
  const part = section === undefined ? text : text.split(`\n## ${section}\n`)[1]?.split("\n## ")[0];
  const all = [...(part ?? "").matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  if (all.length === 0) throw new Error(`${page} has no code${section === undefined ? "" : ` in "${section}"`}`);
  return all.map(([, language = "", code = ""]) => ({ language, code }));
}

/** The code of the blocks of one language. */
export const inLanguage = (all: readonly Block[], wanted: string): string[] =>
  all.flatMap(({ language, code }) => (language === wanted ? code : []));
