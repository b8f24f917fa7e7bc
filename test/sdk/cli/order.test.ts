/** In which order names are shown. */
import { byName } from "../../../sdk/cli/order";

test.each([
  ["numbers count, and not their digits", ["lux-2", "lux-10", "lux-10a", "lux-11"]],
  ["a name is before the longer ones that it begins", ["fra", "fra1", "fra1-a", "fra2"]],
  ["capitals stand beside small letters", ["Fra", "fra", "Hkg", "lux"]],
  ["what only differs by noughts has an order, too", ["a01", "a1", "a02", "a2"]],
  ["numbers alone", ["", "1", "9", "10"]],
])("%s", (_, names) => {
  expect([...names].reverse().sort(byName)).toEqual(names);
  expect([...names].sort(byName)).toEqual(names);
});
