/**
 * An engine for tests: it speaks gRPC to the provider as Pulumi's does, and keeps state as Pulumi's does, for as many
 * cases a second as the hosts can bear.
 */
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { lineDiff } from "../../../sdk/lineDiff";
import { Empty } from "../../../sdk/provider/grpc";
import { decode, encode, type Values } from "../../../sdk/provider/wire";
import { type Log, Plugin, Refusal } from "./plugin";

export { Refusal } from "./plugin";

/** What the provider said when it refused, which it must. */
export const failure = (promise: Promise<unknown>): Promise<Refusal> =>
  promise.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: Refusal) => error,
  );

/** What a program declares. */
export interface Declared {
  type: string;
  name: string;
  inputs: Values;
  /** customTimeouts, seconds. */
  seconds?: number;
}

/** What state keeps of it. */
export interface Kept {
  id: string;
  inputs: Values;
  outputs: Values;
  /** Why it is only half there. */
  initErrors?: string[];
  refreshBeforeUpdate: boolean;
}

export interface Options {
  /** The provider's configuration. */
  config?: Values;
  /** Runs the plugin's executable in place of the provider in this process, with this environment added. */
  plugin?: NodeJS.ProcessEnv;
  project?: string;
  stack?: string;
  /** State of a run before. */
  state?: Map<string, Kept>;
}

export type Outcome = "created" | "updated" | "same";

export class TestEngine {
  /** By URN. */
  readonly state: Map<string, Kept>;

  private constructor(
    private readonly plugin: Plugin,
    private readonly options: Options,
  ) {
    this.state = options.state ?? new Map();
  }

  static async start(options: Options = {}): Promise<TestEngine> {
    const plugin = await Plugin.start(options.plugin);
    const args = encode({ allowDestroy: "on", ...options.config });
    await plugin.call("configure", new proto.ConfigureRequest().setArgs(args).setAcceptsecrets(true));
    return new TestEngine(plugin, options);
  }

  get log(): Log[] {
    return this.plugin.log;
  }

  get pid(): number | undefined {
    return this.plugin.pid;
  }

  urn = ({ type, name }: Pick<Declared, "type" | "name">): string =>
    `urn:pulumi:${this.options.stack ?? "test"}::${this.options.project ?? "net"}::${type}::${name}`;

  kept(declared: Pick<Declared, "type" | "name">): Kept {
    const kept = this.state.get(this.urn(declared));
    if (!kept) throw new Error(`${declared.name} is not in state`);
    return kept;
  }

  /** The inputs as state would keep them. Throws a Refusal with all faults. */
  async check(declared: Declared): Promise<Values> {
    const request = new proto.CheckRequest().setUrn(this.urn(declared)).setNews(encode(declared.inputs));
    const response = await this.plugin.call<proto.CheckResponse>("check", request);
    const failures = response.getFailuresList();
    expect(failures.map((failure) => failure.getProperty())).toEqual(failures.map(() => ""));
    if (failures.length > 0) throw new Refusal("INVALID_ARGUMENT", failures.map((one) => one.getReason()).join("\n"));
    return decode(response.getInputs());
  }

  async diff(declared: Declared, inputs: Values): Promise<string[]> {
    const kept = this.kept(declared);
    const request = new proto.DiffRequest()
      .setId(kept.id)
      .setUrn(this.urn(declared))
      .setOlds(encode(kept.outputs))
      .setOldInputs(encode(kept.inputs))
      .setNews(encode(inputs));
    const response = await this.plugin.call<proto.DiffResponse>("diff", request);
    const names = response.getDiffsList();
    expect(response.getReplacesList()).toEqual([]);
    expect(response.getHasdetaileddiff()).toBe(true);
    expect([...response.getDetaileddiffMap().keys()].sort()).toEqual([...names].sort());
    return names;
  }

