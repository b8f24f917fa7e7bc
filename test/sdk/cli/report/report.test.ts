/**
 * Whole reports of recorded previews: test/golden/report/CASE.json beside CASE.md. `UPDATE_GOLDEN=1` writes the reports
 * anew; the previews are recorded by test/e2e/engine/report.test.ts, `older` by hand, of Pulumi 3.160.0 and two hosts.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { LIMIT, markdown } from "../../../../sdk/cli/report/markdown";
import { preview } from "../../../../sdk/cli/report/preview";
import { EXIT_CODES, type Report, report } from "../../../../sdk/cli/report/report";
import { terminal } from "../../../../sdk/cli/report/terminal";
import { impact } from "../../../../sdk/provider/impact";
import { type ResourceType, resourceType } from "../../../../sdk/provider/registry";
import { unkeyed } from "../../../../sdk/rosenpass";
import { pskForetells } from "../../../../sdk/rosenpass/faults";
import type { PskSpec } from "../../../../sdk/rosenpass/spec";
import { expectGolden } from "../../golden";
import { folder, multiplied, names, recorded, reported, type Step, withSteps } from "./recorded";

const bin = join(__dirname, "../../../../bin/overlay");

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}
const overlay = (words: string[], input = "", environment: Record<string, string> = {}): Ran => {
  const { status, stdout, stderr } = spawnSync(bin, ["report", ...words], {
    input,
    encoding: "utf8",
    env: { ...process.env, ...environment },
    maxBuffer: 2 ** 26,
  });
  return { status, stdout, stderr };
};

const told = names.filter((name) => name !== "others");

test.each(told)("%s", (name) => {
  expectGolden(join(folder, `${name}.md`), markdown(reported(name)));
});

test("exit codes: 0 same, 2 changes, 3 drift, 1 error", () => {
  const codes = Object.fromEntries(told.map((name) => [name, EXIT_CODES[reported(name).outcome]]));
  expect(codes).toEqual({
    ...{ same: 0, new: 2, changed: 2, replaced: 2, destroyed: 2, failing: 1, faulty: 1 },
    ...{ drifted: 3, "drifted-and-changed": 3, "drifted-live": 3, "drifted-read-only": 3, "half-done": 2 },
    ...{ meshed: 2, older: 2, rotated: 2, truth: 2, unreachable: 2, unread: 1 },
  });
});

test("the command prints it, of a file and of standard input, and ends with its code", () => {
  const file = join(folder, "drifted.json");
  const whole = { status: 3, stdout: markdown(reported("drifted")), stderr: "" };
  expect(overlay([file])).toEqual(whole);
  expect(overlay(["-"], recorded("drifted"))).toEqual(whole);
  expect(overlay([join(folder, "same.json")])).toMatchObject({ status: 0, stderr: "" });
  const json = overlay([join(folder, "changed.json"), "--format", "json"]);
  expect(json).toMatchObject({ status: 2, stderr: "" });
  expect(JSON.parse(json.stdout)).toEqual(JSON.parse(JSON.stringify(reported("changed"))));
  expect(overlay([file, "--format", "html"])).toMatchObject({ status: 1, stdout: "" });
});

test("drift is what a refresh of its own and one before an update show alike, apart from what is intended", () => {
  const { drift, changes } = reported("drifted");
  expect(changes).toEqual([]);
  expect(reported("drifted-read-only").drift).toEqual(drift);
  expect(reported("drifted-live").drift).toEqual(drift);
  const both = reported("drifted-and-changed");
  expect(both.drift).toEqual(drift);
  expect(both.changes).toEqual(reported("changed").changes);
});

test("a terminal of 60 columns, without colour", () => {
  const { status, stdout } = overlay([join(folder, "drifted-and-changed.json"), "--format", "terminal"], "", {
    COLUMNS: "60",
  });
  expect(status).toBe(3);
  expectGolden(join(folder, "drifted-and-changed.txt"), stdout);
  expect(stdout.split("\n").filter((line) => line.length > 60)).toEqual([]);
  // Nothing is lost by it.
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");
  const wide = terminal(reported("drifted-and-changed"), { columns: 10_000, colour: false });
  expect(words(stdout)).toEqual(words(wide));
});

test.each([1, 3, 20])("a terminal of %d columns loses nothing, too", (columns) => {
  const letters = (text: string) => text.replace(/\s+/g, "");
  const it = reported("drifted-and-changed");
  const narrow = terminal(it, { columns, colour: false });
  expect(letters(narrow)).toBe(letters(terminal(it, { columns: 10_000, colour: false })));
});

test("a terminal that knows no size is one of 80 columns, and has colours where NO_COLOR does not forbid it", () => {
  const screen = (environment: string): string => {
    const words = [bin, "report", join(folder, "drifted.json"), "--format", "terminal"];
    const command = `stty cols 0; ${environment} exec ${words.join(" ")}`;
    const env = { ...process.env, TERM: "xterm", COLUMNS: "" };
    const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8", env, input: "" });
    return stdout.replaceAll("\r", "");
  };
  for (const colour of [true, false]) {
    expect(screen(colour ? "NO_COLOR=" : "NO_COLOR=1")).toBe(terminal(reported("drifted"), { columns: 80, colour }));
  }
});

test("colour, where there may be some, is around whole lines", () => {
  const [plain, coloured] = [false, true].map((colour) => terminal(reported("drifted"), { columns: 60, colour }));
  expect(coloured).toContain("\x1b[32m+ ip link set dev inter-hkg mtu 1400 group 28417 addrgenmode\x1b[0m\n");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is taken away is colour
  expect(coloured?.replace(/\x1b\[\d+m/g, "")).toBe(plain);
});

test("the order in which the engine came by its steps is not seen", () => {
  for (const name of ["changed", "drifted-and-changed"]) {
    const given = preview(recorded(name));
    const before = markdown(report(given));
    const urns = [...new Set(given.steps.map(({ urn }) => urn))];
    const shuffles = fc.shuffledSubarray(urns, { minLength: urns.length });
    fc.assert(
      fc.property(shuffles, (order) => {
        const steps = [...given.steps].sort((a, b) => order.indexOf(a.urn) - order.indexOf(b.urn));
        const diagnostics = [...given.diagnostics].sort((a, b) => order.indexOf(a.urn) - order.indexOf(b.urn));
        expect(markdown(report({ ...given, steps, diagnostics }))).toBe(before);
      }),
      { numRuns: 30 },
    );
  }
});

describe("what loses packets is told by the provider's own sentences", () => {
  const device = "inter-lux";
  const spec = (mode: string) => ({ device, mode }) as PskSpec;
  const of = (message: string) => {
    const urn = "urn:pulumi:dev::net::overlay:wireguard:Interface::lux-fra@fra";
    const state = { custom: true, inputs: { config: "a\n" } };
    const step = { op: "update", urn, oldState: state, newState: state };
    const diagnostics = [{ urn, message, severity: "info" }];
    const { losses, notes } = report(preview(JSON.stringify({ steps: [step], diagnostics })));
    return { losses: losses.map(({ text }) => text), notes: notes.map(({ text }) => text) };
  };

  test("impact of an update is a loss, and what the recorded preview says is that", () => {
    type Recorded = { op: string; urn: string } & Record<
      "oldState" | "newState",
      Record<string, Record<string, string>>
    >;
    const { steps, diagnostics } = JSON.parse(recorded("changed")) as { steps: Recorded[]; diagnostics: unknown[] };
    const step = steps.find(({ urn, op }) => urn.endsWith("lux-fra@fra") && op === "update") as Recorded;
    const [before, after] = [step.oldState.inputs as never, step.newState.inputs as never];
    const type = resourceType("overlay:wireguard:Interface") as ResourceType;
    const [said = ""] = impact(type, before, step.oldState.outputs?.config, after);
    expect(diagnostics).toContainEqual({ urn: step.urn, message: `${said}\n`, severity: "info" });
    expect(of(said)).toEqual({ losses: [said], notes: [] });
  });

  test("keys that are given at once lose nothing; strict ones do until the first", () => {
    const [strict = ""] = pskForetells(spec("strict"));
    const [stricter = ""] = pskForetells(spec("strict"), spec("permissive"));
    expect([of(strict), of(stricter)]).toEqual([
      { losses: [strict], notes: [] },
      { losses: [stricter], notes: [] },
    ]);
    for (const said of [
      ...pskForetells(spec("permissive")),
      ...pskForetells(spec("permissive"), spec("strict")),
      unkeyed(device),
    ])
      expect(of(said)).toEqual({ losses: [], notes: [said] });
  });
});

describe("what a preview may have besides", () => {
  const changed = (change: (steps: Step[]) => Step[]): Report => withSteps("changed", change);
  const [member, side] = ["lan@fra", "fra-hkg@hkg"];

  test("what is known only while it is made, by its name, and nobody says that it costs nothing", () => {
    // How the engine writes an unknown text: sdk/go/common/resource/plugin/rpc.go in pulumi/pulumi.
    const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const it = changed((steps) =>
      steps.flatMap((step) => {
        if (!step.urn.endsWith(member)) return [];
        const inputs = { connection: UNKNOWN, spec: UNKNOWN, config: UNKNOWN };
        return [{ ...step, newState: { ...step.newState, inputs } }];
      }),
    );
    const lines = ["! what it is told is known only when what it depends on is there"];
    const resources = [{ type: "vxlan:Member", name: member, change: "new", lines }];
    expect(it.changes).toEqual([{ name: "fra", kind: "host", resources }]);
    expect(markdown(it)).not.toMatch(/04da6b54|No packet/);
  });

  test("resources of other packages, which are counted; components and providers, which are not", () => {
    const [aws, urn] = ["aws:ec2/instance:Instance", (type: string) => `urn:pulumi:dev::net::${type}::one`];
    const custom = { custom: true, inputs: { userData: "hunter2" } };
    const it = changed((steps) => [
      ...steps.filter(({ op }) => op === "same"),
      { op: "create", urn: urn(aws), newState: custom },
      { op: "create", urn: urn("web:index:Server"), newState: { ...custom, custom: false } },
      { op: "create", urn: urn("pulumi:providers:aws"), newState: custom },
    ]);
    expect(it).toMatchObject({ outcome: "changes", otherPackages: [{ type: aws, name: "one", change: "new" }] });
    expect(markdown(it)).toBe(
      "## Overlay `net/dev`: nothing of the overlay changes\n\n- **Other packages**: 1 resource changes\n",
    );
  });

  test("one side of a link that goes alone, as with --target", () => {
    const it = changed((steps) => steps.filter(({ urn, op }) => op === "same" || urn.endsWith(side)));
    const staying = changed((steps) =>
      steps.flatMap((step) => {
        if (step.urn.endsWith(side)) return [step];
        const { oldState } = step;
        return step.urn.endsWith("fra-hkg@fra") ? [{ ...step, op: "same", newState: oldState ?? {} }] : [];
      }),
    );
    expect(it.losses).toEqual([
      { about: "fra-hkg", text: "The link goes, and no packet passes by it any more.", lasts: "for good" },
    ]);
    expect(staying.losses).toEqual([
      {
        about: "fra-hkg",
        text: "hkg leaves the link, and no packet passes to it by that any more.",
        lasts: "for good",
      },
    ]);
    expect(staying.links).toMatchObject([{ name: "fra-hkg", change: "changed", leaving: ["hkg"] }]);
  });

  test("a step of a kind that is not known goes by the states that it has", () => {
    const it = changed((steps) =>
      steps.map((step) => ({ ...step, op: step.op === "same" ? "same" : `new-${step.op}` })),
    );
    expect(it.changes).toEqual(reported("changed").changes);
  });

  test("what the stack says in a source of truth is no host's", () => {
    const urn = "urn:pulumi:dev::net::overlay:index:SourceOfTruth$overlay:truth:Part::truth";
    const inputs = { store: "s3://a", network: "prod", key: "/k", signers: "{}", spec: "{}", config: "node lux\n" };
    const oldState = { custom: true, inputs, outputs: { config: "node lux\n" } };
    const newState = { custom: true, inputs: { ...inputs, config: "node lux\nnode fra\n" } };
    const part = { op: "update", urn, oldState, newState, diffReasons: ["config", "extracts"] };
    const it = changed((steps) => [...steps.filter(({ op }) => op === "same"), part]);
    const lines = ["! its hosts are told what others say by now", "+ node fra"];
    const resources = [{ type: "truth:Part", name: "truth", change: "changed", lines }];
    expect(it).toMatchObject({ outcome: "changes", changes: [{ name: "prod", kind: "truth", resources }] });
    expect(markdown(it)).toContain("- **Sources of truth**: `prod`\n");
    expect(markdown(it)).toContain("<details><summary>source of truth <code>prod</code>: +1 1 note</summary>");
  });

  test("another machine, and another way to the one that is there", () => {
    const it = changed((steps) =>
      steps.map((step) =>
        step.urn.endsWith("lux-fra@lux") ? { ...step, diffReasons: ["connection", "machine"] } : step,
      ),
    );
    const [lines] = it.changes.flatMap(({ resources }) => resources.filter(({ name }) => name === "lux-fra@lux"));
    expect(lines?.lines.slice(0, 2)).toEqual([
      "! its machine is reached in another way",
      "! it is another machine, which is told everything",
    ]);
  });
});

describe("names that mean something elsewhere", () => {
  const NASTY = 'a`b``<img src=x onerror=alert(1)> | *x* [y](http://z) #1 @octocat "q" --> $(id) \'; \\ ~~~ end';

  const named = (nasty: string): Report => {
    const written = JSON.stringify(nasty).slice(1, -1);
    const inSpec = JSON.stringify(written).slice(1, -1);
    const text = recorded("changed")
      .replace(/"spec":"(?:[^"\\]|\\.)*"/g, (spec) => spec.replaceAll("lux-fra", () => inSpec))
      .replaceAll("lux-fra", () => written);
    return report(preview(text));
  };

  test("the whole report", () => {
    expectGolden(join(folder, "names.md"), markdown(named(NASTY)));
  });

  /** What is left of Markdown when all is taken away in which nothing means anything. */
  const outsideCode = (text: string): string =>
    text
      .replace(/^( *(?:> )?)(`{3,})[^\n]*\n[\s\S]*?\n *(?:> )?\2$/gm, "")
      .replace(/<code>.*?<\/code>/g, (it) => (it.slice(6, -7).includes("<") ? it : ""))
      .replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, "");
  const OWN = /<\/?(?:details|summary)>/g;

  test("whatever they are, no HTML, no mention and no control character comes of them; blocks end where they should", () => {
    const pieces = fc.constantFrom("`", "```", "<b>", "@o", "\n", "\x1b[31m", "\u202e", "|", "*", "]", '"', "::", "a");
    const name = fc.array(fc.oneof(pieces, fc.string({ unit: "grapheme", maxLength: 3 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(name, (parts) => {
        const text = markdown(named(parts.join("")));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
        expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/);
        const outside = outsideCode(text).replace(OWN, "");
        expect(outside).not.toMatch(/<[a-z!/]/i);
        expect(outside).not.toMatch(/@[a-z]/i);
        expect(outside.split("### Picture")).toHaveLength(2);
      }),
      { numRuns: 200 },
    );
  });
});

describe("no secret", () => {
  const shown = (message: string, severity: string, secrets: string[] = []): string => {
    const urn = "urn:pulumi:dev::net::overlay:index:OverlayNode::fra";
    const it = report(
      preview(JSON.stringify({ steps: [], diagnostics: [{ urn, message, severity }], changeSummary: { same: 3 } })),
      secrets,
    );
    return markdown(it) + terminal(it, { columns: 80, colour: false }) + JSON.stringify(it);
  };

  test.each([
    ["error: cannot read https://bob:hunter2@example.com/x", "hunter2"],
    ["error: token=hunter2", "hunter2"],
    ['error: {"password": "hunter2"}', "hunter2"],
    ["warning: AWS_SECRET_ACCESS_KEY=hunter2hunter2", "hunter2"],
    ["error: key SJjVGFkcXRFGw8Jd1p+8Dgb/uNBYPbmFgTcA0X1eAEg= is none", "SJjVGFkc"],
    [
      "error: -----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\nZXktdjEA\n-----END OPENSSH PRIVATE KEY-----",
      "b3BlbnNzaC1r",
    ],
    [`error: ghp_${"a".repeat(36)}`, "aaaaaaaa"],
  ])("%j", (message, secret) => {
    const text = shown(message, message.split(":")[0] ?? "");
    expect(text).toContain("<not shown>");
    expect(text).not.toContain(secret);
  });

  test("nor the value of a variable that is named as one", () => {
    expect(shown("error: it is correct horse", "error", ["correct horse"])).not.toContain("correct horse");
    const failing = recorded("failing").replace("token=", "it is ").replace("hunter2", "swordfish-9");
    const { status, stdout } = overlay(["-"], failing, { DEPLOY_TOKEN: "swordfish-9" });
    expect(status).toBe(1);
    expect(stdout).toContain("not shown");
    expect(stdout).not.toContain("swordfish");
  });

  test("nor what a preview has besides: the stack's configuration, how hosts are reached, what --show-secrets showed", () => {
    const value = JSON.parse(recorded("changed"));
    value.config = { "net:password": "hunter2", "overlay:identities": "hunter2" };
    for (const { oldState, newState } of value.steps)
      for (const state of [oldState, newState])
        if (state?.inputs) state.inputs.connection = { host: "hunter2", hostKey: { plaintext: "hunter2" } };
    const it = report(preview(JSON.stringify(value)));
    expect(markdown(it) + JSON.stringify(it)).not.toContain("hunter2");
  });

  test("nor a key where a line should have a file's path", () => {
    const file = "private-key /etc/overlay/keys/wireguard.key";
    const key = "SJjVGFkcXRFGw8Jd1p+8Dgb/uNBYPbmFgTcA0X1eAEg=";
    const text = markdown(report(preview(recorded("changed").replaceAll(file, `private-key ${key}`))));
    expect(text).toContain("private-key <not shown>");
    expect(text).not.toContain(key);
  });
});

describe("a preview that is too large for a comment", () => {
  const fences = (text: string) => text.match(/^`{3,}/gm) ?? [];

  test("of 300 hosts each is named or counted, all blocks end, and it is said what was cut", () => {
    const it = report(preview(multiplied("changed", 100)));
    expect(it.changes).toHaveLength(300);
    const text = markdown(it);
    expect(text.length).toBeLessThanOrEqual(LIMIT);
    expect(text.length).toBeGreaterThan(LIMIT * 0.8);
    expect(fences(text).length % 2).toBe(0);
    const shown = text.match(/<details>/g)?.length ?? 0;
    const left = Number(/^_Cut: (\d+) more places; `overlay report --format json` has all\._$/m.exec(text)?.[1]);
    expect(shown + left).toBe(300);
    expect(text).toContain("**300 hosts touched**: `fra0`, `fra1`, `fra2`,");
    expect(text).toMatch(/^- … and 180 more$/m);
    // Of 300 links, and the segment that they all call lan.
    const edges = text.match(/^ {2}[ns]\d+ (?:--|==|-\.).* n\d+$/gm)?.length ?? 0;
    expect(edges).toBeGreaterThan(70);
    expect(text).toMatch(/^_Not drawn: 221 more links\._$/m);
  });

  test("one host with much to say leaves room for the others", () => {
    const value = JSON.parse(recorded("changed"));
    const member = value.steps.find(({ urn }: { urn: string }) => urn.endsWith("lan@fra"));
    member.newState.inputs.config += Array.from({ length: 20_000 }, (_, n) => `bridge fdb append ${n}\n`).join("");
    const text = markdown(report(preview(JSON.stringify(value))));
    expect(text.length).toBeLessThanOrEqual(LIMIT);
    expect(text).toMatch(/^_Cut: \d{5} more lines;/m);
    expect(text.match(/^_Cut/gm)).toHaveLength(1);
    expect(fences(text)).toHaveLength(8);
    expect(text).toContain("### Picture");
  });

  test("however little room there is, it is kept", () => {
    const all = report(preview(multiplied("drifted-and-changed", 20)));
    for (const limit of [200, 1000, 3000, 5000, 15_000, 40_000]) {
      const text = markdown(all, limit);
      expect({ limit, fits: text.length <= limit, fences: fences(text).length % 2 }).toEqual({
        limit,
        fits: true,
        fences: 0,
      });
    }
  });
});

