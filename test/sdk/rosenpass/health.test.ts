/** What both ends of an exchange make of what they say. */
import type { Exchange } from "../../../sdk/kernel";
import { agreed, health } from "../../../sdk/rosenpass";

const well: Exchange = { exchanged: 30, psk: "one", protected: true };

test.each<[string, Exchange | undefined, Exchange | undefined]>([
  ["healthy", well, well],
  ["healthy", { ...well, exchanged: 139 }, well],
  ["the last key of fra is older than 140 s", well, { ...well, exchanged: 140 }],
  [
    "fra has exchanged no key yet: UDP port 21001 is somebody else's",
    well,
    { protected: false, trouble: "UDP port 21001 is somebody else's" },
  ],
  ["the session of lux began before its first key", { ...well, protected: false }, well],
  ["the two ends have different keys", well, { ...well, psk: "another" }],
  ["fra cannot be seen", well, undefined],
  ["lux has exchanged no key yet; fra cannot be seen", { protected: false }, undefined],
])("%s", (said, lux, fra) => {
  expect(health({ lux, fra })).toBe(said);
  expect(health({ fra, lux })).toBe(said);
});

test("of somebody else's machine nothing is seen, and nothing is missed", () => {
  expect(health({ lux: well })).toBe("healthy");
});

test("two agree that have exchanged the same key, whatever WireGuard has made of it", () => {
  const fresh = { ...well, protected: false };
  expect(agreed({ lux: fresh, fra: fresh })).toBe(true);
  expect(agreed({ lux: fresh, fra: { ...fresh, psk: "another" } })).toBe(false);
  expect(agreed({ lux: fresh, fra: { protected: false } })).toBe(false);
  expect(agreed({ lux: fresh, fra: undefined })).toBe(false);
});
