/**
 * Components for programs in every language: the engine asks the plugin to construct them. What there is to do with the
 * request (inputs and options that refer to other resources, faults, waiting until all is registered) the SDK's own
 * server does; it exports that only by adding it to a gRPC server.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ComponentResource, ComponentResourceOptions } from "@pulumi/pulumi";
import type { ConstructRequest, ConstructResponse } from "@pulumi/pulumi/proto/provider_pb";
import type { Provider } from "@pulumi/pulumi/provider";
import type { z } from "zod";
import { marked } from "../codes";
import { type Grpc, grpc } from "./grpc";
import { Refused } from "./outcome";

/** A component that programs in other languages may use. */
export interface ComponentType {
  /** `overlay:index:OverlayNode` */
  token: string;
  /** For the package's documentation. */
  description: string;
  args: z.ZodObject;
  outputs: z.ZodObject;
  /** `options.urn`: stands for the one that has this URN, which was made elsewhere. */
  make: new (
    name: string,
    args: never,
    options: ComponentResourceOptions,
  ) => ComponentResource;
}

type Stock = { construct: Grpc.handleUnaryCall<ConstructRequest, ConstructResponse> };

/** One engine run as seen by the components that it asks for, while they are constructed; nothing outside the plugin. */
export const constructing = new AsyncLocalStorage<object>();

const runs = new Map<string, object>();

/** The run that a request belongs to: each has a resource monitor of its own. */
function runOf(monitor: string): object {
  const run = runs.get(monitor) ?? {};
  runs.set(monitor, run);
  return run;
}

/**
 * Makes the component that a request is about. `engine`: the engine's address, for messages.
 * Rejects with what gRPC is to answer: a ServiceError.
 */
export function construct(types: readonly ComponentType[], version: string) {
  let stock: Stock | undefined;
  return (request: ConstructRequest, engine: string): Promise<ConstructResponse> => {
    stock ??= stockServer(engine, provider(types, version));
    const { construct } = stock;
    return new Promise((resolve, reject) => {
      const call = { request } as Grpc.ServerUnaryCall<ConstructRequest, ConstructResponse>;
      constructing.run(runOf(request.getMonitorendpoint()), () =>
        construct.call(stock, call, (error, response) => (response ? resolve(response) : reject(error))),
      );
    });
  };
}

function provider(types: readonly ComponentType[], version: string): Provider {
  const { registerResourceModule }: typeof import("@pulumi/pulumi/runtime") = require("@pulumi/pulumi/runtime");
  const find = (token: string): ComponentType => {
    const type = types.find((it) => it.token === token);
    if (!type)
      throw new Error(marked("provider/version", `This version of the overlay plugin has no component ${token}.`));
    return type;
  };
  // What stands for a component that an argument refers to.
  const rehydrated = (name: string, token: string, urn: string) =>
    new (find(token).make)(name, undefined as never, { urn });
  for (const module of new Set(types.map(({ token }) => token.split(":")[1] ?? ""))) {
    registerResourceModule("overlay", module, { version, construct: rehydrated });
  }
  return {
    async construct(name, token, inputs, options) {
      const { make, outputs } = find(token);
      const made = new make(name, inputs as never, options);
      const state = Object.keys(outputs.shape).map((output) => [output, Reflect.get(made, output)]);
      return { urn: made.urn, state: Object.fromEntries(state) };
    },
  };
}

function stockServer(engine: string, provider: Provider): Stock {
  const { main }: typeof import("@pulumi/pulumi/provider") = require("@pulumi/pulumi/provider");
  const { addService } = grpc.Server.prototype;
  let stock: Stock | undefined;
  grpc.Server.prototype.addService = (_, implementation) => {
    stock = implementation as unknown as Stock;
    throw new Error("The plugin has a server of its own.");
  };
  try {
    // It comes as far as addService before it returns.
    main(provider, [engine]).catch(() => undefined);
  } finally {
    grpc.Server.prototype.addService = addService;
  }
  if (!stock) throw new Refused("provider/version", "This version of @pulumi/pulumi serves components in another way.");
  return stock;
}
