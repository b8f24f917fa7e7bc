/** What is no whole preview is told for what it is. */
import fc from "fast-check";
import { preview } from "../../../../sdk/cli/report/preview";
import { recorded } from "./recorded";

const said = (text: string): string => {
  try {
    preview(text);
    return "a preview";
  } catch (error) {
    return (error as Error).message.replace(/: give the whole.*/s, "");
  }
};

test("wherever it breaks off, that is what is said", () => {
  // Escapes, numbers and words, which V8 finds fault with in ways of their own.
  const dense =
    '{"steps":[],"diagnostics":[{"message":"\\u00e9\\\\ \\n","severity":"x"}],"config":{"a":[-1.5e-7,true,null]}}';
  for (const whole of [
    dense,
    recorded("same"),
    recorded("half-done"),
    JSON.stringify(JSON.parse(recorded("same")), null, 4),
  ]) {
    expect(said(whole)).toBe("a preview");
    for (let length = 1; length < whole.trimEnd().length; length++) {
      const cut = whole.slice(0, length);
      expect(said(cut)).toBe(`the preview breaks off after ${cut.trim().length} characters`);
    }
  }
});

test("and in a longer one", () => {
  const whole = recorded("changed").trimEnd();
  const length = fc.integer({ min: 1, max: whole.length - 1 });
  fc.assert(fc.property(length, (at) => said(whole.slice(0, at)).startsWith("the preview breaks off after")));
});

test("a byte order mark is none of it, nor are lines around it", () => {
  expect(preview(`\ufeff\r\n${recorded("same")}\r\n`)).toEqual(preview(recorded("same")));
});

test.each([
  ["\ufeff\n", "the preview is empty"],
  ["Previewing update (dev):", "the preview is no JSON"],
  [
    `${recorded("same").trim()}\nok`,
    `the preview has something after its end, in line ${recorded("same").trim().split("\n").length + 1}`,
  ],
  ["[1,", "the preview is no JSON"],
  ['{"sequence":0,"timestamp":1}\n{"sequence":1}', "the preview is a stream of events"],
  ['{"sequence":0,"timestamp":1,"preludeEvent":{}}', "the preview is a stream of events"],
  ['{"version":3,"checkpoint":{}}', "the preview is a state"],
])("%j", (text, why) => expect(said(text)).toBe(why));

test("a value in the wrong place is not shown, whatever it is", () => {
  const value = {
    steps: [{ op: "correct horse", urn: 4711, oldState: "battery staple" }],
    changeSummary: { x: "hunter2" },
  };
  const text = said(JSON.stringify(value));
  expect(text).toMatch(/^this is a preview of a Pulumi that is not understood.*\nsteps\[0\]\.urn: legal is a string;/);
  expect(text).not.toMatch(/found|4711|battery|hunter2/);
});
