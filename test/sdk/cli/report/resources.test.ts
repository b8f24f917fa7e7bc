/** What becomes of a resource by each operation that the engine has. */
import { markdown } from "../../../../sdk/cli/report/markdown";
import { preview } from "../../../../sdk/cli/report/preview";
import { EXIT_CODES, type Report, report } from "../../../../sdk/cli/report/report";
import { alone, altered, recorded as readRecorded, reported, type Step, withStep } from "./recorded";

/** What the recorded preview changes, and what it removes. */
const [CHANGED, GONE] = ["lux-fra@lux", "fra-hkg@fra"];

const brief = (it: Report) => ({
  code: EXIT_CODES[it.outcome],
  change: it.changes.flatMap(({ resources }) => resources.map(({ change }) => change)),
  lines: it.changes.flatMap(({ resources }) => resources.flatMap(({ lines }) => lines)),
  losses: it.losses.map(({ text }) => text),
});
const asChanged = (op: string, more: (step: Step) => Partial<Step> = () => ({})): Report =>
  alone("changed", CHANGED, (step) => ({ ...step, op, ...more(step) }));
const asGone = (op: string, state: object = {}): Report =>
  alone("changed", GONE, (step) => ({ ...step, op, oldState: { ...step.oldState, ...state } }));

/** Operations of pkg/resource/deploy/step.go in pulumi/pulumi, v3.259.0. */
describe("operations", () => {
  test("create, update, delete", () => {
    expect(brief(alone("new", "lux-fra@lux"))).toMatchObject({ code: 2, change: ["new"], losses: [] });
    expect(brief(asChanged("update"))).toMatchObject({ code: 2, change: ["changed"] });
    expect(brief(asGone("delete"))).toMatchObject({
      code: 2,
      change: ["gone"],
      losses: ["The link goes, and no packet passes by it any more."],
    });
  });

  test.each(["same", "refresh", "read", "diff", "extend-parameterize"])("%s changes nothing", (op) => {
    const it = asChanged(op, ({ oldState }) => ({
      oldState: { ...oldState, external: op === "read" },
      newState: oldState ?? {},
    }));
    expect(brief(it)).toEqual({ code: 0, change: [], lines: [], losses: [] });
  });

  test.each(["replace", "create-replacement", "delete-replaced", "read-replacement", "import-replacement"])(
    "%s is made anew, and loses packets in between",
    (op) => {
      const { code, change, lines, losses } = brief(asChanged(op, () => ({ replaceReasons: ["id"], diffReasons: [] })));
      expect({ code, change, notes: lines.slice(0, 2) }).toEqual({
        code: 2,
        change: ["replaced"],
        notes: ["! it is removed and made anew", "! its replacement was asked for"],
      });
      expect(losses).toEqual([
        "The link is removed and made anew: no packet passes by it in between, nor until its next handshake, about a second.",
      ]);
    },
  );

  test("why it is made anew", () => {
    const it = asChanged("replace", () => ({ diffReasons: ["config"], replaceReasons: ["connection", "zone"] }));
    expect(brief(it).lines.slice(0, 3)).toEqual([
      "! it is removed and made anew",
      "! its machine is reached in another way",
      "! zone differs",
    ]);
  });

  test("import takes into state what is there: no host is touched", () => {
    const it = alone("new", "lux-fra@lux", (step) => ({ ...step, op: "import" }));
    expect(brief(it)).toEqual({
      code: 2,
      change: ["imported"],
      lines: ["! state takes it over as it is; its host is not touched"],
      losses: [],
    });
    const text = markdown(it);
    expect(text).toContain("## Overlay `net/dev`: changes of state alone\n\n- **Links**: 1 imported (`lux-fra`)\n\n");
    expect(text).not.toMatch(/touched\*\*|No packet|Not known/);
  });

  test.each([
    ["delete of what is kept", asGone("delete", { retainOnDelete: true })],
    ["delete of what was only read", asGone("delete", { external: true })],
    ["discard", asGone("discard")],
    ["discard-replaced", asGone("discard-replaced")],
    ["remove-pending-replace", asGone("remove-pending-replace")],
    ["read of what was made", asChanged("read")],
  ])("%s: state loses it, and the link stays", (_, it) => {
    expect(brief(it)).toEqual({
      code: 2,
      change: ["forgotten"],
      lines: ["! state loses it; what is on the host stays, and nobody looks after it"],
      losses: [],
    });
    expect(markdown(it)).toMatch(/1 left as it is, out of state/);
  });

  test("what is kept when it is made anew is taken over by it", () => {
    const it = asChanged("replace", ({ oldState }) => ({ oldState: { ...oldState, retainOnDelete: true } }));
    expect(brief(it)).toMatchObject({ code: 2, change: ["changed"], losses: [] });
  });

  test("each step of a replacement, as --show-replacement-steps has them, is one change", () => {
    const ops = ["create-replacement", "replace", "delete-replaced", "discard-replaced"];
    const it = altered("replaced", ({ steps, ...rest }) => ({
      ...rest,
      steps: steps.flatMap((step) => (step.op === "replace" ? ops.map((op) => ({ ...step, op })) : step)),
    }));
    expect(it).toEqual(reported("replaced"));
  });
});

