/** What needs no host: an ssh that is not there, one that answers oddly, and a run that never connects. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection, HostError, Hosts } from "../../../sdk/host";

const connection = Connection.parse({ host: "lux", hostKey: "ssh-ed25519 AAAA", connectTimeout: 1 });

async function failure(ssh: string[]): Promise<HostError> {
  const hosts = new Hosts({ ssh });
  const error = await hosts
    .session(connection)
    .run("hello")
    .catch((error: unknown) => error);
  await hosts.close();
  if (error instanceof HostError) return error;
  throw error;
}

/** A program in place of ssh: what it is given as arguments it does not read. */
const program = (text: string): string[] => ["sh", "-c", text];

test("ssh is not installed", async () => {
  const { kind, message } = await failure(["/nowhere/ssh"]);
  expect(kind).toBe("ssh");
  expect(message).toBe('the command "/nowhere/ssh" does not start: install the OpenSSH client.');
});

test("a forced command that ends is no shell", async () => {
  const { kind, message } = await failure(program("echo only backups here"));
  expect(kind).toBe("noShell");
  expect(message).toContain("(only backups here)");
});

test("a kernel that is not Linux is refused before anything is done", async () => {
  // A shell whose hello says another name, as it does where /proc/sys is not.
  const { kind } = await failure(program(`sed -u 's/Linux/FreeBSD/; s/ostype/no-such-file/g' | sh`));
  expect(kind).toBe("notLinux");
});

test("who looks alone is not told how to change a host, and who changes it is told once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  const told = join(folder, "told");
  const definitions = () => readFileSync(told, "utf8").match(/^(hello|count_generations)\(\)/gm);
  const hosts = new Hosts({ ssh: program(`tee ${told} | sh`) });
  const session = hosts.session(connection);
  await session.run("hello");
  expect(definitions()).toEqual(["hello()"]);
  for (let times = 0; times < 2; times++) expect(await session.run("count_generations")).toMatchObject({ code: 0 });
  expect(definitions()).toEqual(["hello()", "count_generations()"]);
  await hosts.close();
  rmSync(folder, { recursive: true });
});

test("a run that connects to nobody starts nothing and leaves nothing", async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("overlay-"));
  const hosts = new Hosts({ ssh: ["/nowhere/ssh"], identities: ["no key"] });
  hosts.session(connection);
  await hosts.close();
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith("overlay-"))).toEqual(before);
});

test("a login leaves nothing on the disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  try {
    await failure(program("exit 3"));
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(folder, { recursive: true });
  }
});

test("cancelled while it waits for a host to let it in, it does not try again and holds nobody up", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  const tries = join(folder, "tries");
  const hosts = new Hosts({ ssh: program(`echo >>${tries}; echo 'Permission denied (publickey).' >&2; exit 255`) });
  const cancel = new AbortController();
  const ended = hosts
    .session(connection)
    .run("hello", "", { wait: 30, signal: cancel.signal })
    .catch((error: HostError) => error.kind);
  while (!existsSync(tries)) await sleep(20);
  await sleep(200);
  const began = Date.now();
  cancel.abort();
  expect(await ended).toBe("cancelled");
  await hosts.close();
  expect(Date.now() - began).toBeLessThan(1000);
  expect(readFileSync(tries, "utf8")).toBe("\n");
  rmSync(folder, { recursive: true });
});

test("a key that is refused for 30 s is refused, however long the host may take to boot; why it waits is said", async () => {
  const hosts = new Hosts({ ssh: program("echo 'Permission denied (publickey).' >&2; exit 255") });
  const said: string[] = [];
  const clock = Date.now;
  const later = jest.spyOn(Date, "now").mockImplementation(() => clock() + 31_000 * said.length);
  const status = (message: string) => said.push(message);
  const ended = hosts.session(connection).run("hello", "", { wait: 600, status });
  await expect(ended).rejects.toMatchObject({ kind: "auth" });
  later.mockRestore();
  await hosts.close();
  expect(said).toEqual([expect.stringMatching(/^trying again: lux accepts none of the keys on offer/)]);
}, 20_000);

test("a machine that answers, and then reboots, is waited for all the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  const tries = `echo >>${folder}/tries; n=$(wc -l <${folder}/tries)`;
  const offline = "echo 'ssh: connect to host lux port 22: Connection refused' >&2; exit 255";
  const hosts = new Hosts({
    ssh: program(
      `${tries}; case $n in 1) echo 'Permission denied (publickey).' >&2; exit 255 ;; 2) ${offline} ;; esac; exec sh`,
    ),
  });
  const said: string[] = [];
  const clock = Date.now;
  const later = jest.spyOn(Date, "now").mockImplementation(() => clock() + 31_000 * said.length);
  const status = (message: string) => said.push(message);
  const { stdout } = await hosts
    .session(connection)
    .run("hello", "", { wait: 600, status })
    .finally(() => later.mockRestore());
  await hosts.close();
  rmSync(folder, { recursive: true });
  expect([stdout.trim(), said.length]).toEqual(["Linux", 2]);
}, 20_000);
