/** Tests that need the lab's hosts. */
const lab = ["/test/lab/.*\\.test\\.ts$", "/test/e2e/.*\\.test\\.ts$", "\\.(lab|long)\\.test\\.ts$"];
/** Of these, what only `npm run test:long` runs (test/long/jest.ts). */
const long = process.env.OVERLAY_LONG ? [] : ["\\.long\\.test\\.ts$"];

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
      testPathIgnorePatterns: ["/node_modules/", ...long],
      runner: "<rootDir>/scripts/jest/lab-runner.js",
    },
  ],
  reporters: ["<rootDir>/scripts/jest/reporter.js"],
  testSequencer: "<rootDir>/scripts/jest/sequencer.js",
  maxWorkers: 2,
};