describe("whatever `up` would do is not told as the same", () => {
  const reordered = (text: unknown): string => String(text).trimEnd().split("\n").reverse().concat("").join("\n");

  test("the same lines in another order", () => {
    const it = asChanged("update", ({ oldState }) => ({
      newState: { ...oldState, inputs: { ...oldState?.inputs, config: reordered(oldState?.inputs?.config) } },
    }));
    expect(brief(it)).toMatchObject({ code: 2, lines: ["! only the order of its lines differs"] });
    expect(markdown(it)).toContain("**Not known** before `up`: whether packets are lost");
  });

  test("on the host, too", () => {
    const it = asChanged("update", ({ oldState }) => ({
      oldState: { ...oldState, outputs: { config: reordered(oldState?.inputs?.config) } },
      newState: oldState ?? {},
    }));
    expect(it).toMatchObject({ outcome: "drift", changes: [] });
    expect(it.drift[0]?.resources[0]?.lines).toEqual(["! only the order of its lines differs"]);
  });

  test("what no line shows", () => {
    const it = asChanged("update", ({ oldState }) => ({ newState: oldState ?? {}, diffReasons: ["config"] }));
    expect(brief(it)).toMatchObject({ code: 2, lines: ["! what differs is not among its lines"] });
  });
});

describe("state of a form that nobody foresaw", () => {
  test.each([
    ["peers that are no list", { node: "lux", link: "lux-fra", peers: {} }],
    [
      "a peer that is none",
      { node: "lux", link: "lux-fra", peers: [null, 7, { name: 1 }, { name: "fra" }], peer: "fra" },
    ],
    ["names that are none", { node: 7, link: ["x"], segment: null }],
    ["a list", [1]],
    ["a number", 7],
  ])("a spec with %s", (_, spec) => {
    const it = withStep("changed", CHANGED, (step) => ({
      ...step,
      newState: { ...step.newState, inputs: { ...step.newState?.inputs, spec: JSON.stringify(spec) } },
    }));
    expect(it.changes).toEqual(reported("changed").changes);
    expect(it.links.find(({ name }) => name === "lux-fra")).toMatchObject({ ends: ["fra", "lux"] });
  });

  test("null in the place of what is empty", () => {
    const it = withStep("changed", "lan", (step) => ({
      ...step,
      newState: { ...step.newState, inputs: null, outputs: null, initErrors: null, custom: false },
      diffReasons: null as never,
    }));
    expect(it).toEqual(reported("changed"));
    const empty = { steps: null, diagnostics: null, changeSummary: null };
    expect(() => report(preview(JSON.stringify(empty)))).toThrow("has no resource of pulumi-overlay");
  });
});

/**
 * Without what older ones did not say. detailedDiff came with v1.9.0; of states they had what ResourceV3 of
 * sdk/v3.0.0, go/common/apitype/core.go has, of diagnostics the same as now; all is indented by four: ShowJSONEvents of
 * pkg/backend/display/json.go.
 */
function older(name: string): string {
  const fields =
    "urn custom delete id type inputs outputs parent protect external dependencies initErrors provider propertyDependencies pendingReplacement additionalSecretOutputs aliases customTimeouts importID".split(
      " ",
    );
  const state = (of: object | undefined) =>
    of && Object.fromEntries(Object.entries(of).filter(([field]) => fields.includes(field)));
  const { steps, diagnostics, ...rest } = JSON.parse(readRecorded(name)) as { steps: Step[]; diagnostics?: unknown };
  const all = steps.map(({ op, urn, oldState, newState, diffReasons, replaceReasons }) => ({
    ...{ op, urn, oldState: state(oldState), newState: state(newState), diffReasons, replaceReasons },
  }));
  return JSON.stringify({ ...rest, steps: all, diagnostics }, undefined, 4);
}

test.each(["new", "changed", "destroyed", "replaced", "drifted", "drifted-and-changed", "faulty", "failing"])(
  "%s, as an older Pulumi 3 or 2 prints it",
  (name) => {
    expect(report(preview(older(name)))).toEqual(reported(name));
  },
);
