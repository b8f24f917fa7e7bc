/** Whether a terminal has colours. */
import { hasColour } from "../../../sdk/cli/options";

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: true }, { NO_COLOR: "" }, true],
  [{ isTTY: true }, { NO_COLOR: "1" }, false],
  [{ isTTY: true }, { TERM: "dumb" }, false],
  [{}, { TERM: "xterm-256color" }, false],
])("colours of %j with %j: %s", (stdout, environment, has) => {
  expect(hasColour(stdout, environment)).toBe(has);
});
