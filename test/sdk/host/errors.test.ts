/**
 * Each file of captured/ is what ssh wrote to standard error; the first word of its name is the kind that it must be. The
 * last one says whether it went through a bastion of the connection's (jump) or of ssh_config's (config), and `behind` that
 * it is the host which failed, or the way from the bastion to it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Connection } from "../../../sdk/host/connection";
import { connectError, isTooManyStartups } from "../../../sdk/host/errors";

const folder = join(__dirname, "captured");
const said = (name: string) => readFileSync(join(folder, name), "utf8");
/** sudo and the login shell end with codes of their own, ssh always with 255. */
const code = (name: string) => (/^(sudo|noShell)/.test(name) ? 1 : 255);
const captured = readdirSync(folder).filter((name) => name.endsWith(".txt") && !name.startsWith("crowded."));
const direct = Connection.parse({ host: "203.0.113.5", user: "admin" });
const behind = Connection.parse({ ...direct, proxyJump: "fra" });
const connection = (name: string) => (name.endsWith(".jump.txt") ? behind : direct);
const pinned = Connection.parse({ ...direct, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" });

test.each(captured)("%s", (name) => {
  const { kind, message } = connectError(connection(name), code(name), said(name));
  expect(kind).toBe(name.split(".")[0]);
  expect(message).toMatch(/admin@203\.0\.113\.5/);
  expect(message).toMatch(/^[^\n]+: [^\n]+\.$/);
});

test("every sentence, word for word", () => {
  const sentences = captured.map(
    (name) => `${name}\n  ${connectError(connection(name), code(name), said(name)).message}`,
  );
  expect(sentences.join("\n")).toMatchSnapshot();
});

test("a changed key that is pinned is cured in the program, one that known_hosts has in known_hosts", () => {
  const text = said("hostKeyChanged.txt");
  expect(connectError(pinned, 255, text).message).toContain("set connection.hostKey to its new key");
  expect(connectError(direct, 255, text).message).toContain("ssh-keygen -R 203.0.113.5 ");
});

test("an ssh that does not start is no fault of the host's shell, whatever the code", () => {
  for (const name of ["ssh.netns.txt", "ssh.nsenter.txt", "ssh.missing.env.txt", "ssh.missing.sh.txt"]) {
    for (const code of [1, 127, 255]) {
      expect(connectError(direct, code, said(name)).message).toContain("ssh does not start on this machine (");
    }
  }
});

test("what a login shell says instead of starting sh is shown", () => {
  const { kind, message } = connectError(direct, 1, "", "This account is currently not available.\n");
  expect(kind).toBe("noShell");
  expect(message).toContain("(This account is currently not available.)");
});

test("what a bastion does not let through is told as the bastion's, and cured there", () => {
  const bastions = captured.filter(
    (name) => /\.(jump|config)\.txt$/.test(name) && !/^(ssh\.jump|.*\.behind\.)/.test(name),
  );
  expect(bastions.length).toBeGreaterThan(8);
  for (const name of bastions) {
    const { message } = connectError(connection(name), 255, said(name));
    expect(message).toContain(name.endsWith(".jump.txt") ? "bastion fra " : "ssh_config's ProxyJump or ProxyCommand");
    expect(message).not.toMatch(/set connection\.hostKey|connection\.port/);
  }
});

test("MaxStartups is worth another attempt, a bastion's too, and no other failure", () => {
  for (const name of ["crowded.txt", "crowded.jump.txt", "crowded.behind.jump.txt"]) {
    expect(isTooManyStartups(said(name))).toBe(true);
  }
  for (const name of captured) expect(`${name} ${isTooManyStartups(said(name))}`).toBe(`${name} false`);
});
