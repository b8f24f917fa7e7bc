/** The engine's side of the provider: pulumi/provider.proto, served from the messages that the SDK ships. */

import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { markedBelow, withCode } from "../codes";
import { type Fault, formatWithCodes } from "../faults";
import { HostError } from "../host";
import { configuration, guarded } from "./configuration";
import { Engine } from "./engine";
import { Any, Empty, type Grpc, grpc } from "./grpc";
import { same } from "./inputs";
import { HalfApplied, Refused } from "./outcome";
import { type Known, Provider } from "./provider";
import { decode, encode } from "./wire";

export interface ServerOptions {
  version: string;
  schema(): string;
  /** Makes a component of this package for a program in another language. */
  construct?(request: proto.ConstructRequest, engine: string): Promise<proto.ConstructResponse>;
  /** Address of the engine, where it was given on the command line. */
  engine?: string;
}

type Handler<Request, Response> = (request: Request) => Response | Promise<Response>;

/** A property's name in a failure makes the engine print its value: the reason has the path instead. */
const failures = (faults: Fault[]): proto.CheckFailure[] =>
  faults.map((fault) => new proto.CheckFailure().setProperty("").setReason(formatWithCodes([fault])));

/** Details that the engine keeps a half-applied resource by: Google's status.proto, whose code must be gRPC's own. */
function details(code: Grpc.status, error: HalfApplied, refreshBeforeUpdate: boolean): Grpc.Metadata {
  const failed = new proto.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(encode(error.outputs))
    .setReasonsList(error.reasons)
    .setRefreshBeforeUpdate(refreshBeforeUpdate);
  const any = new Any();
  any.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status().setCode(code).setMessage(error.message).setDetailsList([any]);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

/** What the host said last is an output; how it is reached is an input and nothing else. */
const LAST_SAID = ["config", "machine"];

/** What a component's construction failed with is gRPC's own already. */
const isStatus = (error: unknown): error is Partial<Grpc.StatusObject> =>
  error instanceof Object && "code" in error && typeof error.code === "number" && "metadata" in error;

/** Codes that say that nothing was done: the engine then keeps no pending operation. INTERNAL says that nobody knows. */
function asStatus(error: unknown, live: boolean): Partial<Grpc.StatusObject> {
  if (error instanceof HalfApplied) {
    const code = error.cancelled ? grpc.status.CANCELLED : grpc.status.ABORTED;
    return { code, details: error.message, metadata: details(code, error, live) };
  }
  if (error instanceof HostError && error.kind === "cancelled") {
    return { code: grpc.status.CANCELLED, details: withCode(error) };
  }
  if (error instanceof HostError || error instanceof Refused) {
    return { code: grpc.status.FAILED_PRECONDITION, details: withCode(error) };
  }
  if (isStatus(error)) return error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: grpc.status.INTERNAL,
    details: markedBelow("provider/bug", `This is a bug in the overlay plugin: ${text}`),
  };
}

const known = (request: proto.DiffRequest | proto.UpdateRequest): Omit<Known, "seconds"> => ({
  urn: request.getUrn(),
  id: request.getId(),
  outputs: decode(request.getOlds()),
  inputs: decode(request.getOldInputs()),
});

