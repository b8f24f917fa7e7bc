import fc from "fast-check";
import { Struct } from "../../../sdk/provider/grpc";
import { decode, encode, hasUnknown, plain, Secret, secretPaths, UNKNOWN } from "../../../sdk/provider/wire";

const SIGNATURE = "4dabf18193072939515e22adb298388d";

const values = fc.dictionary(
  fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
  fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string(),
      fc.boolean(),
      fc.integer(),
      fc.constant(UNKNOWN),
      fc.array(tie("value")),
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
        tie("value"),
      ),
      tie("value").map((value) => new Secret(value)),
    ),
  })).value,
);

test("what is sent is what arrives, secrets and unknown values too", () => {
  fc.assert(fc.property(values, (sent) => expect(decode(encode(sent))).toEqual({ ...sent })));
});

test("every sort of unknown value is unknown", () => {
  const sent = Struct.fromJavaScript({
    number: "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    object: "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    output: { [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4" },
  });
  expect(decode(sent)).toEqual({ number: UNKNOWN, object: UNKNOWN, output: UNKNOWN });
});

test("an output value is its value, and a secret one is a secret", () => {
  const output = { [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", value: "v", dependencies: ["urn"] };
  expect(decode(Struct.fromJavaScript({ a: output, b: { ...output, secret: true } }))).toEqual({
    a: "v",
    b: new Secret("v"),
  });
});

test("undefined is nothing", () => {
  expect(decode(encode({ a: undefined, b: { c: undefined } }))).toEqual({ b: {} });
});

test("secrets are found where they are, the outermost of each", () => {
  const value = { a: [1, new Secret({ b: new Secret(2) })], c: { d: new Secret(3) } };
  expect(secretPaths(value)).toEqual([
    ["a", 1],
    ["c", "d"],
  ]);
  expect(plain(value)).toEqual({ a: [1, { b: 2 }], c: { d: 3 } });
});

test("an unknown value is found however deep", () => {
  expect(hasUnknown({ a: [{ b: new Secret([UNKNOWN]) }] })).toBe(true);
  expect(hasUnknown({ a: [{ b: new Secret([1]) }], c: null })).toBe(false);
});
