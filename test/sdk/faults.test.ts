import { z } from "zod";
import { fault, format, formatWithCodes, looksSecret, objectTo, parse, unlessFaulty } from "../../sdk/faults";

const KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

const schema = z.strictObject({
  name: z.string(),
  endpoint: z.string().max(3).optional(),
  privateKey: z.int().optional(),
  list: z.array(z.strictObject({ deep: z.string() })).default([]),
  mode: z.enum(["on", "off"]).optional(),
});
const faultsOf = (input: unknown) => {
  const result = parse(schema, input);
  return "faults" in result ? result.faults : [];
};

test("what is right comes back as the schema makes it", () => {
  expect(parse(schema, { name: "lux" })).toEqual({ value: { name: "lux", list: [] } });
});

test("a fault says where, what was found, what is legal and how to mend it", () => {
  expect(faultsOf({ name: 5 })).toEqual([
    { code: "input/type", path: "name", found: "5", legal: "a string", cure: "correct the value" },
  ]);
  expect(faultsOf({})).toEqual([{ code: "input/missing", path: "name", legal: "a string", cure: "add it" }]);
  expect(format(faultsOf({ name: "x", mode: "up", list: [{ deep: 1 }] }))).toBe(
    'list[0].deep: found 1, legal is a string; correct the value.\nmode: found "up", legal is one of "on", "off"; correct the value.',
  );
});

test("at the end of its way each says what it is looked up by", () => {
  const written = { name: "x", colour: "blue", endpoint: "long", mode: "up", list: [{}, { deep: 1 }] };
  const faults = [...faultsOf(written), fault(["mtu"], 9000, { code: "input/mtu", legal: "x", cure: "y" })];
  expect(formatWithCodes(faults).split("\n").sort()).toEqual([
    "colour: legal is one of endpoint, list, mode, name, privateKey; remove it, or correct its spelling. [input/unknownField]",
    'endpoint: found "long", legal is at most 3; correct the value. [input/range]',
    "list[0].deep: legal is a string; add it. [input/missing]",
    "list[1].deep: found 1, legal is a string; correct the value. [input/type]",
    'mode: found "up", legal is one of "on", "off"; correct the value. [input/value]',
    "mtu: found 9000, legal is x; y. [input/mtu]",
  ]);
});

test("a check of our own says which code; of what is not there it is that it is missing", () => {
  const ours = z
    .strictObject({ node: z.custom<object>((it) => it instanceof Object, { error: "a node" }), a: z.int(), b: z.int() })
    .superRefine(
      ({ a, b }, context) => {
        if (a === b) objectTo(context, ["b"], { code: "input/duplicate", legal: "another than a", cure: "change one" });
      },
      unlessFaulty("a", "b"),
    );
  const said = (value: unknown) => {
    const result = parse(ours, value);
    return "faults" in result ? formatWithCodes(result.faults) : "";
  };
  expect(said({ node: {}, a: 1, b: 1 })).toBe("b: found 1, legal is another than a; change one. [input/duplicate]");
  expect(said({ a: 1, b: 2 })).toBe("node: legal is a node; add it. [input/missing]");
  expect(said({ node: 5, a: 1, b: 2 })).toBe("node: found 5, legal is a node; correct the value. [input/value]");
});

test("an unknown field is named and its value is not, however deep", () => {
  const said = format(faultsOf({ name: "x", pasword: "hunter2", list: [{ deep: "x", colour: "blue" }] }));
  expect(said.split("\n").sort()).toEqual([
    "list[0].colour: legal is one of deep; remove it, or correct its spelling.",
    "pasword: legal is one of endpoint, list, mode, name, privateKey; remove it, or correct its spelling.",
  ]);
  expect(said).not.toMatch(/hunter2|blue/);
});

test.each([
  ["under the name of a key", { name: "x", privateKey: "hunter2" }],
  ["that looks like a key, anywhere", { name: "x", endpoint: KEY }],
  ["that holds a key", { name: "x", endpoint: `PrivateKey = ${KEY}` }],
  ["that is a key file", { name: "x", endpoint: "-----BEGIN OPENSSH PRIVATE KEY-----" }],
  ["that is an object with who knows what inside", { name: { password: "hunter2" } }],
])("a value %s is not shown", (_, input) => {
  const faults = faultsOf(input);
  expect(faults).toHaveLength(1);
  expect(faults[0]).not.toHaveProperty("found");
  expect(JSON.stringify(faults)).not.toMatch(/hunter2|yAnz|OPENSSH/);
});

test("a public host name or a word in base64 is no secret", () => {
  expect(looksSecret("lux.example.org")).toBe(false);
  expect(looksSecret(Buffer.from("not a key at all").toString("base64"))).toBe(false);
  expect(looksSecret(KEY)).toBe(true);
});

test("a path is written as one would write it in a program", () => {
  const objection = { code: "input/value", legal: "x", cure: "y" } as const;
  expect(fault(["nodes", "lux", "addresses", 0], 1, objection).path).toBe("nodes.lux.addresses[0]");
  expect(fault(["sysctls", "net.ipv4.ip_forward"], 1, objection).path).toBe('sysctls["net.ipv4.ip_forward"]');
});
