/** Tests that need the lab's hosts. */
const lab = ["/test/lab/.*\\.test\\.ts$", "/test/e2e/.*\\.test\\.ts$", "\\.lab\\.test\\.ts$"];

/** @type {import("jest").Config} */
const shared = {
  rootDir: __dirname,
  modulePathIgnorePatterns: ["<rootDir>/dist/"],
  testEnvironment: "node",
  transform: { "\\.ts$": "@swc/jest" },
};

/** @type {import("jest").Config} */
module.exports = {
  // Of all tests: jest does not look at a project's own.
  testTimeout: 120_000,
  projects: [
    {
      ...shared,
      displayName: "pure",
      testRegex: ["/test/.*\\.test\\.ts$"],
      testPathIgnorePatterns: ["/node_modules/", ...lab],
    },
    {
      ...shared,
      displayName: "lab",
      testRegex: lab,
      runner: "<rootDir>/scripts/jest/lab-runner.js",
    },
  ],
  reporters: ["<rootDir>/scripts/jest/reporter.js"],
  testSequencer: "<rootDir>/scripts/jest/sequencer.js",
  maxWorkers: 2,
};
