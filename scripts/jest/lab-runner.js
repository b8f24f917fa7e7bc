// Lab tests, after the pure ones, in five lanes on the machine's two cores: most of the time their hosts boot, or wait. One
// lane begins with what keeps a core busy by emulating one, and one with what waits longest: changes that a host takes back
// after a while, and keys that are exchanged now and then. So two of these seldom meet, and all lanes end at about the same time.
const { default: Runner } = require("jest-runner");

const emulates = ({ path }) => /[./]vm\.(long\.)?test\.ts$|\/vm\//.test(path);
const waits = ({ path }) => /\/(confirm|rosenpass)[\w.]*\.test\.ts$/.test(path);

/** What one worker process runs: jest's own runner begins all tests of a list, and this one gives out the next as it goes. */
const lane = (tests, ...queues) => ({
  [Symbol.iterator]: () => tests[Symbol.iterator](),
  map: (run) => [
    (async () => {
      for (let queue = queues.find((one) => one.length > 0); queue; queue = queues.find((one) => one.length > 0)) {
        await run(queue.shift());
      }
    })(),
  ],
});

module.exports = class extends Runner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }

  async runTests(tests, watcher, options) {
    if (tests.length === 1) return super.runTests(tests, watcher, { ...options, serial: true });
    const emulating = tests.filter(emulates);
    const waiting = tests.filter((test) => waits(test) && !emulates(test));
    const others = tests.filter((test) => !waits(test) && !emulates(test));
    const lanes = [
      lane(tests, emulating, others, waiting),
      lane(tests, waiting, others, emulating),
      ...[1, 2, 3].map(() => lane(tests, others, waiting, emulating)),
    ];
    await Promise.all(lanes.map((one) => super.runTests(one, watcher, { ...options, serial: false })));
  }
};
