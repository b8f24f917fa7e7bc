/** Each file of captured/ is what ssh wrote to standard error; the first word of its name is the kind that it must be. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Connection } from "../../../sdk/host/connection";
import { connectError, isTooManyStartups } from "../../../sdk/host/errors";

const folder = join(__dirname, "captured");
const said = (name: string) => readFileSync(join(folder, name), "utf8");
/** sudo and the login shell end with codes of their own, ssh always with 255. */
const code = (name: string) => (/^(sudo|noShell)/.test(name) ? 1 : 255);
const captured = readdirSync(folder).filter((name) => name.endsWith(".txt") && name !== "crowded.txt");
const connection = Connection.parse({ host: "203.0.113.5", user: "admin" });
const pinned = Connection.parse({ ...connection, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" });

test.each(captured)("%s", (name) => {
  const { kind, message } = connectError(connection, code(name), said(name));
  expect(kind).toBe(name.split(".")[0]);
  expect(message).toMatch(/admin@203\.0\.113\.5/);
  expect(message).toMatch(/^[^\n]+: [^\n]+\.$/);
});

test("every sentence, word for word", () => {
  const sentences = captured.map((name) => `${name}\n  ${connectError(connection, code(name), said(name)).message}`);
  expect(sentences.join("\n")).toMatchSnapshot();
});

test("a changed key that is pinned is cured in the program, one that known_hosts has in known_hosts", () => {
  const text = said("hostKeyChanged.txt");
  expect(connectError(pinned, 255, text).message).toContain("set connection.hostKey to its new key");
  expect(connectError(connection, 255, text).message).toContain("ssh-keygen -R 203.0.113.5 ");
});

test("an ssh that does not start is no fault of the host's shell, whatever the code", () => {
  for (const name of ["ssh.netns.txt", "ssh.nsenter.txt", "ssh.missing.env.txt", "ssh.missing.sh.txt"]) {
    for (const code of [1, 127, 255]) {
      expect(connectError(connection, code, said(name)).message).toContain("ssh does not start on this machine (");
    }
  }
});

test("what a login shell says instead of starting sh is shown", () => {
  const { kind, message } = connectError(connection, 1, "", "This account is currently not available.\n");
  expect(kind).toBe("noShell");
  expect(message).toContain("(This account is currently not available.)");
});

test("behind a bastion the message names both, and the line names the one that failed", () => {
  const behind = Connection.parse({ host: "10.0.0.9", proxyJump: "root@203.0.113.5:23" });
  const { kind, message } = connectError(behind, 255, said("refused.jump.txt"));
  expect(kind).toBe("refused");
  expect(message).toContain("root@10.0.0.9 (through root@203.0.113.5:23)");
  expect(message).toContain("(ssh: connect to host 203.0.113.5 port 23: Connection refused)");
});

test("MaxStartups is worth another attempt, a bastion's failure is not", () => {
  expect(isTooManyStartups(said("crowded.txt"))).toBe(true);
  for (const name of captured) expect(isTooManyStartups(said(name))).toBe(false);
});
