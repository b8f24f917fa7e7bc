import { z } from "zod";
import { parse } from "../../sdk/faults";
import { remembered, rememberedByName, rememberedOf } from "../../sdk/remembered";

test("what was found out is not computed again, nothing included", () => {
  const asked: string[] = [];
  const half = remembered((text) => {
    asked.push(text);
    return text === "odd" ? undefined : text.length / 2;
  });
  expect([half("four"), half("odd"), half("four"), half("odd")]).toEqual([2, undefined, 2, undefined]);
  expect(asked).toEqual(["four", "odd"]);
});

test("of one object it is computed again for another text alone", () => {
  const asked: string[] = [];
  const named = rememberedOf(({ name }: { name: string }, text) => {
    asked.push(`${name} ${text}`);
    return `${name} ${text}`;
  });
  const [lux, fra] = [{ name: "lux" }, { name: "fra" }];
  expect([named(lux, "a"), named(fra, "a"), named(lux, "a"), named(lux, "b")]).toEqual([
    "lux a",
    "fra a",
    "lux a",
    "lux b",
  ]);
  expect(asked).toEqual(["lux a", "fra a", "lux b"]);
});

const looked: unknown[] = [];
const schema = rememberedByName(
  z.strictObject({
    name: z.string(),
    ports: z.array(z.int().max(65535)).superRefine((ports) => void looked.push(ports)),
    keepalive: z.int().optional(),
  }),
);
const value = (given: unknown) => {
  const result = parse(schema, given);
  return "value" in result ? result.value : result.faults.map(({ path }) => path);
};

test("an equal value is the same one, and is not looked at again", () => {
  const first = value({ name: "lux", ports: [1, 2] });
  expect(looked.length).toBe(1);
  expect(value({ name: "lux", ports: [1, 2] })).toBe(first);
  expect(looked.length).toBe(1);
});

test.each([
  ["another value", { name: "lux", ports: [1, 3] }],
  ["one more", { name: "lux", ports: [1, 2, 3] }],
  ["a field more", { name: "lux", ports: [1, 2], keepalive: 25 }],
  ["another name", { name: "fra", ports: [1, 2] }],
])("%s is looked at by itself", (_, given) => {
  value({ name: "lux", ports: [1, 2] });
  expect(value(given)).toEqual(given);
});

test("what has faults has them each time", () => {
  for (const _ of [1, 2]) {
    expect(value({ name: "lux", ports: [1, 70000] })).toEqual(["ports[1]"]);
    expect(value({ name: "lux", ports: [1, 2], colour: "blue" })).toEqual(["colour"]);
    expect(value("lux")).toEqual([""]);
    expect(value(null)).toEqual([""]);
  }
});
