/** What each of the package's programs loads first: a Node that is too old would fail later, with words that name another reason. */
import { basename } from "node:path";

const LEAST = 22;

if (Number.parseInt(process.versions.node, 10) < LEAST) {
  const who = basename(process.argv[1] ?? "");
  process.stderr.write(`${who}: node on PATH is ${process.versions.node}; install Node ${LEAST} or later\n`);
  process.exit(1);
}
