/** What each of the package's programs loads first: a Node that is too old would fail later, with words that name another reason. */
const LEAST = 22;

if (Number.parseInt(process.versions.node, 10) < LEAST) {
  process.stderr.write(
    `pulumi-overlay: node on PATH is ${process.versions.node}; install Node ${LEAST} or later [cli/node]\n`,
  );
  process.exit(1);
}
