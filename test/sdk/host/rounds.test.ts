/** What is asked of a host while it is busy: who goes together, and who is told what. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Connection, HostError } from "../../../sdk/host";
import { Rounds } from "../../../sdk/host/rounds";
import type { Operation, RunOptions, Session } from "../../../sdk/host/session";

const seen = readFileSync(join(__dirname, "captured/snapshot.out"), "utf8");

/** A host that is busy until it is told to go on, and what it was given; it answers each operation so. */
function busy(answer: (operation: Operation) => { code: number; stdout: string } | HostError = () => looked) {
  const given: (Operation & RunOptions)[] = [];
  let last: Promise<unknown>;
  let go = () => {};
  last = new Promise<void>((resolve) => {
    go = resolve;
  });
  const session: Session = {
    connection: Connection.parse({ host: "203.0.113.5" }),
    runId: "f00d",
    run: () => Promise.reject(new Error("everything waits for its turn")),
    runAnew: (first, second) =>
      turn(async () => {
        const result = told(first());
        return { first: result, second: told(await second(result)) };
      }),
    runLate: (operation) => turn(async () => told(operation())),
  };
  const told = (now: Operation) => {
    given.push(now);
    const said = answer(now);
    if (said instanceof HostError) throw said;
    return { ...said, stderr: "" };
  };
  const turn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  return { rounds: new Rounds(session), given, go };
}

const looked = { code: 0, stdout: seen };
const change = (device: string, owners = ["net/prod"]) => ({
  commands: [`ip link set dev ${device} up`],
  queries: [`manager ${device}`],
  owners,
  boot: { file: device, content: "x\n" },
});

test("looks are one look, at all that anybody asks for", async () => {
  const { rounds, given, go } = busy();
  const looks = [rounds.look(["command wg"]), rounds.look(["command wg", "key /nowhere"])];
  go();
  const [one, other] = await Promise.all(looks);
  expect(given).toMatchObject([{ agent: "snapshot", input: "command wg\nkey /nowhere", timeout: 60 }]);
  expect(one?.commands).toEqual({ wg: true });
  expect(other).toEqual(one);
});

test("changes are made one after the other, and one look after the last answers all; each hears of its own failure", async () => {
  const failed = "\n\x1efailed 2\n1\nip link set dev b up\nno\n";
  const { rounds, given, go } = busy(() => ({ code: 0, stdout: `${failed}\n${seen}` }));
  const all = [rounds.change(change("a")), rounds.look(["command wg"]), rounds.change(change("b"))];
  go();
  const [a, look, b] = await Promise.all(all);
  expect(given).toMatchObject([{ agent: "apply", timeout: 600 }]);
  expect(given[0]?.input.split("\n")).toEqual([
    "run f00d 2",
    "owners net/prod",
    "undo",
    "ip link set dev a up",
    "put 0644 /etc/overlay/boot.d/a x\\n",
    ".",
    "ip link set dev b up",
    "put 0644 /etc/overlay/boot.d/b x\\n",
    ".",
    "manager a",
    "command wg",
    "manager b",
  ]);
  expect(a).toEqual({ snapshot: look });
  expect(b).toMatchObject({ failed: { command: "ip link set dev b up", code: 1, stderr: "no" }, snapshot: look });
});

test("who comes when a round has begun is in the next; so is who gives the machine another owner", async () => {
  const { rounds, given, go } = busy();
  const first = rounds.look([]);
  const formerly = rounds.change(change("a", ["net/new", "net/old"]));
  const others = rounds.change(change("b"));
  go();
  await first;
  await Promise.all([formerly, others, rounds.look(["command wg"])]);
  expect(given.map(({ agent, input }) => `${agent} ${input.split("\n")[1] ?? ""}`)).toEqual([
    "apply owners net/new net/old",
    "apply owners net/prod",
    "snapshot ",
  ]);
});

