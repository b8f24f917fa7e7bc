/** `overlay topology`: what is read of a state, and whether a person can read the picture of it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stackNetwork, stackResources } from "../../../sdk/cli/stack";
import { dot } from "../../../sdk/cli/topology/dot";
import { mermaid } from "../../../sdk/cli/topology/mermaid";
import { svg } from "../../../sdk/cli/topology/svg";
import { expectGolden, golden } from "../golden";
import { deploymentOf } from "./deployment";
import { everything, HOSTILE, shapes, stateOf } from "./networks";
import { holds, overlap, parsed, type Seen, seen } from "./picture";

const root = join(__dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "overlay-topology-"));
afterAll(() => rmSync(folder, { recursive: true }));

const networkOf = (text: string) => stackNetwork(stackResources(text));
const overlay = (words: string[], input = "", env: NodeJS.ProcessEnv = {}) =>
  spawnSync(join(root, "bin/overlay"), ["topology", ...words], {
    input,
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 24,
  });

const said = (input: string) => {
  const { status, stdout, stderr } = overlay(["--state", "-"], input);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  return stderr;
};

describe("what is made of real components", () => {
  const state = deploymentOf(everything);

  test.each(["svg", "mermaid", "dot"])("%s", async (format) => {
    const file = join(folder, "state.json");
    writeFileSync(file, await state);
    const printed = overlay(["--format", format, "--state", file]);
    expect(printed).toMatchObject({ status: 0, stderr: "" });
    expectGolden(join(golden, "topology", `everything.${format}`), printed.stdout);
  });

  test("is the same in whatever order it comes, as a backend keeps it and by another version of the format", async () => {
    const { version, deployment } = JSON.parse(await state) as { version: number; deployment: { resources: object[] } };
    const resources = deployment.resources.toReversed();
    const all = [
      { version, deployment: { ...deployment, resources } },
      { version: 4, features: ["refreshBeforeUpdate"], deployment: { resources } },
      { version, checkpoint: { stack: "prod", latest: { resources } } },
    ];
    const wanted = svg(networkOf(await state));
    for (const one of all) expect(svg(networkOf(JSON.stringify(one)))).toBe(wanted);
  });

  test("what waits to be deleted is not there, and secrets stay unseen, encrypted or not", async () => {
    const { deployment } = JSON.parse(await state) as { deployment: { resources: Record<string, unknown>[] } };
    const old = deployment.resources.map((it) => ({ ...it, delete: true }));
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
    const fresh = JSON.parse(stateOf({ nodes: ["one", "two"], links: [[0, 1]] })).deployment.resources.map(
      (it: { inputs: object }, index: number) => ({
        ...it,
        inputs: {
          ...it.inputs,
          connection: {
            host: "lux.example",
            hostKey: { ...secret, ...(index % 2 ? { ciphertext: "v1:abc" } : { plaintext: '"hush"' }) },
          },
        },
      }),
    );
    const text = JSON.stringify({ version: 3, deployment: { resources: [...old, ...fresh] } });
    const network = networkOf(text);
    expect(network.nodes.map(({ name }) => name)).toEqual(["one", "two"]);
    for (const print of [svg, mermaid, dot]) expect(print(network)).not.toMatch(/hush|v1:abc|ssh-ed25519/);
  });
});

describe("what cannot be read is said with its cure", () => {
  const whole = stateOf({ nodes: ["lux", "fra"], links: [[0, 1]] });
  const changed = (change: (spec: Record<string, unknown>) => unknown): string => {
    const state = JSON.parse(whole) as { deployment: { resources: { inputs: { spec: unknown } }[] } };
    for (const { inputs } of state.deployment.resources) inputs.spec = change(JSON.parse(String(inputs.spec)));
    return JSON.stringify(state);
  };

  test.each([
    [
      "nothing",
      "",
      "overlay: the state is empty: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "half",
      whole.slice(0, 600),
      "overlay: the state breaks off after 600 characters: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "cut in a word",
      '{"version":3,"deployment":{"manifest":{},"resources":[{"urn":"a","custom":tru',
      "overlay: the state breaks off after 77 characters: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "cut behind a resource",
      '{"version":3,"deployment":{"resources":[{"urn":"a","type":"b"}',
      "overlay: the state breaks off after 62 characters: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "with a line after it",
      `${JSON.stringify(JSON.parse(whole), undefined, 2)}\nwarning: no`,
      `overlay: the state has something after its end, in line ${JSON.stringify(JSON.parse(whole), undefined, 2).split("\n").length + 1}: give the whole of what \`pulumi stack export\` prints on standard output, and nothing else [cli/state]\n`,
    ],
    [
      "a list",
      "[]",
      "overlay: the state is no object: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "an output",
      '{"wgQuick":"[Interface]"}',
      "overlay: the state has no version and no deployment: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "without its version",
      '{"deployment":{"resources":[]}}',
      "overlay: the state has no version: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "words",
      "error: no stack selected\n",
      "overlay: the state is no JSON: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "a number",
      "3",
      "overlay: the state is no object: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "a preview",
      '{"config":{},"steps":[{"op":"create"}]}',
      "overlay: the state is a preview: give the whole of what `pulumi stack export` prints on standard output, and nothing else [cli/state]\n",
    ],
    [
      "of Pulumi 0.x",
      '{"version":2,"deployment":{"resources":[]}}',
      "overlay: the state has version 2, which is of a Pulumi before 1.0: export it with a current one; legal is 3 or 4 [cli/state]\n",
    ],
    [
      "of the future",
      '{"version":5,"deployment":{"resources":[]}}',
      "overlay: the state has version 5, which is of a newer Pulumi than this knows: use a newer pulumi-overlay; legal is 3 or 4 [cli/state]\n",
    ],
    [
      "something else",
      '{"version":3,"deployment":{"resources":[{"type":7}]}}',
      "overlay: deployment.resources[0].urn: legal is a string; export the state again.\ndeployment.resources[0].type: found 7, legal is a string; export the state again. [cli/state]\n",
    ],
    [
      "an empty stack",
      '{"version":3,"deployment":{"manifest":{}}}',
      "overlay: the stack has no resource of pulumi-overlay: select another with `pulumi stack select`, or run `pulumi up` [cli/state]\n",
    ],
    ...[
      '{"version":3,"deployment":{"manifest":{},"resources":null}}',
      '{"version":3,"deployment":null}',
      '{"version":3,"checkpoint":{"stack":"prod","latest":null}}',
    ].map((text): [string, string, string] => [
      `a stack that was never updated: ${text}`,
      text,
      "overlay: the stack has no resource of pulumi-overlay: select another with `pulumi stack select`, or run `pulumi up` [cli/state]\n",
    ]),
    [
      "a stack of others",
      '{"version":3,"deployment":{"resources":[{"urn":"urn:pulumi:dev::web::aws:s3:Bucket::files","type":"aws:s3:Bucket","custom":true}]}}',
      "overlay: the stack web/dev has resources, and none of pulumi-overlay: select another with `pulumi stack select`, or run `pulumi up` [cli/state]\n",
    ],
    [
      "a spec of another version",
      changed(({ id, ...spec }) => JSON.stringify({ ...spec, mtu: "much" })),
      "overlay: the state's overlay:node:Host resources cannot be read:\nlux: spec.id: legal is a number; add it.\nfra: spec.id: legal is a number; add it.\nanother version of pulumi-overlay wrote it; use that one, or run `pulumi up` with this one first [cli/state]\n",
    ],
  ])("%s", (_, text, message) => {
    expect(said(text)).toBe(message);
  });

  test("wherever it breaks off, that is what is said; and a byte order mark is none of it", () => {
    for (let length = 1; length < whole.length; length++) {
      const cut = whole.slice(0, length).trim();
      expect(() => stackResources(cut)).toThrow(`the state breaks off after ${cut.length} characters: `);
    }
    expect(stackResources(`\ufeff\r\n${whole}\r\n`)).toEqual(stackResources(whole));
  });

  test("fields that Go has left empty are no hindrance", () => {
    const state = JSON.parse(whole) as { deployment: { resources: object[] } };
    const resources = state.deployment.resources.map((it) => ({ delete: null, provider: null, outputs: null, ...it }));
    expect(networkOf(JSON.stringify({ version: 3, deployment: { resources } }))).toEqual(networkOf(whole));
  });

  test.each(["status", "topology", "doctor lux"])("%s: a file of another stack than is named", async (command) => {
    const file = join(folder, "other.json");
    writeFileSync(file, await deploymentOf(everything));
    const run = (stack: string) => {
      const words = [...command.split(" "), "--state", file, "--stack", stack, "--ssh", "false"];
      return spawnSync(join(root, "bin/overlay"), words, { encoding: "utf8" }).stderr;
    };
    expect(run("dev")).toBe(
      "overlay: the state is of the stack net/prod, and --stack says dev: name the same [cli/option]\n",
    );
    expect(run("org/web/prod")).toContain("the state is of the stack net/prod, and --stack says org/web/prod");
    for (const same of ["prod", "org/prod", "org/net/prod"]) expect(run(same)).toBe("");
  });

  test("a file that is not there, a format that is none, no pulumi, and one that fails", () => {
    expect(overlay(["--state", "absent.json"]).stderr).toBe(
      "overlay: absent.json cannot be read: ENOENT: no such file or directory [cli/file]\n",
    );
    expect(overlay(["--format", "png"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("Allowed choices are svg, mermaid, dot"),
    });
    const bin = join(folder, "bin");
    spawnSync("sh", [
      "-c",
      `mkdir ${bin} && ln -s ${process.execPath} ${bin}/node && for it in sh readlink; do ln -s "$(command -v $it)" ${bin}; done`,
    ]);
    expect(overlay([], "", { PATH: bin }).stderr).toBe(
      "overlay: there is no pulumi on PATH: put it there, or give what `pulumi stack export` prints as --state FILE [cli/pulumi]\n",
    );
    writeFileSync(join(bin, "pulumi"), '#!/bin/sh\necho "error: no stack named $5 found" >&2\nexit 255\n', {
      mode: 0o755,
    });
    expect(overlay(["--stack", "nowhere"], "", { PATH: bin })).toMatchObject({
      status: 1,
      stdout: "",
      stderr:
        "overlay: `pulumi stack export --non-interactive --stack nowhere` ended with 255: error: no stack named nowhere found [cli/pulumi]\n",
    });
  });
});

describe("a picture that can be read", () => {
  const crossing = ({ texts }: Seen): string[] =>
    texts.flatMap((one, index) =>
      texts
        .slice(index + 1)
        .flatMap((other) => (overlap(one.area, other.area) ? [`${one.text} and ${other.text}`] : [])),
    );
  const behind = ({ links, nodes }: Seen): string[] =>
    links.flatMap((link) =>
      nodes.flatMap(({ node, area }) =>
        !link.nodes.includes(node) && link.points.some((point) => holds(area, point))
          ? [`${link.nodes} behind ${node}`]
          : [],
      ),
    );

  test.each(Object.keys(shapes))("%s", (name) => {
    const shape = shapes[name] as (typeof shapes)[string];
    const network = networkOf(stateOf(shape));
    const picture = seen(svg(network));
    expect(picture.nodes).toHaveLength(shape.nodes.length);
    expect(picture.links).toHaveLength(shape.links?.length ?? 0);
    expect(crossing(picture)).toEqual([]);
    expect(behind(picture)).toEqual([]);
    const cards = picture.nodes.flatMap((one, index) =>
      picture.nodes.slice(index + 1).filter((it) => overlap(one.area, it.area)),
    );
    expect(cards).toEqual([]);
    const points = [...picture.texts, ...picture.nodes].flatMap(({ area }) => area);
    const outside = points.filter(([x, y]) => x < 0 || y < 0 || x > picture.width || y > picture.height);
    expect(outside).toEqual([]);
  });

  test("where there is room, links have their names, MTUs and endpoints; else there is a table, and the rest is under the mouse", () => {
    const three = svg(networkOf(stateOf(shapes.three as (typeof shapes)[string])));
    for (const word of ["link-1", "MTU 1420", "fra 203.0.113.1:11001"]) {
      expect(seen(three).texts.map(({ text }) => text)).toContain(word);
    }
    const many = svg(networkOf(stateOf(shapes["210 links of 21 nodes"] as (typeof shapes)[string])));
    const written = seen(many).texts.map(({ text }) => text);
    for (const word of ["link-1", "node-1 – node-2", "link-210", "node-20 – node-21"]) expect(written).toContain(word);
    expect(many).toContain("<title>link-1\nnode-1: link-1, MTU 1420, UDP port 11001, is called at 203.0.113.0:11001\n");
  });

  test("200 links take less than two seconds of a processor", () => {
    const file = join(folder, "many.json");
    for (const name of ["210 links of 21 nodes", "200 links of a star", "200 links of 100 nodes"]) {
      writeFileSync(file, stateOf(shapes[name] as (typeof shapes)[string]));
      const command = `${join(root, "bin/overlay")} topology --state ${file} >${file}.svg && times`;
      // The second line is of all that the shell has started: user and system time.
      const [, times = ""] = spawnSync("sh", ["-c", command], { encoding: "utf8" }).stdout.split("\n");
      const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => Number(m) * 60 + Number(s));
      expect(parts).toHaveLength(2);
      expect(parts.reduce((sum, one) => sum + one, 0)).toBeLessThan(2);
    }
  });
});

test("what Mermaid would not draw is printed, with a warning", () => {
  const all = Array.from({ length: 33 }, (_, n) => n);
  const links = all.flatMap((a) => all.slice(a + 1).map((b) => [a, b] as const));
  const printed = overlay(["--format", "mermaid", "--state", "-"], stateOf({ nodes: all.map((n) => `n${n}`), links }));
  expect(printed).toMatchObject({ status: 0, stdout: expect.stringMatching(/^flowchart LR\n/) });
  expect(printed.stderr).toMatch(
    /^overlay: 528 lines and \d+ characters are more than Mermaid draws by itself, 500 and 50000: /,
  );
});

describe("names are text, whatever is in them", () => {
  const network = networkOf(
    stateOf({
      nodes: HOSTILE,
      links: [
        [0, 1],
        [1, 2],
      ],
      meshes: [[2, 3, 4]],
      segments: [[0, 3]],
      relays: [[1, 0, 2]],
    }),
  );

  test("in SVG", () => {
    const picture = parsed(svg(network));
    const all: string[] = [];
    const look = (it: typeof picture): void => {
      all.push(it.name);
      it.children.forEach(look);
    };
    look(picture);
    expect([...new Set(all)].sort()).toEqual(
      ["circle", "g", "path", "rect", "style", "svg", "text", "title"].filter((it) => it !== "circle"),
    );
  });

  test("in Mermaid and in DOT", () => {
    expectGolden(join(golden, "topology/hostile.mermaid"), mermaid(network));
    expectGolden(join(golden, "topology/hostile.dot"), dot(network));
  });
});
