/** The provider, started in this process or as the plugin's executable, and spoken to over gRPC as the engine does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty, type Grpc, grpc } from "../../../sdk/provider/grpc";
import { type Served, serve } from "../../../sdk/provider/server";

const executable = join(__dirname, "../../../bin/pulumi-resource-overlay");

export interface Log {
  urn: string;
  message: string;
  ephemeral: boolean;
  severity: number;
}

/** What the provider answered instead of doing what it was asked. */
export class Refusal extends Error {
  /** Of a half-applied resource. */
  half: proto.ErrorResourceInitFailed | undefined;

  constructor(
    readonly code: keyof typeof grpc.status,
    message: string,
  ) {
    super(message);
  }

  get reasons(): string[] {
    return this.half?.getReasonsList() ?? [];
  }
}

function refusal(error: Grpc.ServiceError): Refusal {
  const refused = new Refusal(grpc.status[error.code] as keyof typeof grpc.status, error.details);
  const [details] = error.metadata.get("grpc-status-details-bin");
  if (!details) return refused;
  const status = Status.deserializeBinary(details as Buffer);
  // gRPC for Go, which the engine speaks, takes a difference for an error of its own.
  expect([status.getCode(), status.getMessage()]).toEqual([error.code, error.details]);
  const [any] = status.getDetailsList();
  refused.half =
    any?.unpack(proto.ErrorResourceInitFailed.deserializeBinary, "pulumirpc.ErrorResourceInitFailed") ?? undefined;
  return refused;
}

const bound = (server: Grpc.Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );

export class Plugin {
  readonly log: Log[] = [];
  readonly #server = new grpc.Server();
  #client!: ResourceProviderClient;
  #served: Served | undefined;
  #child: ChildProcess | undefined;

  /** `environment`: runs the executable, with this added to its environment, in place of the provider in this process. */
  static async start(environment?: NodeJS.ProcessEnv): Promise<Plugin> {
    const plugin = new Plugin();
    const engine = `127.0.0.1:${await plugin.#listen()}`;
    const port = environment ? await plugin.#spawn(engine, environment) : await plugin.#serve(engine);
    plugin.#client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const hello = new proto.ProviderHandshakeRequest().setEngineAddress(engine).setSupportsRefreshBeforeUpdate(true);
    const answer = await plugin.call<proto.ProviderHandshakeResponse>("handshake", hello);
    expect([answer.getAcceptSecrets(), answer.getAcceptResources(), answer.getAcceptOutputs()]).toEqual([
      true,
      true,
      true,
    ]);
    return plugin;
  }

  /** Process id, where it has a process of its own. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Throws a Refusal. */
  call<Response>(method: string, request: unknown): Promise<Response> {
    const call = (this.#client as unknown as Record<string, (...args: unknown[]) => void>)[method];
    return new Promise((resolve, reject) =>
      call?.call(this.#client, request, (error: Grpc.ServiceError | null, response: Response) =>
        error ? reject(refusal(error)) : resolve(response),
      ),
    );
  }

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

  #listen(): Promise<number> {
    const log = ({ request }: { request: LogRequest }, callback: Grpc.sendUnaryData<unknown>) => {
      const [urn, message, ephemeral] = [request.getUrn(), request.getMessage(), request.getEphemeral()];
      this.log.push({ urn, message, ephemeral, severity: Number(request.getSeverity()) });
      callback(null, new Empty());
    };
    this.#server.addService(EngineService, { log } as unknown as Grpc.UntypedServiceImplementation);
    return bound(this.#server);
  }

  async #serve(engine: string): Promise<number> {
    this.#served = await serve({ version: "0.0.0", schema: () => "{}", engine });
    return this.#served.port;
  }

  async #spawn(engine: string, environment: NodeJS.ProcessEnv): Promise<number> {
    const env = { ...process.env, ...environment };
    const child = spawn(executable, [engine], { stdio: ["pipe", "pipe", "inherit"], env });
    this.#child = child;
    const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    expect(port).toMatch(/^\d+$/);
    return Number(port);
  }
}
