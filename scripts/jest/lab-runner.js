// Lab tests, after the pure ones, in four lanes on the machine's two cores: most of the time their hosts boot, or wait. One
// lane begins with what waits longest, or keeps a core busy by emulating one: changes that a host takes back after a while,
// and vms. So two of these seldom meet, and all lanes end at about the same time.
const { default: Runner } = require("jest-runner");

const waits = ({ path }) => /[./]vm\.test\.ts$|\/vm\/|\/confirm\.test\.ts$/.test(path);

/** What one worker process runs: jest's own runner begins all tests of a list, and this one gives out the next as it goes. */
const lane = (tests, first, then) => ({
  [Symbol.iterator]: () => tests[Symbol.iterator](),
  map: (run) => [
    (async () => {
      for (let test = first.shift() ?? then.shift(); test; test = first.shift() ?? then.shift()) await run(test);
    })(),
  ],
});

module.exports = class extends Runner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }

  async runTests(tests, watcher, options) {
    if (tests.length === 1) return super.runTests(tests, watcher, { ...options, serial: true });
    const waiting = tests.filter(waits);
    const others = tests.filter((test) => !waits(test));
    const lanes = [lane(tests, waiting, others), ...[1, 2, 3].map(() => lane(tests, others, waiting))];
    await Promise.all(lanes.map((one) => super.runTests(one, watcher, { ...options, serial: false })));
  }
};