function service(provider: Provider, options: ServerOptions) {
  const connect = (address: string) => {
    provider.engine = new Engine(address);
  };
  if (options.engine) connect(options.engine);

  return {
    handshake(request: proto.ProviderHandshakeRequest) {
      connect(request.getEngineAddress());
      return new proto.ProviderHandshakeResponse()
        .setAcceptSecrets(true)
        .setAcceptResources(true)
        .setAcceptOutputs(true);
    },
    attach(request: plugin.PluginAttach) {
      connect(request.getAddress());
      return new Empty();
    },
    getPluginInfo: () => new plugin.PluginInfo().setVersion(options.version),
    getSchema: () => new proto.GetSchemaResponse().setSchema(options.schema()),

    checkConfig(request: proto.CheckRequest) {
      const news = decode(request.getNews());
      const result = configuration(news);
      return "faults" in result
        ? new proto.CheckResponse().setFailuresList(failures(result.faults))
        : new proto.CheckResponse().setInputs(encode(guarded(news)));
    },
    diffConfig(request: proto.DiffRequest) {
      const changed = !same(decode(request.getOldInputs()), decode(request.getNews()));
      const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
      return new proto.DiffResponse().setChanges(changed ? DIFF_SOME : DIFF_NONE);
    },
    configure(request: proto.ConfigureRequest) {
      provider.configure(decode(request.getArgs()));
      return new proto.ConfigureResponse()
        .setAcceptsecrets(true)
        .setSupportspreview(true)
        .setAcceptresources(true)
        .setAcceptoutputs(true);
    },

    check(request: proto.CheckRequest) {
      const checked = provider.lifecycle(request.getUrn()).check(request.getUrn(), decode(request.getNews()));
      const response = new proto.CheckResponse();
      return "faults" in checked
        ? response.setFailuresList(failures(checked.faults))
        : response.setInputs(encode(checked.inputs));
    },
    async diff(request: proto.DiffRequest) {
      const changed = await provider
        .lifecycle(request.getUrn())
        .diff({ ...known(request), seconds: 0 }, decode(request.getNews()));
      const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
      const response = new proto.DiffResponse().setHasdetaileddiff(true).setDiffsList(changed);
      for (const name of changed) {
        const detail = new proto.PropertyDiff().setInputdiff(!LAST_SAID.includes(name));
        response.getDetaileddiffMap().set(name, detail.setKind(proto.PropertyDiff.Kind.UPDATE));
      }
      return response.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
    },
    async create(request: proto.CreateRequest) {
      const [urn, news] = [request.getUrn(), decode(request.getProperties())];
      const response = new proto.CreateResponse().setRefreshBeforeUpdate(provider.live);
      const of = provider.lifecycle(urn);
      if (request.getPreview()) return response.setProperties(encode(await of.previewCreate(urn, news)));
      const { id, outputs } = await of.create(urn, news, request.getTimeout());
      return response.setId(id).setProperties(encode(outputs));
    },
    async update(request: proto.UpdateRequest) {
      const old = { ...known(request), seconds: request.getTimeout() };
      const news = decode(request.getNews());
      const of = provider.lifecycle(old.urn);
      const outputs = request.getPreview() ? await of.previewUpdate(old, news) : await of.update(old, news);
      return new proto.UpdateResponse().setProperties(encode(outputs)).setRefreshBeforeUpdate(provider.live);
    },
    async read(request: proto.ReadRequest) {
      const found = await provider.lifecycle(request.getUrn()).read({
        urn: request.getUrn(),
        id: request.getId(),
        outputs: decode(request.getProperties()),
        inputs: decode(request.getInputs()),
        seconds: request.getTimeout(),
      });
      if (!found) return new proto.ReadResponse();
      return new proto.ReadResponse()
        .setId(found.id)
        .setProperties(encode(found.outputs))
        .setInputs(encode(found.inputs))
        .setRefreshBeforeUpdate(provider.live);
    },
    async delete(request: proto.DeleteRequest) {
      await provider.lifecycle(request.getUrn()).delete({
        urn: request.getUrn(),
        id: request.getId(),
        outputs: decode(request.getProperties()),
        inputs: decode(request.getOldInputs()),
        seconds: request.getTimeout(),
      });
      return new Empty();
    },
    construct(request: proto.ConstructRequest) {
      if (!options.construct)
        throw new Refused("provider/version", `This plugin makes no component ${request.getType()}.`);
      return options.construct(request, provider.engine?.address ?? "");
    },
    cancel() {
      provider.cancel();
      return new Empty();
    },
  };
}

/** gRPC's form of a handler: an answer, or a status that says what became of the resource. */
const answering =
  <Request, Response>(provider: Provider, name: string, handle: Handler<Request, Response>) =>
  async ({ request }: { request: Request }, callback: Grpc.sendUnaryData<Response>): Promise<void> => {
    try {
      // A component is at work as long as its resources are, which have calls of their own.
      const answer = () => handle(request);
      callback(null, await (name === "construct" ? answer() : provider.during(answer)));
    } catch (error) {
      callback(asStatus(error, provider.live));
    }
  };

export interface Served {
  port: number;
  /** Aborts what is under way, closes all connections, and stops serving. */
  close(): Promise<void>;
}

/** Serves on a free port of 127.0.0.1. */
export async function serve(options: ServerOptions): Promise<Served> {
  const provider = new Provider();
  const handlers = Object.entries(service(provider, options)).map(([name, handle]) => [
    name,
    answering(provider, name, handle as Handler<unknown, unknown>),
  ]);
  // The engine's own limits, 400 MB: components hand over whole programs.
  const limit = 400 * 1024 * 1024;
  const server = new grpc.Server({ "grpc.max_receive_message_length": limit, "grpc.max_send_message_length": limit });
  server.addService(ResourceProviderService, Object.fromEntries(handlers));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const close = async () => {
    await provider.close();
    server.forceShutdown();
  };
  return { port, close };
}
