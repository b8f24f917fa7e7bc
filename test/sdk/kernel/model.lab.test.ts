/** Random sequences on a real host and on the model: both must show the same, before and after they are mended. */
import { join } from "node:path";
import fc from "fast-check";
import { apply, type Hosts, type Session, snapshot } from "../../../sdk/host";
import { type Command, changes, type Fact, live, queries, type Snapshot, text } from "../../../sdk/kernel";
import { describeWhere } from "../../can";
import { bring, connectionTo, hostsOf, nodeFacts, OWNER } from "../../e2e/hosts";
import { KernelModel } from "../../kernel-model";
import { Lab } from "../../lab";
import { tinkering, wantedFacts } from "./arbitrary";

const userspace = { wireguard: "userspace" } as const;
/** `npm run test:long` wants more of them, and others each time; `npm test` says the same of the same code. */
const { OVERLAY_SEQUENCES } = process.env;
const SEQUENCES = Number(OVERLAY_SEQUENCES ?? 15);
const SEED = OVERLAY_SEQUENCES === undefined ? { seed: 16130992 } : {};

jest.setTimeout(Math.max(300_000, SEQUENCES * 12_000));

// The host needs its own agents and units to live, and its default route to be reached, so these are not played with.
const playedWith = ({ kind, key }: Fact): boolean =>
  !["package", "file", "unit"].includes(kind) && !(kind === "route" && key.includes(" 0.0.0.0/0 "));
const harmless = (command: Command): boolean => /^(ip|wg|nft|sysctl) /.test(command);

/** The kernel's random link-local address is another one each time. */
const withoutRandom = (lines: string): string => lines.replaceAll(/fe80::[0-9a-f:]{10,}\/64/g, "fe80::random/64");

describeWhere("lab", "the model of the kernel", () => {
  let lab: Lab;
  let hosts: Hosts;
  let lux: Session;
  const model = new KernelModel(userspace);
  beforeAll(async () => {
    lab = await Lab.up(join(__dirname, "one-host.yaml"), { name: "model", fresh: true });
    hosts = hostsOf(lab);
    lux = hosts.session(connectionTo(lab, "lux"));
    const node = nodeFacts("lux");
    await bring(lux, node, "10-node");
    await run(changes(node.filter(playedWith), [], userspace).commands);
    model.run(
      changes(
        [],
        node.filter(({ kind }) => kind === "wgKey"),
        userspace,
      ).commands,
    );
  });
  afterAll(async () => {
    await hosts?.close();
    await Lab.down("model");
  });

  /** What failed on the host, or undefined. */
  const run = async (commands: Command[]): Promise<string | undefined> =>
    (await apply(lux, { commands, queries: [], owners: [OWNER] })).failed?.message;

  const seen = (facts: Fact[]): Promise<Snapshot> => snapshot(lux, queries(facts));
  const mending = (now: Snapshot, facts: Fact[]): Command[] => changes(live(now, facts), facts, userspace).commands;

  /** Does the same to both, and compares whether they let us. */
  async function both(command: Command): Promise<void> {
    let refused: string | undefined;
    try {
      model.run([command]);
    } catch (error) {
      refused = String(error);
    }
    const failed = await run([command]);
    if ((failed === undefined) !== (refused === undefined))
      throw new Error(`${command}\nhost: ${failed}\nmodel: ${refused}`);
  }

  async function same(facts: Fact[]): Promise<Snapshot> {
    const real = await seen(facts);
    const modelled = model.snapshot();
    expect(withoutRandom(text(live(modelled, facts)))).toBe(withoutRandom(text(live(real, facts))));
    expect(mending(modelled, facts).map(withoutRandom)).toEqual(mending(real, facts).map(withoutRandom));
    return real;
  }

  test("agrees with a host on what hands do, and on how it is mended", async () => {
    await fc.assert(
      fc.asyncProperty(
        wantedFacts.map((facts) => facts.filter(playedWith)),
        fc.array(tinkering.filter(harmless), { maxLength: 10 }),
        async (facts, hands) => {
          const mend = async () => {
            model.run(mending(model.snapshot(), facts));
            expect(await run(mending(await seen(facts), facts))).toBeUndefined();
          };
          try {
            await mend();
            expect(text(live(await same(facts), facts))).toBe(text(facts));
            for (const command of hands) await both(command);
            await same(facts);
            await mend();
            expect(text(live(await same(facts), facts))).toBe(text(facts));
          } finally {
            const gone = (now: Snapshot) =>
              changes(live(now, facts), [], userspace).commands.filter((command) => !command.startsWith("restore"));
            await run(gone(await seen(facts)));
            model.run(gone(model.snapshot()));
          }
        },
      ),
      { numRuns: SEQUENCES, endOnFailure: true, ...SEED },
    );
  });
});
