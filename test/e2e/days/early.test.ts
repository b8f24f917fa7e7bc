/** `overlay status` begins to log in before Pulumi answers: to the hosts of the last answer, of whom this one may be another. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Status } from "../../../sdk/cli/status/rows";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { pause } from "../../lab/run";
import { eventually, network } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "logins before Pulumi answers", () => {
  let lab: Lab;
  let work: Workspace;
  const at = (...path: string[]) => join(work.folder, ...path);

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "daysearly", fresh: true });
    work = await Workspace.make(lab, network(lab));
    await work.up();
    for (const name of ["told", "tmp", "late", "no"]) mkdirSync(at(name));
    // A Pulumi that answers when it may, and one that has nothing to say then.
    const program = (path: string, last: string) => {
      writeFileSync(path, `#!/bin/sh\nwhile [ ! -e ${at("answer")} ]; do sleep 0.1; done\nPATH=\${PATH#*:}\n${last}\n`);
      chmodSync(path, 0o755);
    };
    program(at("late/pulumi"), 'exec pulumi "$@"');
    program(at("no/pulumi"), "echo 'no such backend' >&2\nexit 3");
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("daysearly");
  });

  /** What each login was told to do, by the address that it went to, sorted. */
  const told = (): Record<string, string[]> => {
    const logins: Record<string, string[]> = {};
    for (const name of readdirSync(at("told")).sort()) {
      const agents = [...readFileSync(at("told", name), "utf8").matchAll(/^\{ frame \w+ (\w+) /gm)];
      const to = name.replace(/\.\d+$/, "");
      logins[to] = [...(logins[to] ?? []), agents.map(([, agent]) => agent).join(" ")].sort();
    }
    return logins;
  };
  const LOOK = "hello snapshot";
  const address = (host: string, family = 0): string => lab.json.hosts[host]?.addresses[family] ?? "";

  const status = (pulumi = "", ...words: string[]) => {
    rmSync(at("answer"), { force: true });
    rmSync(at("told"), { recursive: true });
    mkdirSync(at("told"));
    const ssh = `${join(__dirname, "early.sh")} ${at("told")} ${lab.json.ssh}`;
    const path = `${pulumi === "" ? "" : `${at(pulumi)}:`}${process.env.PATH}`;
    return work.overlay(["status", "--json", "--ssh", ssh, ...words], { TMPDIR: at("tmp"), PATH: path });
  };
  const answer = () => writeFileSync(at("answer"), "");
  const seen = (text: string) =>
    (JSON.parse(text) as Status).hosts.map(({ name, reachable }) => `${name} ${reachable ? "seen" : "not seen"}`);
  const ALL = ["fra seen", "hkg seen", "lux seen"];

  const file = () => {
    const folder = at("cache/pulumi-overlay/hosts");
    const [name = "", ...more] = existsSync(folder) ? readdirSync(folder) : [];
    expect(more).toEqual([]);
    return name === "" ? undefined : join(folder, name);
  };

  test("of a state in a file, nothing is kept", async () => {
    writeFileSync(at("state.json"), await work.export());
    const { code, text } = await status("", "--state", at("state.json")).ended;
    expect({ code, seen: seen(text), file: file() }).toEqual({ code: 0, seen: ALL, file: undefined });
  });

  test("the first time, nobody is known, and all are kept", async () => {
    const running = status("late");
    await pause(2000);
    expect(told()).toEqual({});
    answer();
    expect(seen((await running.ended).text)).toEqual(ALL);
    expect(statSync(file() ?? "").mode & 0o777).toBe(0o600);
  });

  test("then all are logged in to meanwhile, once, and looked at when Pulumi has answered", async () => {
    const running = status("late");
    const all = Object.fromEntries(lab.hosts.map((host) => [address(host), ["hello"]]));
    await eventually("logins to all hosts", async () => JSON.stringify(told()) === JSON.stringify(sorted(all)));
    answer();
    expect(seen((await running.ended).text)).toEqual(ALL);
    expect(told()).toEqual(Object.fromEntries(lab.hosts.map((host) => [address(host), [LOOK]])));
  });

  test("with --host, that one alone is", async () => {
    const running = status("late", "--host", "lux");
    await eventually("a login to lux", async () => address("lux") in told());
    answer();
    expect(seen((await running.ended).text)).toEqual(["lux seen"]);
    expect(told()).toEqual({ [address("lux")]: [LOOK] });
  });

  test("a Pulumi that fails is told of as ever, and nothing is left", async () => {
    const running = status("no");
    await eventually("logins to all hosts", async () => Object.keys(told()).length === 3);
    answer();
    const { code, text } = await running.ended;
    expect({ code, text }).toEqual({
      code: 1,
      text: expect.stringMatching(/^overlay: `pulumi stack export --non-interactive` ended with 3: no such backend/),
    });
    expect(readdirSync(at("tmp"))).toEqual([]);
    expect(told()).toEqual(Object.fromEntries(lab.hosts.map((host) => [address(host), ["hello"]])));
  });

  test("one that is reached in another way now is asked in that way, and one that has left the stack is not", async () => {
    const { fra, hkg } = work.declared.nodes;
    if (!fra || !hkg) throw new Error("no such node");
    fra.connection.host = address("fra", 1);
    delete work.declared.nodes.hkg;
    for (const link of ["fra-hkg", "lux-hkg"]) delete work.declared.links[link];
    await work.up();
    cpSync(file() ?? "", at("before.json"));
    const running = status("late");
    await eventually("logins to all hosts", async () => Object.keys(told()).length === 3);
    answer();
    expect(seen((await running.ended).text)).toEqual(["fra seen", "lux seen"]);
    expect(told()).toEqual({
      [address("lux")]: [LOOK],
      [address("fra")]: ["hello"],
      [address("fra", 1)]: [LOOK],
      [address("hkg")]: ["hello"],
    });
    // From now on it is not even logged in to.
    const again = status();
    expect(seen((await again.ended).text)).toEqual(["fra seen", "lux seen"]);
    expect(told()).toEqual({ [address("lux")]: [LOOK], [address("fra", 1)]: [LOOK] });
  });

  test("that one may be dead: nobody waits for it, or hears of it", async () => {
    await lab.powerOff("hkg");
    cpSync(at("before.json"), file() ?? "");
    const { code, text, took } = await status().ended;
    expect({ code, seen: seen(text), hkg: text.includes("hkg") }).toEqual({
      code: 0,
      seen: ["fra seen", "lux seen"],
      hkg: false,
    });
    expect(took).toBeLessThan(10); // the time for a connection
    expect(readdirSync(at("tmp"))).toEqual([]);
  });
});

const sorted = <T>(of: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
