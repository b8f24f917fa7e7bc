/**
 * Components for programs in every language: the engine asks the plugin to construct them. What there is to do with the
 * request (inputs and options that refer to other resources, faults, waiting until all is registered) the SDK's own
 * server does; it exports that only by adding it to a gRPC server.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ComponentResource, ComponentResourceOptions, Inputs } from "@pulumi/pulumi";
import type { ConstructRequest, ConstructResponse } from "@pulumi/pulumi/proto/provider_pb";
import type { Provider } from "@pulumi/pulumi/provider";
import type { z } from "zod";
import { type Grpc, grpc } from "./grpc";

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

type Construct = Grpc.handleUnaryCall<ConstructRequest, ConstructResponse>;

/** One engine run as seen by the components that it asks for, while they are constructed; nothing outside the plugin. */
export const constructing = new AsyncLocalStorage<object>();

const runs = new Map<string, object>();

/** The run that a request belongs to: each has a resource monitor of its own. */
function runOf(monitor: string): object {
  const run = runs.get(monitor) ?? {};
  runs.set(monitor, run);
  return run;
}

/** Answers `construct`. `engine`: the engine's address, for messages. */
export function serveConstruct(types: readonly ComponentType[], engine: string): Construct {
  const pulumi: typeof import("@pulumi/pulumi") = require("@pulumi/pulumi");
  const find = (token: string) => types.find((type) => type.token === token);
  const modules = new Set(types.map(({ token }) => token.split(":")[1] ?? ""));
  for (const module of modules) {
    pulumi.runtime.registerResourceModule("overlay", module, {
      version: "",
      construct: (name, token, urn) => {
        const type = find(token);
        if (!type) throw new Error(`There is no component ${token} in this version of the overlay plugin.`);
        return new type.make(name, undefined as never, { urn });
      },
    });
  }

  const stock = stockServer(engine, {
    async construct(name: string, token: string, inputs: Inputs, options: ComponentResourceOptions) {
      const type = find(token);
      if (!type) throw new Error(`There is no component ${token} in this version of the overlay plugin.`);
      const made = new type.make(name, inputs as never, options);
      const state = Object.keys(type.outputs.shape).map((output) => [output, Reflect.get(made, output)]);
      return { urn: made.urn, state: Object.fromEntries(state) };
    },
  });
  return (call, callback) =>
    constructing.run(runOf(call.request.getMonitorendpoint()), () => stock.construct(call, callback));
}

function stockServer(engine: string, provider: Provider): { construct: Construct } {
  const { main }: typeof import("@pulumi/pulumi/provider") = require("@pulumi/pulumi/provider");
  const { addService } = grpc.Server.prototype;
  let stock: { construct: Construct } | undefined;
  grpc.Server.prototype.addService = (_, implementation) => {
    stock = implementation as unknown as { construct: Construct };
    throw new Error("has its own server");
  };
  try {
    // Runs as far as addService before it returns.
    main(provider, [engine]).catch(() => undefined);
  } finally {
    grpc.Server.prototype.addService = addService;
  }
  if (!stock) throw new Error("This version of @pulumi/pulumi serves components in another way.");
  return stock;
}