describe("what was seen of the host a moment ago", () => {
  const recent = { recent: true };
  const rest = "\x1esysctl\n/proc/sys/net/ipv4/ip_forward:1\n\x1eend\n";
  const glanced = ({ agent }: Operation) => (agent === "glance" ? { code: 0, stdout: rest } : looked);
  const asked = (given: Operation[]) => given.map(({ agent, input }) => `${agent} ${input}`);

  test("will do for who says so: the rest alone is asked for, once", async () => {
    const { rounds, given, go } = busy(glanced);
    go();
    const first = await rounds.look(["command wg"], recent);
    const both = await Promise.all(
      ["command wg", "sysctl net/ipv4/ip_forward"].map((query) => rounds.look([query], recent)),
    );
    const again = await rounds.look(["sysctl net/ipv4/ip_forward", "command wg"], recent);
    expect(asked(given)).toEqual(["snapshot command wg", "glance sysctl net/ipv4/ip_forward"]);
    expect(both[0]).toEqual(first);
    for (const seen of [both[1], again]) {
      expect(seen).toEqual({ ...first, sysctls: { "net/ipv4/ip_forward": "1" } });
    }
  });

  test("will not for others, nor for anybody who asks together with them", async () => {
    const { rounds, given, go } = busy(glanced);
    go();
    await rounds.look([], recent);
    await rounds.look([]);
    await Promise.all([rounds.look(["command ip"], recent), rounds.look(["command wg"])]);
    expect(asked(given)).toEqual(["snapshot ", "snapshot ", "snapshot command ip\ncommand wg"]);
  });

  test("is what the look after a change showed, and nothing once a change has begun, or failed, or it is forgotten, or 5 s over", async () => {
    let answer: typeof looked | HostError = looked;
    const { rounds, given, go } = busy((operation) => (answer === looked ? glanced(operation) : answer));
    go();
    await rounds.look(["command wg"], recent);
    const changed = rounds.change(change("a"));
    const meanwhile = rounds.look(["command wg"], recent);
    await Promise.all([changed, meanwhile, rounds.look(["manager a"], recent)]);
    expect(asked(given).map((it) => it.split(" ", 1)[0])).toEqual(["snapshot", "apply"]);
    await rounds.look(["sysctl net/ipv4/ip_forward"], recent);
    expect(given.at(-1)?.agent).toBe("glance");
    answer = new HostError("lost", "gone.");
    await expect(rounds.change(change("a"))).rejects.toMatchObject({ kind: "lost" });
    answer = looked;
    for (const over of [
      () => {},
      () => rounds.forget(),
      () => jest.spyOn(Date, "now").mockReturnValue(Date.now() + 5000),
    ]) {
      over();
      await rounds.look([], recent);
      expect(given.at(-1)?.agent).toBe("snapshot");
    }
    jest.restoreAllMocks();
    expect(given).toHaveLength(7);
  });
});

