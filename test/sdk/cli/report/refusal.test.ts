/** The report says beforehand what a run will refuse to remove. */
import { markdown } from "../../../../sdk/cli/report/markdown";
import type { Report } from "../../../../sdk/cli/report/report";
import { altered, type Digest, reported, type Step } from "./recorded";

const refused = ({ warnings }: Report): string[] =>
  warnings.map(({ text }) => text).filter((text) => text.includes("[provider/tooMany]"));

/** Of the recorded preview in which a mesh takes the place of two links of two devices each. */
const meshed = (change: (step: Step) => Step, more: Partial<Digest> & { config?: object } = {}): Report =>
  altered("meshed", ({ steps, ...rest }) => ({ ...rest, steps: steps.map(change), ...more }));
const removable = (number: number) => (step: Step) => {
  for (const state of [step.oldState, step.newState])
    if (typeof state?.inputs?.removable === "number") state.inputs.removable = number;
  return step;
};

test("more than a fifth of the devices that go: the first warning says who refuses, what stays, and how it may go", () => {
  expect(reported("meshed").warnings[0]?.text).toBe(
    "`up` will refuse to remove 4 devices (fra-hkg, lux-fra): more than 20 % of the stack's links go only where that is allowed. " +
      "Where they are to go: `OVERLAY_ALLOW_DESTROY=on pulumi up` for one run, or for every run " +
      "`pulumi config set overlay:allowDestroy true`, then `pulumi up`. [provider/tooMany]",
  );
  expect(markdown(reported("meshed"))).toMatch(
    /^## [^\n]*\n\n> \[!WARNING\]\n> - `up` will refuse to remove 4 devices/,
  );
  expect(refused(reported("destroyed"))).toEqual([
    expect.stringMatching(/^`destroy` will refuse .*`OVERLAY_ALLOW_DESTROY=on pulumi destroy` for one run/),
  ]);
});

test("a fifth may go, as what stays and what goes alike say it", () => {
  expect(refused(meshed(removable(4)))).toEqual([]);
  expect(refused(meshed(removable(3)))).toHaveLength(1);
  const either = (of: "oldState" | "newState") => (step: Step) => (step[of] ? removable(4)(step) : step);
  expect(refused(meshed(either("oldState")))).toEqual([]);
  expect(refused(meshed(either("newState")))).toEqual([]);
});

test("one link may always go where others stay, also where those are not shown; nothing is said of what stays", () => {
  for (const name of ["changed", "same", "new", "rotated", "replaced", "drifted", "drifted-read-only"])
    expect({ name, refused: refused(reported(name)) }).toEqual({ name, refused: [] });
  const links = (step: Step) => /fra-hkg@/.test(step.urn);
  const one = (same: number): Report =>
    altered("destroyed", ({ steps, ...rest }) => ({
      ...rest,
      steps: steps.filter(links).map(removable(1)),
      changeSummary: { delete: 2, same },
    }));
  expect(refused(one(0))).toHaveLength(1);
  expect(refused(one(9))).toEqual([]);
});

test("what state alone loses does not go", () => {
  const kept = meshed((step) =>
    step.oldState ? { ...step, oldState: { ...step.oldState, retainOnDelete: true } } : step,
  );
  expect(refused(kept)).toEqual([]);
});

test("where it is allowed, by the stack or by a provider of the program's own, nothing is said", () => {
  const same = (step: Step) => step;
  expect(refused(meshed(same, { config: { "overlay:allowDestroy": "true" } }))).toEqual([]);
  expect(refused(meshed(same, { config: { "overlay:allowDestroy": "off" } }))).toHaveLength(1);
  const own = (allowDestroy: string): Report =>
    altered("meshed", ({ steps, ...rest }) => {
      const state = { custom: true, inputs: { allowDestroy } };
      const urn = "urn:pulumi:dev::net::pulumi:providers:overlay::own";
      return { ...rest, steps: [...steps, { op: "same", urn, oldState: state, newState: state }] };
    });
  expect(refused(own("on"))).toEqual([]);
  expect(refused(own("off"))).toHaveLength(1);
});
