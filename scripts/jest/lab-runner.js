// Lab tests, after the pure ones, one after the other, as they share the machine's two cores. Beside them those that wait
// most of their time: vms, which are emulated by one processor each, and changes that a host takes back after a while.
const { default: Runner } = require("jest-runner");

const waits = ({ path }) => /[./]vm\.test\.ts$|\/vm\/|\/confirm\.test\.ts$/.test(path);

module.exports = class extends Runner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }

  async runTests(tests, watcher, options) {
    const lanes = [tests.filter(waits), tests.filter((test) => !waits(test))].filter((lane) => lane.length > 0);
    const serial = lanes.length === 1;
    await Promise.all(lanes.map((lane) => super.runTests(lane, watcher, { ...options, serial })));
  }
};
