/** How often, and for how much, a host is asked, over gRPC against hosts that boot. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { TestEngine } from "../../sdk/provider/client";
import { host, Network, PAUSE, side } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "looks at a host", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  const told = join(folder, "told");
  let lab: Lab;
  let network: Network;
  let engine: TestEngine;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "looks", fresh: true });
    const ssh = join(folder, "ssh");
    writeFileSync(ssh, `#!/bin/sh\ntee -a ${told} | ${lab.json.ssh} "$@"\n`);
    chmodSync(ssh, 0o755);
    network = await Network.open(lab, { config: { ssh } });
    engine = network.engine;
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("looks");
    rmSync(folder, { recursive: true });
  });

  /** What was asked of hosts, all of them, meanwhile. */
  const asked = async (work: () => Promise<unknown>): Promise<string[]> => {
    writeFileSync(told, "");
    await work();
    return [...readFileSync(told, "utf8").matchAll(/^\{ frame [0-9a-f]+ (\w+) /gm)].map(([, agent = ""]) => agent);
  };

  test("what was seen after one change is there for the next, and only the rest is asked for", async () => {
    await engine.up(host(lab, "fra"));
    const both = async () => {
      await engine.up(host(lab, "lux"));
      await engine.up(side(lab, "lux", "fra", network.outputs("lux", "fra")));
    };
    expect(await asked(both)).toEqual(["hello", "snapshot", "apply", "glance", "apply"]);
  });

  test("when the engine has asked for nothing for a while, the host is looked at", async () => {
    const lux = host(lab, "lux");
    await engine.refresh(lux);
    expect(await asked(() => engine.refresh(lux))).toEqual([]);
    await sleep(PAUSE);
    expect(await asked(() => engine.refresh(lux))).toEqual(["snapshot"]);
  });
});
