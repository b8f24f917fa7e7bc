/** The service itself: what it answers to an engine that touches no host. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { configuration } from "../../../sdk/provider/configuration";
import { Empty } from "../../../sdk/provider/grpc";
import { decode, encode, Secret, type Values } from "../../../sdk/provider/wire";
import { TestEngine } from "./client";
import { Plugin } from "./plugin";

describe("configuration", () => {
  const value = (values: Values) => {
    const result = configuration(values);
    return "value" in result ? result.value : result.faults.map(({ path }) => path);
  };

  const defaults = { ssh: "ssh", identities: [], live: "off", allowDestroy: "off" };

  test.each<[string, Values, unknown]>([
    ["nothing", {}, defaults],
    ["what the engine adds", { version: "1.0.0", __internal: {} }, defaults],
    [
      "what is the components'",
      { rollout: '{"canary":["lux"]}', allowDestroy: "true" },
      { ...defaults, allowDestroy: "true" },
    ],
    ["a list as JSON", { identities: new Secret('["a","b"]') }, { ...defaults, identities: ["a", "b"] }],
    ["one key as it is", { identities: new Secret("-----BEGIN") }, { ...defaults, identities: ["-----BEGIN"] }],
    ["a misspelt field", { identitys: "x" }, ["identitys"]],
    ["another word for on", { live: "yes" }, ["live"]],
  ])("%s", (_, values, expected) => {
    expect(value(values)).toEqual(expected);
  });
});

describe("service", () => {
  let served: Plugin;
  beforeAll(async () => {
    served = await Plugin.start();
  });
  afterAll(() => served.close());

  test("says who it is and what it has", async () => {
    expect((await served.call<plugin.PluginInfo>("getPluginInfo", new Empty())).getVersion()).toBe("0.0.0");
    const schema = await served.call<proto.GetSchemaResponse>("getSchema", new proto.GetSchemaRequest());
    expect(schema.getSchema()).toBe("{}");
    await served.call("attach", new plugin.PluginAttach().setAddress("127.0.0.1:1"));
  });

  const checkConfig = (values: Values) =>
    served.call<proto.CheckResponse>("checkConfig", new proto.CheckRequest().setNews(encode(values)));

  test("keeps private keys a secret also where the user forgot to say so", async () => {
    const response = await checkConfig({ ssh: "ssh -4", identities: '["-----BEGIN"]' });
    expect(decode(response.getInputs())).toEqual({ ssh: "ssh -4", identities: new Secret('["-----BEGIN"]') });
  });

  test("refuses configuration that it does not know, without a property's name, which would show its value", async () => {
    const [failure, ...more] = (await checkConfig({ identitys: "-----BEGIN" })).getFailuresList();
    expect([failure?.getProperty(), more]).toEqual(["", []]);
    expect(failure?.getReason()).toMatch(/^identitys: .*one of allowDestroy, identities, live, ssh/);
    expect(failure?.getReason()).not.toMatch(/BEGIN/);
  });

  test("replaces no resource when its own configuration changes", async () => {
    const diff = (news: Values) =>
      served.call<proto.DiffResponse>(
        "diffConfig",
        new proto.DiffRequest().setOldInputs(encode({ ssh: "a" })).setNews(encode(news)),
      );
    const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
    expect((await diff({ ssh: "a" })).getChanges()).toBe(DIFF_NONE);
    expect((await diff({ ssh: "b" })).getChanges()).toBe(DIFF_SOME);
    expect((await diff({ ssh: "b" })).getReplacesList()).toEqual([]);
  });

  test("says which resources there are when it is asked for another", async () => {
    const request = new proto.CheckRequest().setUrn("urn:pulumi:s::p::overlay:vxlan:Nothing::n");
    await expect(served.call("check", request)).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(
        /no resource overlay:vxlan:Nothing; it has overlay:node:Host, overlay:node:Key, overlay:wireguard:Interface/,
      ),
    });
  });

  test("does not pretend to know calls that it does not have", async () => {
    await expect(served.call("invoke", new proto.InvokeRequest())).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  });
});

test("a cancelled provider starts nothing more", async () => {
  const engine = await TestEngine.start();
  await engine.cancel();
  const inputs = { connection: { host: "127.0.0.1" }, spec: { node: "n", owner: "p/s", id: 1 } };
  const declared = { type: "overlay:node:Host", name: "n", inputs };
  await expect(engine.up(declared)).rejects.toMatchObject({ code: "CANCELLED" });
  expect(engine.state.size).toBe(0);
  await engine.close();
});

/** Runs what takes the place of ssh, and says so on standard error. */
async function withSsh(said: string, seconds: number, work: (ssh: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  const ssh = join(folder, "ssh");
  writeFileSync(ssh, `#!/bin/sh\nsleep ${seconds}\necho '${said}' >&2\nexit 255\n`, { mode: 0o755 });
  await work(ssh);
  rmSync(folder, { recursive: true });
}

test("where customTimeouts end while a host is waited for, it is said what it is waited for", () =>
  // As ssh does where no packet comes back: it waits for the whole of connectTimeout.
  withSsh("ssh: connect to host lux port 22: Connection timed out", 4, async (ssh) => {
    const engine = await TestEngine.start({ config: { ssh } });
    const inputs = { connection: { host: "lux", connectTimeout: 4 }, spec: { node: "n", owner: "p/s", id: 1 } };
    const declared = { type: "overlay:node:Host", name: "n", inputs, seconds: 9 };
    await expect(engine.up(declared)).rejects.toMatchObject({
      message: expect.stringContaining("Connection timed out"),
    });
    await engine.close();
  }));

test("a device that is to have no post-quantum keys any more is no change, and what becomes of it is told", async () => {
  const engine = await TestEngine.start();
  const spec = {
    ...{ node: "lux", owner: "net/prod", link: "lux-fra", device: "inter-fra", id: 1, listenPort: 11002, mtu: 1420 },
    peer: { name: "fra", id: 2, publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=", addresses: ["10.255.0.2"] },
    addresses: ["10.255.0.1"],
  };
  const side = (more: Values) => ({
    ...{ type: "overlay:wireguard:Interface", name: "lux-fra@lux" },
    inputs: { connection: { host: "lux.example" }, machine: "0", spec, ...more },
  });
  const keyed = await engine.check(side({ keyed: true }));
  const outputs = { config: keyed.config, machine: "0", resource: "" };
  engine.state.set(engine.urn(side({})), { id: "lux/inter-fra", inputs: keyed, outputs, refreshBeforeUpdate: false });
  expect((await engine.preview(side({ keyed: true }))).outcome).toBe("same");
  expect(engine.said(side({}))).toEqual([]);
  expect(await engine.up(side({}))).toBe("same");
  expect(engine.said(side({}))).toEqual([
    "inter-fra is to have no post-quantum keys any more, and loses nothing: both daemons end, then both hosts forget the key. Its packets have none from the next WireGuard handshake on, 120 s at most.",
  ]);
  expect(await engine.up(side({}))).toBe("same");
  expect(engine.said(side({}))).toHaveLength(1);
  await engine.close();
});

test("what the engine is told ends with the code to look up", () =>
  // Which is not tried again, as a login is that may come to be let in.
  withSsh("Host key verification failed.", 0, async (ssh) => {
    const engine = await TestEngine.start({ config: { ssh } });
    const inputs = { connection: { host: "127.0.0.1" }, spec: { node: "n", owner: "p/s", id: 1 } };
    await expect(engine.up({ type: "overlay:node:Host", name: "n", inputs })).rejects.toMatchObject({
      message: expect.stringMatching(/ \[host\/hostKeyUnknown\]$/),
    });
    await engine.close();
  }));
