// The pure tests first: they say in seconds what is wrong.
const { default: Sequencer } = require("@jest/test-sequencer");

const rank = ({ context }) => (context.config.displayName?.name === "lab" ? 1 : 0);

module.exports = class extends Sequencer {
  async sort(tests) {
    return [...(await super.sort(tests))].sort((a, b) => rank(a) - rank(b));
  }
};
