/** Runs the program of the stack that is selected: `pulumi stack select lab` runs ./lab. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

const stack = pulumi.getStack();
if (!existsSync(join(__dirname, `${stack}.ts`))) {
  throw new pulumi.RunError(
    `There is no stacks/${stack}.ts: write it, or select another stack with \`pulumi stack select\`.`,
  );
}
module.exports = require(`./${stack}`);
