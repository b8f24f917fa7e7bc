/** A program that is meant to be killed: reads `{ssh, connection, commands}` from standard input and applies them. */
import { readFileSync } from "node:fs";
import { apply, Hosts } from "../../sdk/host";

const { ssh, connection, commands, identities } = JSON.parse(readFileSync(0, "utf8"));
const session = new Hosts({ ssh, identities }).session(connection);

async function main(): Promise<void> {
  await session.run("hello");
  process.stdout.write("connected\n");
  await apply(session, { commands, queries: [], boot: { file: "90-half", content: "# half\n" } });
  process.stdout.write("applied\n");
}
void main();
