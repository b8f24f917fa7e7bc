/** The plugin's entry: the engine starts it with its own address and reads the port from the first line of output. */
import "../nodeVersion";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ConstructRequest, ConstructResponse } from "@pulumi/pulumi/proto/provider_pb";
import { serve } from "./server";

/** The folder of package.json: compiled code lies one level deeper (dist/) than its source. */
const packageRoot = (from: string): string =>
  existsSync(join(from, "package.json")) ? from : packageRoot(dirname(from));

const root = packageRoot(__dirname);
const read = (name: string): string => readFileSync(join(root, name), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };

/** The engine may put flags of its own before the address (sdk/go/common/resource/plugin/plugin.go). */
const engineAddress = (args: string[]): string | undefined =>
  args.filter((arg, index) => !arg.startsWith("-") && args[index - 1] !== "--tracing").at(0);

let made: ReturnType<typeof import("./construct").construct> | undefined;

/** Loaded when it is asked for: a program in TypeScript makes its components itself. */
function construct(request: ConstructRequest, engine: string): Promise<ConstructResponse> {
  const room: typeof import("./construct") = require("./construct");
  const { components }: typeof import("../../components/types") = require("../../components/types");
  made ??= room.construct(components, version);
  return made(request, engine);
}

async function main(): Promise<void> {
  const engine = engineAddress(process.argv.slice(2));
  const served = await serve({
    version,
    schema: () => read("schema.json"),
    construct,
    ...(engine !== undefined && { engine }),
  });
  const end = () => void served.close().finally(() => process.exit(0));
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  // An engine that was killed says nothing: whoever adopted us is another parent.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(), 1000).unref();
  process.stdout.write(`${served.port}\n`);
}

void main();
