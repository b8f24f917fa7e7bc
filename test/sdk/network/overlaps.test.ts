import * as fc from "fast-check";
import { overlaps, prefix } from "../../../sdk/network/address";
import { overlapping } from "../../../sdk/network/overlaps";

/** Few bits, so that many overlap. */
const owned = fc.record({
  prefix: fc.oneof(
    fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom(8, 16, 30, 32)).map(([a, b, length]) => `10.${a}.0.${b}/${length}`),
    fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom(16, 64, 128)).map(([a, b, length]) => `fd00:${a}::${b}/${length}`),
  ),
  owner: fc.constantFrom("lux", "fra", "hkg"),
});

test("something overlaps where two of different owners do, and each pair that is named does", () => {
  fc.assert(
    fc.property(fc.array(owned, { maxLength: 12 }), (given) => {
      const all = given.map((one) => ({ ...one, prefix: prefix(one.prefix) ?? "" }));
      const found = overlapping(all);
      for (const [one, other] of found) {
        expect(one.owner).not.toBe(other.owner);
        expect(overlaps(one.prefix, other.prefix)).toBe(true);
      }
      const any = all.some((one) =>
        all.some((other) => one.owner !== other.owner && overlaps(one.prefix, other.prefix)),
      );
      expect(found.length > 0).toBe(any);
    }),
  );
});

test("two default routes of different owners clash, of whatever family, and with nothing else", () => {
  const of = (prefix: string, owner: string) => ({ prefix, owner });
  expect(overlapping([of("0.0.0.0/0", "lux"), of("::/0", "lux"), of("10.0.0.0/8", "fra")])).toEqual([]);
  expect(overlapping([of("0.0.0.0/0", "lux"), of("::/0", "fra")])).toEqual([
    [of("::/0", "fra"), of("0.0.0.0/0", "lux")],
  ]);
});
