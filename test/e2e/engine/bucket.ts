/**
 * A bucket that hosts of a lab reach, too. MinIO listens on this machine's loopback; a process in the network namespace of
 * the lab's operator hands over what comes to it there, by a socket in a folder, which namespaces of networks share.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Lab } from "../../lab";
import { OPERATOR_ADDRESSES } from "../../lab/topology";
import { Minio } from "../../sdk/truth/minio";

const PORT = 9000;

const relay = (socket: string): string => `
const { connect, createServer } = require("node:net");
createServer((near) => {
  const far = connect(${JSON.stringify(socket)});
  for (const it of [near, far]) it.on("error", () => { near.destroy(); far.destroy(); });
  near.pipe(far).pipe(near);
}).listen(${PORT}, "0.0.0.0", () => console.log("ready"));
process.stdin.on("end", () => process.exit()).resume();
`;

export class Bucket {
  private constructor(
    readonly minio: Minio,
    private readonly server: Server,
    private readonly relay: ChildProcess,
  ) {}

  static async start(lab: Lab): Promise<Bucket> {
    const minio = await Minio.start();
    const server = createServer((near: Socket) => {
      const far = connect(minio.port, "127.0.0.1");
      for (const it of [near, far]) {
        it.on("error", () => {
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    const socket = join(minio.folder, "..", `overlay-bucket-${minio.port}.sock`);
    server.listen(socket);
    await once(server, "listening");
    const words = [`--net=/run/netns/${lab.json.operator}`, "--", process.execPath, "-e", relay(socket)];
    const child = spawn("nsenter", words, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    return new Bucket(minio, server, child);
  }

  /** The store's address for hosts. */
  get forHosts(): string {
    return `s3://truth/?endpoint=http://${OPERATOR_ADDRESSES[0]}:${PORT}&region=us-east-1`;
  }

  async remove(): Promise<void> {
    this.relay.stdin?.end();
    if (this.relay.exitCode === null) await once(this.relay, "exit");
    this.server.close();
    await this.minio.remove();
  }
}
