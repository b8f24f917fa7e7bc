/**
 * relay.js DELAY ADDRESS…: for each address a port of the loopback interface, from 20001, which leads to its port 22.
 * What goes through is DELAY milliseconds on its way, and so is the way to the host before a connection is there. Ends
 * with its standard input.
 */
import { connect, createServer, type Socket } from "node:net";

const [delay = "0", ...addresses] = process.argv.slice(2);
const oneWay = Number(delay);

/** Bytes in their order, each chunk so much later. */
function pass(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.on("data", (chunk) => setTimeout(() => to.write(chunk), oneWay));
  from.on("end", () => setTimeout(() => to.end(), oneWay));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), oneWay));
}

for (const [index, address] of addresses.entries()) {
  createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    // SYN and its answer.
    setTimeout(() => {
      const far = connect({ host: address, port: 22, allowHalfOpen: true });
      pass(near, far);
      pass(far, near);
      near.resume();
    }, 2 * oneWay);
  }).listen(20001 + index, "127.0.0.1", () => {
    if (index === addresses.length - 1) console.log("ready");
  });
}
process.stdin.on("end", () => process.exit()).resume();
