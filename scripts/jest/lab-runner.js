// Lab tests, after the pure ones: those on containers one after the other, as they share the machine's two cores, and
// beside them those on vms, which are emulated by one processor each and wait a lot.
const { default: Runner } = require("jest-runner");

const onVms = ({ path }) => /[./]vm\.test\.ts$|\/vm\//.test(path);

module.exports = class extends Runner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }

  async runTests(tests, watcher, options) {
    const lanes = [tests.filter(onVms), tests.filter((test) => !onVms(test))].filter((lane) => lane.length > 0);
    const serial = lanes.length === 1;
    await Promise.all(lanes.map((lane) => super.runTests(lane, watcher, { ...options, serial })));
  }
};
