// Lab tests share the machine's network namespaces and its two cores: one at a time, after the pure ones.
const { default: Runner } = require("jest-runner");

module.exports = class extends Runner {
  isSerial = true;
};
