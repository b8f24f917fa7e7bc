/** What the engine shows to the user while it waits for us. */
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { type Code, marked } from "../codes";
import { grpc } from "./grpc";

const in2s = (): number => Date.now() + 2000;

export class Engine {
  readonly #client: EngineClient;
  /** One after the other, or they overtake each other on their way. */
  #last: Promise<void> = Promise.resolve();

  constructor(readonly address: string) {
    this.#client = new EngineClient(address, grpc.credentials.createInsecure());
  }

  /** Beside the resource, until the next one. */
  status = (urn: string, message: string): void => this.#log(LogSeverity.INFO, urn, message, true);
  /** Among the diagnostics, for good. */
  info = (urn: string, message: string): void => this.#log(LogSeverity.INFO, urn, message, false);
  warn = (urn: string, code: Code, message: string): void =>
    this.#log(LogSeverity.WARNING, urn, marked(code, message), false);

  /** Resolves when all that was said has arrived. */
  flush = (): Promise<void> => this.#last;

  close = (): void => this.#client.close();

  #log(severity: LogSeverity, urn: string, message: string, ephemeral: boolean): void {
    const request = new LogRequest().setUrn(urn).setMessage(message).setEphemeral(ephemeral);
    // The declared type of the setter is the enum's object instead of a member of it.
    request.setSeverity(severity as never);
    // An engine that has gone, or that hangs, holds nobody up.
    const send = (done: () => void) => this.#client.log(request, new grpc.Metadata(), { deadline: in2s() }, done);
    this.#last = this.#last.then(() => new Promise((resolve) => send(() => resolve())));
  }
}