describe("changes that have to be confirmed", () => {
  const guarded = (device: string, others?: () => Promise<unknown>) => ({
    ...change(device),
    undo: [`ip link set dev ${device} down`, `ip link delete dev ${device}`],
    ...(others && { others }),
  });
  const section = (text: string) => ({ code: 0, stdout: `${text}${seen}` });
  const failing = (number: number, command: string) => section(`\n\x1efailed ${number}\n1\n${command}\nno\n`);

  test("go together: one way back from all, last first, and one new login; looks and other changes go before them", async () => {
    const { rounds, given, go } = busy();
    const logins: string[] = [];
    const other = (name: string) => async () => void logins.push(name);
    const all = [
      rounds.change(guarded("a", other("fra"))),
      rounds.change(guarded("b", other("hkg"))),
      rounds.look(["command wg"]),
      rounds.change(change("c")),
    ];
    go();
    await Promise.all(all);
    const lines = given.map(({ agent, input }) => [agent, ...input.split("\n")]);
    expect(lines).toEqual([
      expect.arrayContaining(["apply", "run f00d 1", "ip link set dev c up", "command wg", "manager c"]),
      [
        "apply",
        "run f00d 2",
        "owners net/prod",
        expect.stringMatching(/^undo [0-9a-f]{16} 15 \S+$/),
        "ip link set dev b down",
        "ip link delete dev b",
        "ip link set dev a down",
        "ip link delete dev a",
        ".",
        "ip link set dev a up",
        ".",
        "ip link set dev b up",
        ".",
        "manager a",
        "manager b",
      ],
      [
        "confirm",
        `${lines[1]?.[3]?.split(" ")[1]} f00d 2`,
        "put 0644 /etc/overlay/boot.d/a x\\n",
        ".",
        "put 0644 /etc/overlay/boot.d/b x\\n",
        ".",
        "manager a",
        "manager b",
      ],
    ]);
    expect(logins).toEqual(["fra", "hkg"]);
  });

  test("so does who was still looking at the host when the first of them was ready", async () => {
    let late: Promise<unknown> | undefined;
    const lookThenChange = (device: string) => rounds.look([]).then(() => rounds.change(guarded(device)));
    const { rounds, given, go } = busy(() => {
      late ??= lookThenChange("b");
      return looked;
    });
    const all = lookThenChange("a");
    go();
    await Promise.all([all, all.then(() => late)]);
    expect(given.map(({ agent }) => agent)).toEqual(["snapshot", "snapshot", "apply", "confirm"]);
  });

  test("each hears of its own failure, before the login or after it, and only what is whole is confirmed", async () => {
    const { rounds, given, go } = busy(({ agent }) =>
      agent === "apply" ? failing(1, "ip link set dev a up") : failing(2, "put 0644 /etc/overlay/boot.d/b"),
    );
    const all = ["a", "b", "c"].map((device) => rounds.change(guarded(device)));
    go();
    const failed = (await Promise.all(all)).map(({ failed }) => failed?.command);
    expect(failed).toEqual(["ip link set dev a up", "put 0644 /etc/overlay/boot.d/b", undefined]);
    expect(given[1]?.input.split("\n").slice(1, 6)).toEqual([
      ".",
      "put 0644 /etc/overlay/boot.d/b x\\n",
      ".",
      "put 0644 /etc/overlay/boot.d/c x\\n",
      ".",
    ]);
  });

  test("are taken back all together, and each is told", async () => {
    const late = busy(({ agent }) => (agent === "apply" ? looked : section("\n\x1etakenBack\n")));
    const { rounds, go } = busy();
    const fra = () => Promise.reject(new HostError("unreachable", "fra cannot be reached."));
    const taken = ["a", "b"].map((device) => late.rounds.change(guarded(device)));
    const unconfirmed = [rounds.change(guarded("a")), rounds.change(guarded("b", fra))];
    late.go();
    go();
    for (const one of await Promise.all(taken)) expect(one).toMatchObject({ takenBack: true });
    for (const one of await Promise.allSettled(unconfirmed)) {
      expect(one).toMatchObject({ reason: { kind: "unconfirmed", message: expect.stringContaining("(fra cannot") } });
    }
  });
});

test("a host that is lost is lost for all of a round, and the next one tries again", async () => {
  let answer: typeof looked | HostError = new HostError("lost", "gone.");
  const { rounds, go } = busy(() => answer);
  const all = [rounds.look([]), rounds.change(change("a"))];
  go();
  for (const one of await Promise.allSettled(all)) expect(one).toMatchObject({ reason: { kind: "lost" } });
  answer = looked;
  expect((await rounds.look([])).owner).toBe("net/prod");
});

test("one who is cancelled hears so at once; the host is told when nobody wants it any more", async () => {
  const { rounds, given, go } = busy();
  const [one, other] = [new AbortController(), new AbortController()];
  const all = [one, other].map(({ signal }) => rounds.look([], { signal, wait: 5 }));
  one.abort();
  await expect(all[0]).rejects.toMatchObject({ kind: "cancelled" });
  go();
  await all[1];
  expect(given[0]).toMatchObject({ wait: 5, signal: { aborted: false } });
  other.abort();
  expect(given[0]?.signal?.aborted).toBe(true);
});
