const lab = ["<rootDir>/test/lab/**/*.test.ts", "<rootDir>/test/e2e/**/*.test.ts", "<rootDir>/test/**/*.lab.test.ts"];

/** @type {import("jest").Config} */
const shared = {
  rootDir: __dirname,
  roots: ["<rootDir>/sdk", "<rootDir>/components", "<rootDir>/stacks", "<rootDir>/scripts", "<rootDir>/test"],
  testEnvironment: "node",
  transform: { "\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" } }] },
};

/** @type {import("jest").Config} */
module.exports = {
  projects: [
    {
      ...shared,
      displayName: "pure",
      testMatch: ["<rootDir>/test/**/*.test.ts", ...lab.map((glob) => `!${glob}`)],
      testTimeout: 30_000,
    },
    {
      ...shared,
      displayName: "lab",
      testMatch: lab,
      runner: "<rootDir>/scripts/jest/lab-runner.js",
      testTimeout: 300_000,
    },
  ],
  maxWorkers: 2,
};
