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
  projects: [
    {
      ...shared,
      displayName: "pure",
      testRegex: ["/test/.*\\.test\\.ts$"],
      testPathIgnorePatterns: ["/node_modules/", ...lab],
      testTimeout: 30_000,
    },
    {
      ...shared,
      displayName: "lab",
      testRegex: lab,
      runner: "<rootDir>/scripts/jest/lab-runner.js",
      testTimeout: 300_000,
    },
  ],
  reporters: ["<rootDir>/scripts/jest/reporter.js"],
  testSequencer: "<rootDir>/scripts/jest/sequencer.js",
  maxWorkers: 2,
};
