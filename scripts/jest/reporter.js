// jest's own reporter, but for the end of the run: what was skipped and why, the slowest tests, what failed, and `N passed, N failed, N skipped` alone on the last
// line. A skip without a reason (test/can.ts gives one) is a failure, and so is a run in which nothing passed.

const { relative } = require("node:path");
const { DefaultReporter } = require("@jest/reporters");

const reasonOf = / \[cannot run here: ([^\]]*)\]/;

module.exports = class extends DefaultReporter {
  #faults = [];

  onRunComplete(contexts, results) {
    super.onRunComplete(contexts, results);
    const tests = results.testResults.flatMap((file) => file.testResults);
    const print = (line = "") => process.stdout.write(`${line}\n`);

    // A filter (`-t`) makes jest skip all the rest.
    const filtered = Boolean(this._globalConfig.testNamePattern);
    const skipped = filtered ? [] : tests.filter(({ status }) => status === "pending" || status === "todo");
    if (skipped.length > 0) print("\nSkipped:");
    for (const { fullName } of skipped) {
      const reason = reasonOf.exec(fullName)?.[1];
      print(`  ${fullName.replace(reasonOf, "")}: ${reason ?? "NO REASON GIVEN"}`);
      if (!reason) this.#faults.push(`skipped without a reason: ${fullName}`);
    }

    const slowest = tests
      .filter(({ duration }) => (duration ?? 0) >= 1000)
      .sort((a, b) => b.duration - a.duration)
      .slice(0, 10);
    if (slowest.length > 0) print("\nSlowest:");
    for (const { duration, fullName } of slowest) print(`  ${(duration / 1000).toFixed(1).padStart(6)} s  ${fullName}`);

    // A file that could not be run at all counts as one failed test.
    const broken = results.testResults.filter(({ testExecError }) => testExecError);
    const failed = tests.filter(({ status }) => status === "failed");
    if (broken.length + failed.length > 0) print("\nFailed:");
    for (const { testFilePath } of broken) print(`  ${relative(this._globalConfig.rootDir, testFilePath)} as a whole`);
    for (const { fullName } of failed) print(`  ${fullName}`);

    if (results.numPassedTests === 0) this.#faults.push("no test passed");
    for (const fault of this.#faults) print(`\n${fault}`);
    print();
    const counts = `${results.numPassedTests} passed, ${broken.length + failed.length} failed, ${skipped.length} skipped`;
    print(counts);

    // A forgotten connection or process must not hold a CI machine until the time limit.
    const patience = setTimeout(() => {
      print("\nWhat a test opened is still open 30 s after the end: --detectOpenHandles says what, file by file.");
      print(counts);
      process.exit(1);
    }, 30_000);
    patience.unref();
  }

  getLastError() {
    return this.#faults.length > 0 ? new Error(this.#faults.join("\n")) : super.getLastError();
  }
};
