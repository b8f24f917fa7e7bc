/** What is said beside the steps: by the provider, by programs, by the components. */
import { markdown } from "../../../../sdk/cli/report/markdown";
import type { Report } from "../../../../sdk/cli/report/report";
import { terminal } from "../../../../sdk/cli/report/terminal";
import { LOSSES, lossIn } from "../../../../sdk/losses";
import { takeover } from "../../../../sdk/provider/adopt";
import { check } from "../../../../sdk/provider/inputs";
import type { Operation } from "../../../../sdk/provider/lifecycle";
import { type ResourceType, resourceType } from "../../../../sdk/provider/registry";
import { byHand, PEER } from "../../provider/by-hand";
import type { ModelMachine } from "../../provider/model-machine";
import { alone, altered, type Digest, withSteps } from "./recorded";

const LINK = "urn:pulumi:dev::net::overlay:index:WgLink$overlay:wireguard:Interface::lux-fra@fra";
const STACK = "urn:pulumi:dev::net::pulumi:pulumi:Stack::net-dev";

type Diagnostic = NonNullable<Digest["diagnostics"]>[number];
/** Of a new link, whose lines are all known, with this said beside it. */
const saying = (...diagnostics: Diagnostic[]): Report =>
  altered("new", ({ diagnostics: _, ...rest }) => ({ ...rest, diagnostics }));
const info = (message: string, urn = LINK): Diagnostic => ({ urn, message, severity: "info" });

const SAFE = "**No packet is lost** of what passes now";
const UNSURE = "**Not known** before `up`: whether packets are lost";

