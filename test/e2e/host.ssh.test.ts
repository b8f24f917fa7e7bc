/** Every way to reach a host, and every way not to, against sshd as it is. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, HostError, type HostErrorKind, type Hosts, type Session } from "../../sdk/host";
import { describeWhere } from "../can";
import { Lab, run } from "../lab";
import { must } from "../lab/run";
import { connectionTo, hostsOf, sshOf } from "./hosts";

jest.setTimeout(60_000);

describeWhere("lab", "ssh", () => {
  let lab: Lab;
  let hosts: Hosts;
  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "hostssh", fresh: true });
  });
  afterAll(() => Lab.down("hostssh"));
  beforeEach(() => {
    hosts = hostsOf(lab);
  });
  afterEach(() => hosts.close());

  const lux = (more: Partial<Connection> = {}) => connectionTo(lab, "lux", more);
  const hello = (session: Session) => session.run("hello").then(({ stdout }) => stdout);
  const logins = async () => Number((await lab.exec("lux", "journalctl -u ssh | grep -c Accepted")).stdout);

  async function failure(connection: Connection, through: Hosts = hosts): Promise<[HostErrorKind, string]> {
    const error = await hello(through.session(connection)).then(
      () => new Error("it connected"),
      (error: unknown) => error,
    );
    if (!(error instanceof HostError)) throw error;
    return [error.kind, error.message];
  }

  test("one login serves all operations of a run", async () => {
    const before = await logins();
    const session = hosts.session(lux());
    expect(hosts.session({ ...lux(), connectTimeout: 5 })).toBe(session);
    const answers = await Promise.all(Array.from({ length: 50 }, () => hello(session)));
    expect(new Set(answers)).toEqual(new Set(["Linux\n"]));
    expect((await logins()) - before).toBe(1);
  });

  const count = async () => (await lab.exec("lux", "pgrep -c -f '[s]shd: root@notty'")).stdout;
  /** Waits until so many are logged in. */
  async function there(many: number): Promise<void> {
    let counted = await count();
    for (let tries = 0; tries < 100 && counted !== `${many}\n`; tries++) {
      await sleep(20);
      counted = await count();
    }
    expect(counted).toBe(`${many}\n`);
  }

  test("a session ends its login when it is closed, and not before", async () => {
    const brief = hostsOf(lab);
    await hello(brief.session(lux()));
    expect(await count()).toBe("1\n");
    await brief.close();
    await there(0);
  });

  test("a login that has begun is the one that is used; where nobody runs anything, it ends all the same", async () => {
    const before = await logins();
    hosts.session(lux()).begin();
    expect(await hello(hosts.session(lux()))).toBe("Linux\n");
    hosts.session(lux()).begin();
    expect((await logins()) - before).toBe(1);
    await hosts.close();
    await there(0);
    for (const end of ["close", "kill"] as const) {
      const brief = hostsOf(lab);
      brief.session(lux()).begin();
      await there(1);
      await brief[end]();
      await there(0);
    }
    const nowhere = hosts.session(lux({ host: "198.51.100.99", connectTimeout: 1 }));
    nowhere.begin();
    await expect(hello(nowhere)).rejects.toMatchObject({ kind: "unreachable" });
  });

  test("IPv6, known_hosts, and a bastion whose key known_hosts has", async () => {
    const v6 = lab.json.hosts.lux?.addresses[1];
    expect(await hello(hosts.session(lux({ host: v6 })))).toBe("Linux\n");
    expect(await hello(hosts.session(lux({ host: "lux", hostKey: undefined })))).toBe("Linux\n");
    const configured = hostsOf(lab, { ssh: sshOf(lab, "ProxyJump=fra") });
    const bastions = [
      hosts.session(lux({ proxyJump: "fra" })),
      hosts.session(lux({ proxyJump: "hkg,root@[2001:db8:2::9]:22,ssh://root@198.51.100.9:22" })),
      configured.session(lux()),
    ];
    for (const session of bastions) {
      const before = await logins();
      expect(await hello(session)).toBe("Linux\n");
      const [last, ...others] = (await lab.exec("lux", "journalctl -u ssh | grep Accepted | tac")).stdout.split("\n");
      expect(last).toMatch(/ from (198\.51\.100\.9|2001:db8:2::9) /);
      expect(others).toHaveLength(before + 1);
    }
    await configured.close();
  });

  test("a bastion that nobody vouches for is refused, whatever ssh_config allows, and named", async () => {
    const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
    const file = sshOf(lab).at(-1) ?? "";
    const config = readFileSync(file, "utf8");
    const lenient = config
      .replace(/HostKeyChecking yes/, "HostKeyChecking no")
      .replace(/(UserKnownHostsFile) .*/, "$1 /dev/null");
    writeFileSync(join(folder, "config"), lenient);
    const strangers = hostsOf(lab, { ssh: [...sshOf(lab).slice(0, -1), join(folder, "config")] });
    const [kind, message] = await failure(lux({ proxyJump: "fra" }), strangers);
    expect(kind).toBe("hostKeyUnknown");
    expect(message).toContain("bastion fra on the way to root@203.0.113.5");
    await strangers.close();
    rmSync(folder, { recursive: true });
  });

  test("a bastion that is not there, or does not let through, is told at once and not tried five times", async () => {
    const log: string[] = [];
    const behind = hostsOf(lab, { log: (message) => log.push(message) });
    expect((await failure(lux({ proxyJump: lab.dead.drops, connectTimeout: 1 }), behind))[1]).toContain(
      `bastion ${lab.dead.drops} on the way to root@203.0.113.5 cannot be reached`,
    );
    await lab.exec("fra", "echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/closed.conf; systemctl restart ssh");
    expect((await failure(lux({ proxyJump: "fra" }), behind))[1]).toContain("does not let connections through");
    await lab.exec("fra", "rm /etc/ssh/sshd_config.d/closed.conf; systemctl restart ssh");
    expect(log).toEqual([]);
    await behind.close();
  });

  test("others than root work through sudo, also those that ssh_config names", async () => {
    const named = hostsOf(lab, { ssh: sshOf(lab, "User=admin") });
    for (const session of [hosts.session(lux({ user: "admin" })), named.session(lux({ user: undefined }))]) {
      expect((await session.run("id")).stdout).toMatch(/^uid=0\(root\)/);
      expect((await session.run("printenv SUDO_USER")).stdout).toBe("admin\n");
    }
    const root = hosts.session(lux({ user: undefined })); // the lab's ssh_config has it
    expect((await root.run("id")).stdout).toMatch(/^uid=0\(root\)/);
    expect((await root.run("printenv SUDO_USER")).stdout).toBe("");
    await named.close();
  });

  test("what a login shell prints is no part of an answer", async () => {
    await lab.exec("lux", "echo 'echo welcome; echo mind the gap >&2' >/home/admin/.bashrc");
    const answer = await hosts.session(lux({ user: "admin" })).run("hello");
    expect(answer).toEqual({ code: 0, stdout: "Linux\n", stderr: "" });
    await lab.exec("lux", "rm /home/admin/.bashrc");
  });

  test("exit codes are the command's own, 255 too; standard error is apart", async () => {
    const session = hosts.session(lux());
    expect((await session.run("exit 255")).code).toBe(255);
    expect(await session.run("ls /nowhere")).toEqual({
      code: 2,
      stdout: "",
      stderr: "ls: cannot access '/nowhere': No such file or directory\n",
    });
  });

  test("five megabytes come through", async () => {
    const input = `${"x".repeat(99)}\n`.repeat(50_000);
    expect((await hosts.session(lux()).run("cat", input)).stdout === input).toBe(true);
  });

  test("nobody is there, or nobody listens, or the name is wrong", async () => {
    const at = (host: string, port = 22) => lux({ host, port, connectTimeout: 1 });
    expect((await failure(at(lab.dead.drops)))[0]).toBe("unreachable");
    expect((await failure(at(lab.dead.refuses)))[0]).toBe("refused");
    expect((await failure(at("nowhere.example")))[0]).toBe("resolve");
    expect((await failure(lux({ port: 23 })))[0]).toBe("refused");
  });

  test("a host that did not answer is asked once in a run", async () => {
    const dead = lux({ host: lab.dead.drops, connectTimeout: 4 });
    const first = await failure(dead);
    const start = Date.now();
    expect(await failure(dead)).toEqual(first);
    expect(Date.now() - start).toBeLessThan(2000); // at once, and not after its own end
  });

  test("a host that is asked to be waited for is asked until it answers", async () => {
    await lab.exec("lux", "systemctl stop ssh");
    const answer = hosts.session(lux()).run("hello", "", { wait: 20 });
    await sleep(500);
    await lab.exec("lux", "systemctl start ssh");
    expect((await answer).stdout).toBe("Linux\n");
  });

  test("sshd accepts and says nothing", async () => {
    await lab.exec("lux", "systemctl kill --kill-whom=main -s STOP ssh");
    try {
      expect((await failure(lux({ connectTimeout: 1 })))[0]).toBe("banner");
    } finally {
      await lab.exec("lux", "systemctl kill --kill-whom=main -s CONT ssh");
    }
  });

  test("the host key is another one, or one that nobody knows", async () => {
    const fra = lab.json.hosts.fra?.hostKey;
    expect((await failure(lux({ hostKey: fra })))[0]).toBe("hostKeyChanged");
    const strangers = hostsOf(lab, { ssh: sshOf(lab, "UserKnownHostsFile=/dev/null") });
    expect((await failure(lux({ hostKey: undefined }), strangers))[0]).toBe("hostKeyUnknown");
    const lenient = hostsOf(lab, {
      ssh: sshOf(lab, "UserKnownHostsFile=/dev/null").filter((word) => !word.startsWith("StrictHostKeyChecking")),
    });
    expect((await failure(lux({ hostKey: undefined }), lenient))[0]).toBe("hostKeyUnknown");
    await Promise.all([strangers.close(), lenient.close()]);
  });

  test("no key fits, no sudo, no shell", async () => {
    expect((await failure(lux({ user: "stranger" })))[0]).toBe("auth");
    expect((await failure(lux({ user: "guest" })))[0]).toBe("sudo");
    await lab.exec("lux", "usermod --shell /usr/sbin/nologin guest");
    const others = hostsOf(lab);
    expect((await failure(lux({ user: "guest" }), others))[0]).toBe("noShell");
    await others.close();
    await lab.exec("lux", "usermod --shell /bin/bash guest");
  });

  test("sixty logins at once all succeed, though sshd turns some away", async () => {
    await lab.exec(
      "lux",
      "mkdir -p /etc/ssh/sshd_config.d && echo 'MaxStartups 2:50:40' >/etc/ssh/sshd_config.d/crowd.conf",
    );
    await lab.exec("lux", "systemctl restart ssh");
    const again: string[] = [];
    const many = Array.from({ length: 60 }, () => hostsOf(lab, { log: (message) => again.push(message) }));
    const answers = await Promise.all(many.map((one) => hello(one.session(lux()))));
    await Promise.all(many.map((one) => one.close()));
    await lab.exec("lux", "rm /etc/ssh/sshd_config.d/crowd.conf && systemctl restart ssh");
    expect(answers).toEqual(many.map(() => "Linux\n"));
    expect(again.length).toBeGreaterThan(0);
  });

  test("a connection that breaks in the middle is told apart, and the next operation makes a new one", async () => {
    const session = hosts.session(lux());
    await hello(session);
    const broken = session.run("sleep 5").catch((error: HostError) => error.kind);
    await sleep(200);
    await lab.exec("lux", "pkill -f '[s]shd: root@notty'");
    expect(await broken).toBe("lost");
    expect(await hello(session)).toBe("Linux\n");
  });

  test("a network that goes silent in the middle is noticed", async () => {
    const alert = hostsOf(lab, { ssh: sshOf(lab, "ServerAliveInterval=1") }); // in use it is 5 s
    const session = alert.session(lux());
    await hello(session);
    await lab.break({ kind: "drop", target: "lux" });
    try {
      expect(await hello(session).catch((error: HostError) => error.kind)).toBe("lost");
    } finally {
      await lab.heal();
      await alert.close();
    }
  });

  test("an operation ends at its time limit, and at once when it is cancelled, queued or not", async () => {
    const session = hosts.session(lux());
    await hello(session);
    const kind = (error: HostError) => error.kind;
    expect(await session.run("sleep 5", "", { timeout: 0.5 }).catch(kind)).toBe("timeout");
    const cancel = new AbortController();
    const both = [1, 2].map(() => session.run("sleep 5", "", { signal: cancel.signal }).catch(kind));
    const after = hello(session);
    await sleep(500);
    const start = Date.now();
    cancel.abort();
    expect(await Promise.all(both)).toEqual(["cancelled", "cancelled"]);
    expect(Date.now() - start).toBeLessThan(2000); // at once, and not after its own end
    expect(await after).toBe("Linux\n");
  });

  describe("a key from memory", () => {
    let folder: string;
    let key: string;
    let keyed: Hosts;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
      await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
      key = readFileSync(join(folder, "key"), "utf8");
      const authorized = "/home/admin/.ssh/authorized_keys";
      await lab.exec("lux", `cp ${authorized} /root/kept && cat >${authorized}`, {
        input: readFileSync(join(folder, "key.pub"), "utf8"),
      });
    });
    afterAll(async () => {
      await lab.exec("lux", "cp /root/kept /home/admin/.ssh/authorized_keys");
      rmSync(folder, { recursive: true });
    });
    beforeEach(() => {
      keyed = hostsOf(lab, { identities: [key.trim()] });
    });
    afterEach(() => keyed.close());

    test("logs in, and is in no file, argument or environment", async () => {
      expect(await hello(keyed.session(lux({ user: "admin" })))).toBe("Linux\n");
      const secret = key.split("\n")[2] ?? "";
      expect(secret).toHaveLength(70);
      const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
      const texts = processes.flatMap((pid) =>
        ["cmdline", "environ"].map((file) => {
          try {
            return readFileSync(`/proc/${pid}/${file}`, "latin1");
          } catch {
            return ""; // the process has ended
          }
        }),
      );
      expect(texts.some((text) => text.includes("overlay-"))).toBe(true);
      expect(texts.some((text) => text.includes(secret))).toBe(false);
      // Files that are as new as the key, and not what other tests' hosts have there.
      const recent = ["-xdev", "-type", "f", "-size", "-64k", "-newer", join(folder, "key")];
      const { stdout } = await run(["find", tmpdir(), ...recent, "-exec", "grep", "-lF", "--", secret, "{}", "+"]);
      expect(stdout).toBe("");
    });

    test("that is none, or has a passphrase, is named by its place and not shown", async () => {
      const bad = hostsOf(lab, { identities: [key, "-----BEGIN OPENSSH PRIVATE KEY-----\nHUSH\n"] });
      const [kind, message] = await failure(lux({ user: "admin" }), bad);
      expect(kind).toBe("identity");
      expect(message).toContain("identity 2 of 2");
      expect(message).not.toContain("HUSH");
      await bad.close();
      await must(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", join(folder, "key")]);
      const locked = hostsOf(lab, { identities: [readFileSync(join(folder, "key"), "utf8")] });
      expect((await failure(lux({ user: "admin" }), locked))[0]).toBe("identity");
      await locked.close();
    });
  });

  test("killed in the middle of a change, the tool leaves no process, no lock and no half-written file", async () => {
    const commands = Array.from({ length: 400 }, (_, index) => `put 0644 /etc/overlay/many/${index} hello`);
    const identities = [readFileSync(lab.json.identity, "utf8")];
    const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
    const program = join(__dirname, "../../dist/test/e2e/hosts.half.js");
    expect(existsSync(program)).toBe(true);
    const child = spawn(process.execPath, [program], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, TMPDIR: folder },
    });
    child.stdin.end(JSON.stringify({ ssh: sshOf(lab), connection: lux(), commands, identities }));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await sleep(100);
    const agents = await children(child.pid);
    expect(agents.length).toBeGreaterThan(1); // ssh, and what ssh-agent waits for
    child.kill("SIGKILL");
    await sleep(100);
    expect((await lab.exec("lux", "ls /etc/overlay/many | grep -vc overlay-new")).stdout.trim()).not.toBe("400");

    const state = async () =>
      (
        await lab.exec(
          "lux",
          "flock -n /run/overlay/lock true; echo $?; find /etc/overlay -name '*overlay-new'; pgrep -c -f '[s]shd: root@notty'",
        )
      ).stdout;
    for (let tries = 0; tries < 100 && (await state()) !== "0\n0\n"; tries++) await sleep(100);
    expect(await state()).toBe("0\n0\n");
    // What was begun was finished: it may have been the link that the connection came by.
    expect((await lab.exec("lux", "ls /etc/overlay/many | wc -l; cat /etc/overlay/boot.d/90-half")).stdout).toBe(
      "400\n# half\n",
    );
    for (let tries = 0; tries < 120 && agents.some((pid) => existsSync(`/proc/${pid}`)); tries++) await sleep(100);
    expect(agents.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

/** The processes that a process started, and ssh-agent, which left it: named by its socket. */
async function children(parent: number | undefined): Promise<string[]> {
  const table = await must(["ps", "-e", "-o", "pid=,ppid=,args="]);
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  const own = rows.filter(([, ppid]) => ppid === String(parent)).map(([pid = ""]) => pid);
  const agents = rows.filter(([, , ...args]) => args[0] === "ssh-agent").map(([pid = ""]) => pid);
  return [...own, ...agents];
}
