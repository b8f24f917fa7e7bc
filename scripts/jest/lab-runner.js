// Lab tests, after the pure ones, in four lanes on the machine's two cores: most of the time their hosts boot, or wait. One
// lane begins with what waits longest, or keeps a core busy by emulating one: changes that a host takes back after a while,
// and vms. So two of these seldom meet, and all lanes end at about the same time.
const { default: Runner } = require("jest-runner");

const waits = ({ path }) => /[./]vm\.test\.ts$|\/vm\/|\/confirm\.test\.ts$/.test(path);

module.exports = class extends Runner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }

  async runTests(tests, watcher, options) {
    const waiting = tests.filter(waits);
    const others = tests.filter((test) => !waits(test));
    const lane = async (first, then) => {
      while (first.length + then.length > 0 && !watcher.isInterrupted()) {
        const test = first.shift() ?? then.shift();
        await super.runTests([test], watcher, { ...options, serial: tests.length === 1 });
      }
    };
    await Promise.all([lane(waiting, others), ...[1, 2, 3].map(() => lane(others, waiting))]);
  }
};