describe("what is no preview of ours", () => {
  const whole = recorded("changed");
  test.each([
    ["truncated", whole.slice(0, 20_000), /^overlay: the preview breaks off after 20000 characters: give the whole/],
    ["empty", "", /^overlay: the preview is empty: give the whole/],
    ["for people", "Previewing update (dev):\n", /^overlay: the preview is no JSON: give the whole/],
    ["a stream", '{"steps":[]}\n{"steps":[]}\n', /^overlay: the preview is a stream of events: give/],
    ["a state", '{"version":3,"deployment":{}}', /^overlay: the preview is a state: give/],
    ["a list", "[]", /^overlay: the preview has neither steps nor diagnostics: give/],
    [
      "an older Pulumi's",
      '{"steps":[{"op":"create","new":{}},{"op":"create","new":{}}]}',
      /^overlay: this is a preview of a Pulumi that is not understood, an older one perhaps: use Pulumi 3\nsteps\[0\]\.urn: legal is a string; add it\.\n/,
    ],
    [
      "another stack's",
      recorded("others"),
      /^overlay: the stack web\/dev has 1 resource, and none of pulumi-overlay: name another with --stack, or/,
    ],
  ])("%s", (_, text, said) => {
    const { status, stdout, stderr } = overlay(["-"], text);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(said);
  });

  test("fields that an older Pulumi left out are no hindrance where nothing needs them", () => {
    const { steps } = JSON.parse(whole);
    const older = {
      steps: steps.map(({ op, urn, oldState, newState }: Record<string, unknown>) => ({ op, urn, oldState, newState })),
    };
    expect(report(preview(JSON.stringify(older))).changes).toEqual(reported("changed").changes);
  });

  test("nothing of ours in sight is no fault where unchanged resources are not shown", () => {
    const value = { ...JSON.parse(recorded("others")), changeSummary: { create: 2, same: 7 } };
    expect(report(preview(JSON.stringify(value))).outcome).toBe("same");
  });

  test("a file, and what is for a preview of its own", () => {
    expect(overlay([join(folder, "same.json"), "--refresh"])).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "overlay: --refresh is for a preview that this runs itself: leave out the file [cli/option]\n",
    });
  });

  test("a file that is not there", () => {
    expect(overlay(["/nowhere.json"])).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("/nowhere.json"),
    });
  });
});
