/**
 * The one copy of gRPC and of Protocol Buffers that the Pulumi SDK itself uses: its messages are instances of that
 * copy's classes, and another copy's would not be recognized.
 */
import { createRequire } from "node:module";

const sdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));

export type * as Grpc from "@grpc/grpc-js";
export const grpc: typeof import("@grpc/grpc-js") = sdk("@grpc/grpc-js");
export const { Any }: typeof import("google-protobuf/google/protobuf/any_pb") = sdk(
  "google-protobuf/google/protobuf/any_pb",
);
export const { Empty }: typeof import("google-protobuf/google/protobuf/empty_pb") = sdk(
  "google-protobuf/google/protobuf/empty_pb",
);
export const { Struct }: typeof import("google-protobuf/google/protobuf/struct_pb") = sdk(
  "google-protobuf/google/protobuf/struct_pb",
);
export type Struct = import("google-protobuf/google/protobuf/struct_pb").Struct;
