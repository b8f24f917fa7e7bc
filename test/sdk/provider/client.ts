/**
 * An engine for tests: it speaks gRPC to the provider as Pulumi's does, and keeps state as Pulumi's does, for as many
 * cases a second as the hosts can bear.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { lineDiff } from "../../../sdk/provider/config";
import { Empty, type Grpc, grpc } from "../../../sdk/provider/grpc";
import { type Served, serve } from "../../../sdk/provider/server";
import { decode, encode, type Values } from "../../../sdk/provider/wire";

const root = join(__dirname, "../../..");

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

export interface Log {
  urn: string;
  message: string;
  ephemeral: boolean;
  severity: number;
}

/** What the provider answered instead of doing what it was asked. */
export class Refusal extends Error {
  constructor(
    readonly code: keyof typeof grpc.status,
    message: string,
    /** Of a half-applied resource. */
    readonly reasons: string[] = [],
  ) {
    super(message);
  }
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
  readonly log: Log[] = [];
  /** By URN. */
  readonly state: Map<string, Kept>;
  /** Process id of the plugin, where it has one of its own. */
  pid: number | undefined;
  #client!: ResourceProviderClient;
  #server!: Grpc.Server;
  #served: Served | undefined;
  #child: ChildProcess | undefined;

  private constructor(private readonly options: Options) {
    this.state = options.state ?? new Map();
  }

  static async start(options: Options = {}): Promise<TestEngine> {
    const engine = new TestEngine(options);
    const address = `127.0.0.1:${await engine.#listen()}`;
    const port = options.plugin ? await engine.#spawn(address, options.plugin) : await engine.#serve(address);
    engine.#client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const hello = await engine.#call(
      "handshake",
      new proto.ProviderHandshakeRequest().setEngineAddress(address).setSupportsRefreshBeforeUpdate(true),
    );
    expect((hello as proto.ProviderHandshakeResponse).getAcceptSecrets()).toBe(true);
    const args = encode(options.config ?? {});
    await engine.#call("configure", new proto.ConfigureRequest().setArgs(args).setAcceptsecrets(true));
    return engine;
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
    const response = (await this.#call("check", request)) as proto.CheckResponse;
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
    const response = (await this.#call("diff", request)) as proto.DiffResponse;
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
    const response = (await this.#call("read", request)) as proto.ReadResponse;
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
    await this.#call("delete", request);
    this.state.delete(this.urn(declared));
  }

  async cancel(): Promise<void> {
    await this.#call("cancel", new Empty());
  }

  async schema(): Promise<string> {
    const response = await this.#call("getSchema", new proto.GetSchemaRequest());
    return (response as proto.GetSchemaResponse).getSchema();
  }

  /** What was said about a resource, for good. */
  said = (declared: Pick<Declared, "type" | "name">): string[] =>
    this.log.filter(({ urn, ephemeral }) => urn === this.urn(declared) && !ephemeral).map(({ message }) => message);

  /** Ends the provider as the engine does. */
  async close(): Promise<void> {
    this.#client.close();
    await this.#served?.close();
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGINT");
      await once(this.#child, "exit");
    }
    this.#server.forceShutdown();
  }

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
    const response = (await this.#half(declared, inputs, "update", request)) as proto.UpdateResponse;
    const outputs = decode(response.getProperties());
    return { id: kept.id, inputs, outputs, refreshBeforeUpdate: response.getRefreshBeforeUpdate() };
  }

  /** A call that may leave a half-applied resource behind. */
  async #half(declared: Declared, inputs: Values, method: "create" | "update", request: unknown): Promise<unknown> {
    try {
      return await this.#call(method, request);
    } catch (error) {
      const failed = (error as { half?: proto.ErrorResourceInitFailed }).half;
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

  #call(method: string, request: unknown): Promise<unknown> {
    const call = (this.#client as unknown as Record<string, (...args: unknown[]) => void>)[method];
    return new Promise((resolve, reject) =>
      call?.call(this.#client, request, (error: Grpc.ServiceError | null, response: unknown) =>
        error ? reject(refusal(error)) : resolve(response),
      ),
    );
  }

  async #listen(): Promise<number> {
    const log = ({ request }: { request: LogRequest }, callback: Grpc.sendUnaryData<unknown>) => {
      this.log.push({
        urn: request.getUrn(),
        message: request.getMessage(),
        ephemeral: request.getEphemeral(),
        severity: Number(request.getSeverity()),
      });
      callback(null, new Empty());
    };
    this.#server = new grpc.Server();
    this.#server.addService(EngineService, { log } as unknown as Grpc.UntypedServiceImplementation);
    return new Promise((resolve, reject) =>
      this.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
  }

  async #serve(engine: string): Promise<number> {
    this.#served = await serve({ version: "0.0.0", schema: () => "{}", engine });
    return this.#served.port;
  }

  async #spawn(engine: string, environment: NodeJS.ProcessEnv): Promise<number> {
    const child = spawn(join(root, "bin/pulumi-resource-overlay"), [engine], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...environment },
    });
    this.#child = child;
    this.pid = child.pid;
    const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    expect(port).toMatch(/^\d+$/);
    return Number(port);
  }
}

function refusal(error: Grpc.ServiceError): Refusal {
  const code = grpc.status[error.code] as keyof typeof grpc.status;
  const [details] = error.metadata.get("grpc-status-details-bin");
  const status = details ? Status.deserializeBinary(details as Buffer) : undefined;
  // gRPC for Go, which the engine speaks, takes a difference for an error of its own.
  if (status) expect([status.getCode(), status.getMessage()]).toEqual([error.code, error.details]);
  const [any] = status?.getDetailsList() ?? [];
  const half = any?.unpack(proto.ErrorResourceInitFailed.deserializeBinary, "pulumirpc.ErrorResourceInitFailed");
  return Object.assign(new Refusal(code, error.details, half?.getReasonsList()), { half: half ?? undefined });
}
