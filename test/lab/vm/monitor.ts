/** QEMU's monitor: https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html */
import { createConnection } from "node:net";

export interface Order {
  execute: string;
  arguments?: object;
}

/** Takes a vm's interfaces' carrier away, or gives it back. */
export const carrier = (devices: readonly string[], up: boolean): Order[] =>
  devices.map((name) => ({ execute: "set_link", arguments: { name, up } }));

/** As QEMU reads orders: a line each, after the one that ends the negotiation. */
export const script = (orders: readonly Order[]): string =>
  [{ execute: "qmp_capabilities" }, ...orders].map((order) => `${JSON.stringify(order)}\n`).join("");

/** Gives orders to the QEMU at a socket, and waits until they are carried out. */
export function order(path: string, orders: readonly Order[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let heard = "";
    socket.setTimeout(5_000, () => socket.destroy(new Error(`${path}: QEMU does not answer`)));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`${path}: QEMU hung up`)));
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
      const answers = heard.split("\n").slice(0, -1);
      const refused = answers.find((line) => line.startsWith('{"error"'));
      const done = answers.filter((line) => line.startsWith('{"return"')).length > orders.length;
      if (refused === undefined && !done) return;
      if (refused === undefined) resolve();
      else reject(new Error(`${path}: ${refused}`));
      socket.destroy();
    });
    socket.write(script(orders));
  });
}