describe("a device that is taken over", () => {
  const type = resourceType("overlay:wireguard:Interface") as ResourceType;
  const spec = {
    ...{ node: "fra", owner: "net/dev", device: "wg0", link: "lux-fra", id: 2, mtu: 1420, listenPort: 51820 },
    ...{ key: "adopted", adopts: ["wg0"], addresses: ["10.255.0.2"] },
    peer: { name: "lux", id: 1, publicKey: PEER, addresses: ["10.255.0.1"] },
  };

  async function told(machine: ModelMachine): Promise<string> {
    const checked = check(type, { connection: { host: "fra.example" }, spec }, "it");
    if ("faults" in checked) throw new Error("the test's own spec has faults");
    return (await takeover(type, () => ({ type, machine }) as unknown as Operation, checked.inputs)).told.join("\n");
  }

  test("loses nothing by itself, and its steps are one note", async () => {
    const it = saying(info(await told(byHand())));
    expect(it.losses).toEqual([]);
    expect(it.notes).toEqual([
      { about: "lux-fra@fra", text: expect.stringMatching(/may carry this run's own SSH/) },
      { about: "lux-fra@fra", text: expect.stringMatching(/^wg0 of \S+ is taken over as it is, by these steps:\n\S/) },
    ]);
    expect(markdown(it)).toContain(SAFE);
  });

  test("loses what wg-quick did besides, and the routes by it: at once, or with the next boot", async () => {
    const machine = byHand();
    const look = machine.look.bind(machine);
    const route = { dev: "wg0", type: "unicast", table: "main" };
    machine.look = async (...args: Parameters<typeof look>) => {
      const seen = await look(...args);
      const more = [
        { ...route, dst: "10.255.0.0/24", protocol: "kernel" },
        { ...route, dst: "192.168.7.0/24", protocol: "boot" },
      ];
      return { ...seen, quick: { wg0: ["PostUp"] }, routes4: [...seen.routes4, ...more] };
    };
    const it = saying(info(await told(machine)));
    expect(it.losses.map(({ text, lasts }) => [text.slice(0, 45), lasts])).toEqual([
      ["At once: the routes to 10.255.0.0/24 go, whic", LOSSES.routesAtOnce.lasts],
      ["Until the next boot only: the routes to 192.1", LOSSES.routesAtBoot.lasts],
      ["Until the next boot only: what PostUp of /etc", LOSSES.commandsAtBoot.lasts],
    ]);
    expect(markdown(it)).toContain(
      "- **Packets are lost** by 3 changes: `lux-fra@fra` until its `routes` name what is needed, `lux-fra@fra` from the next boot on, until",
    );
  });

  test("may lose anything where its host was not reached", () => {
    const it = saying(
      info("What of wg0 is taken over is not known before `up`: fra cannot be reached. [host/unreachable]"),
    );
    expect(it).toMatchObject({ losses: [], lossesKnown: false });
    expect(markdown(it)).toContain(UNSURE);
  });
});

test("each way to lose packets is told from all others", () => {
  for (const loss of Object.values(LOSSES)) expect(lossIn(`link inter-lux: ${loss.says}, and more.`)).toEqual(loss);
  expect(lossIn("inter-lux loses nothing: both daemons end.")).toBeUndefined();
});

describe("nobody says that no packet is lost where that is not known", () => {
  const text = (it: Report): string => markdown(it).match(/\*\*(No packet|Not known|Packets are).*/)?.[0] ?? "";

  test("it is known of what is new, and of what changes in place", () => {
    expect(text(saying())).toBe(SAFE);
    expect(text(alone("changed", "lux-fra@lux"))).toBe(SAFE);
  });

  const other = (op: string) => ({
    op,
    urn: "urn:pulumi:dev::net::aws:ec2/instance:Instance::lux",
    oldState: { custom: true },
    newState: { custom: true },
  });

  test.each([
    ["other packages' servers are made anew", withSteps("new", (steps) => [...steps, other("replace")])],
    ["other packages' servers change", withSteps("new", (steps) => [...steps, other("update")])],
    ["a machine goes alone", alone("destroyed", "lux")],
    ["a host was not reached", saying({ urn: LINK, message: "warning: fra cannot be reached", severity: "warning" })],
  ])("%s", (_, it) => expect(text(it)).toBe(UNSURE));

  test("new servers of other packages lose nothing", () => {
    expect(text(withSteps("new", (steps) => [...steps, other("create")]))).toBe(SAFE);
  });
});

describe("why a program failed, which is not in the error", () => {
  const goProgram = [
    ...Array.from({ length: 50 }, (_, n) => ({ message: `line ${n}\n`, severity: "info#err" })),
    { message: "panic: cannot parse token=hunter2\n", severity: "info#err" },
    { message: "-----BEGIN PRIVATE KEY-----\n", severity: "info#err" },
    { message: "MC4CAQAwBQYDK2VwBCIEIA\n", severity: "info#err" },
    { message: "-----END PRIVATE KEY-----\n", severity: "info#err" },
    { message: "exit status 2\n", severity: "info#err" },
  ];
  const failure = {
    message: "error: an unhandled error occurred: program exited with non-zero exit code: 1\n",
    severity: "error",
  };

  test("the last lines of its standard error, with nothing secret", () => {
    const it = saying(...goProgram, failure);
    expect(it.stderr).toHaveLength(40);
    expect(it.stderr.slice(-4)).toEqual([
      "line 49",
      "panic: cannot parse token=<not shown>",
      "<not shown>",
      "exit status 2",
    ]);
    const text = markdown(it);
    expect(text).toMatch(
      /non-zero exit code: 1\n\n<details><summary>The last lines that programs wrote on standard error<\/summary>\n\n```\nline 13\n[^`]*exit status 2\n```\n\n<\/details>\n/,
    );
    const all = text + JSON.stringify(it) + terminal(it, { columns: 60, colour: false });
    expect(all).not.toMatch(/hunter2|MC4CAQ/);
    expect(terminal(it, { columns: 60, colour: false })).toContain("panic: cannot parse token=<not shown>\n");
  });

  test("they are left out where nothing failed", () => {
    expect(saying(...goProgram).stderr).toEqual([]);
  });
});

test("the order of a rollout is told; what a program prints for itself is not", () => {
  const order = "overlay:rollout: first lux; then fra, hkg. Each stage waits until the one before is done.";
  const it = saying(info(`${order}\n`, STACK), info("hello\n", STACK), info("hello\n", ""));
  expect(it.notes).toEqual([{ text: order }]);
});
