/**
 * The least that a provider in Node can be: takes every input for what it is, finds no difference, and has for each
 * output what the program needs to go on. What a run takes with it is the engine's, the SDK's and Node's.
 */
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty, type Grpc, grpc, Struct } from "../../sdk/provider/grpc";

// biome-ignore lint/suspicious/noExplicitAny: each is asked with the request that it is for
type Request = any;

const handlers: Record<string, (request: Request) => unknown> = {
  handshake: () =>
    new proto.ProviderHandshakeResponse().setAcceptSecrets(true).setAcceptResources(true).setAcceptOutputs(true),
  attach: () => new Empty(),
  getPluginInfo: () => new plugin.PluginInfo().setVersion("0.0.0"),
  checkConfig: (request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews()),
  diffConfig: () => new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE),
  configure: () =>
    new proto.ConfigureResponse()
      .setAcceptsecrets(true)
      .setSupportspreview(true)
      .setAcceptresources(true)
      .setAcceptoutputs(true),
  check: (request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews()),
  diff: () => new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE),
  create(request: proto.CreateRequest) {
    const outputs = { machine: "0".repeat(32), publicKey: `${"A".repeat(43)}=`, wireguard: "userspace" };
    const properties = { ...request.getProperties()?.toJavaScript(), ...outputs };
    return new proto.CreateResponse().setId("echo").setProperties(Struct.fromJavaScript(properties));
  },
  delete: () => new Empty(),
  cancel: () => new Empty(),
};

const answering =
  (handle: (request: Request) => unknown) =>
  (call: { request: Request }, callback: Grpc.sendUnaryData<unknown>): void =>
    callback(null, handle(call.request));

const server = new grpc.Server();
server.addService(
  ResourceProviderService,
  Object.fromEntries(Object.entries(handlers).map(([name, handle]) => [name, answering(handle)])),
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
