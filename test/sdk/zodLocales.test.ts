/** What zod loads of its messages in other languages, in a process of its own. */
import { execFileSync } from "node:child_process";
import { dirname } from "node:path";

const root = dirname(dirname(__dirname));

const program = `
const { basename } = require("node:path");
require("./dist/sdk/zodLocales");
const { z } = require("zod");
const loaded = () => Object.keys(require.cache).filter((path) => path.includes("/zod/v4/locales/")).map((path) => basename(path));
const message = () => z.string().safeParse(1).error.issues[0].message;
const before = [message(), loaded()];
z.config(z.locales.de());
const languages = Object.keys(z.locales);
console.log(JSON.stringify({ before, after: message(), all: loaded().length > 60 && "fr" in z.locales && languages.includes("uk") }));
`;

test("they are loaded when somebody asks for one, and are all there then", () => {
  const told = execFileSync(process.execPath, ["-e", program], { cwd: root, encoding: "utf8" });
  expect(JSON.parse(told)).toEqual({
    before: ["Invalid input: expected string, received number", ["index.cjs", "en.cjs"]],
    after: "Ungültige Eingabe: erwartet string, erhalten Zahl",
    all: true,
  });
});