  /** What `pulumi preview` would say, and the outputs that others would see. */
  async preview(declared: Declared): Promise<{ outcome: Outcome; diffs: string[]; outputs: Values }> {
    const inputs = await this.check(declared);
    const kept = this.state.get(this.urn(declared));
    if (!kept) return { outcome: "created", diffs: [], outputs: (await this.#create(declared, inputs, true)).outputs };
    const diffs = await this.diff(declared, inputs);
    if (diffs.length === 0 && !kept.initErrors) return { outcome: "same", diffs, outputs: kept.outputs };
    return { outcome: "updated", diffs, outputs: (await this.#update(declared, kept, inputs, true)).outputs };
  }

  /** One resource of `pulumi up`. Throws a Refusal; what is half applied stays in state. */
  async up(declared: Declared): Promise<Outcome> {
    const urn = this.urn(declared);
    let kept = this.state.get(urn);
    if (kept?.refreshBeforeUpdate) {
      await this.refresh(declared);
      kept = this.state.get(urn);
    }
    const inputs = await this.check(declared);
    if (!kept) {
      this.state.set(urn, await this.#create(declared, inputs, false));
      return "created";
    }
    const diffs = await this.diff(declared, inputs);
    if (diffs.length === 0 && !kept.initErrors) {
      this.state.set(urn, { ...kept, inputs });
      return "same";
    }
    this.state.set(urn, await this.#update(declared, kept, inputs, false));
    return "updated";
  }

  /** `pulumi refresh` of one resource: the lines that came and went. False when it is gone. */
  async refresh(declared: Declared): Promise<string[] | false> {
    const kept = this.kept(declared);
    const found = await this.read(declared, kept.id, kept);
    if (found) this.state.set(this.urn(declared), { ...found, inputs: kept.inputs });
    else this.state.delete(this.urn(declared));
    return found ? lineDiff(String(kept.outputs.config), String(found.outputs.config)) : false;
  }

  /** `pulumi import` where nothing is kept. */
  async read(
    declared: Pick<Declared, "type" | "name" | "seconds">,
    id: string,
    kept?: Kept,
  ): Promise<Kept | undefined> {
    const request = new proto.ReadRequest().setId(id).setUrn(this.urn(declared));
    request.setTimeout(declared.seconds ?? 0);
    if (kept) request.setProperties(encode(kept.outputs)).setInputs(encode(kept.inputs));
    const response = await this.plugin.call<proto.ReadResponse>("read", request);
    if (response.getId() === "") return undefined;
    return {
      id: response.getId(),
      inputs: decode(response.getInputs()),
      outputs: decode(response.getProperties()),
      refreshBeforeUpdate: response.getRefreshBeforeUpdate(),
    };
  }

  async destroy(declared: Declared): Promise<void> {
    const kept = this.kept(declared);
    const request = new proto.DeleteRequest()
      .setId(kept.id)
      .setUrn(this.urn(declared))
      .setProperties(encode(kept.outputs))
      .setOldInputs(encode(kept.inputs))
      .setTimeout(declared.seconds ?? 0);
    await this.plugin.call("delete", request);
    this.state.delete(this.urn(declared));
  }

  async cancel(): Promise<void> {
    await this.plugin.call("cancel", new Empty());
  }

  async schema(): Promise<string> {
    const response = await this.plugin.call("getSchema", new proto.GetSchemaRequest());
    return (response as proto.GetSchemaResponse).getSchema();
  }

  /** What was said about a resource, for good. */
  said = (declared: Pick<Declared, "type" | "name">): string[] =>
    this.log.filter(({ urn, ephemeral }) => urn === this.urn(declared) && !ephemeral).map(({ message }) => message);

  close = (): Promise<void> => this.plugin.close();

  async #create(declared: Declared, inputs: Values, preview: boolean): Promise<Kept> {
    const request = new proto.CreateRequest()
      .setUrn(this.urn(declared))
      .setProperties(encode(inputs))
      .setTimeout(declared.seconds ?? 0)
      .setPreview(preview);
    const response = (await this.#half(declared, inputs, "create", request)) as proto.CreateResponse;
    return {
      id: response.getId(),
      inputs,
      outputs: decode(response.getProperties()),
      refreshBeforeUpdate: response.getRefreshBeforeUpdate(),
    };
  }

  async #update(declared: Declared, kept: Kept, inputs: Values, preview: boolean): Promise<Kept> {
    const request = new proto.UpdateRequest()
      .setId(kept.id)
      .setUrn(this.urn(declared))
      .setOlds(encode(kept.outputs))
      .setOldInputs(encode(kept.inputs))
      .setNews(encode(inputs))
      .setTimeout(declared.seconds ?? 0)
      .setPreview(preview);
    // The engine keeps the old inputs of an update that fails half-way, and the new outputs.
    const response = (await this.#half(declared, kept.inputs, "update", request)) as proto.UpdateResponse;
    const outputs = decode(response.getProperties());
    return { id: kept.id, inputs, outputs, refreshBeforeUpdate: response.getRefreshBeforeUpdate() };
  }

  /** A call that may leave a half-applied resource behind. */
  async #half(declared: Declared, inputs: Values, method: "create" | "update", request: unknown): Promise<unknown> {
    try {
      return await this.plugin.call(method, request);
    } catch (error) {
      const failed = error instanceof Refusal ? error.half : undefined;
      if (failed) {
        this.state.set(this.urn(declared), {
          id: failed.getId(),
          inputs,
          outputs: decode(failed.getProperties()),
          initErrors: failed.getReasonsList(),
          refreshBeforeUpdate: failed.getRefreshBeforeUpdate(),
        });
      }
      throw error;
    }
  }
}
