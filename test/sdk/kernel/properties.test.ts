/** What holds for every host, on the model of one (test/kernel-model). */
import fc from "fast-check";
import { bootText, changes, type Fact, factId, type HostFacts, kindOf, live, text, undo } from "../../../sdk/kernel";
import { KernelModel } from "../../kernel-model";
import { either, tinkering, wantedFacts } from "./arbitrary";

const hosts = fc.constantFrom<HostFacts[]>({ wireguard: "kernel" }, { wireguard: "userspace" });

/** Makes it so, and says what was done. `before`: what was wanted until now. */
function apply(model: KernelModel, wanted: readonly Fact[], before: readonly Fact[] = []): string[] {
  const { commands } = changes(live(model.snapshot(), either(wanted, before)), wanted, model.host);
  model.run(commands);
  return commands;
}

const read = (model: KernelModel, facts: readonly Fact[]): string => text(live(model.snapshot(), facts));

const hasIPv6 = ({ kind, value }: Fact): boolean => kind !== "link" || (value as { mtu: number }).mtu >= 1280;

// What nobody installs is missing for good; that is said before anything is applied.
const installed = (facts: readonly Fact[]): Fact[] => facts.filter(({ kind }) => kind !== "package");

test("the same facts in any order give the same bytes", () => {
  fc.assert(
    fc.property(
      wantedFacts.chain((facts) =>
        fc.tuple(fc.constant(facts), fc.shuffledSubarray(facts, { minLength: facts.length })),
      ),
      ([facts, shuffled]) => {
        expect(text(shuffled)).toBe(text(facts));
        expect(bootText("owner", shuffled)).toBe(bootText("owner", facts));
      },
    ),
  );
});

test("between equal facts there is nothing to do", () => {
  fc.assert(
    fc.property(wantedFacts, hosts, (facts, host) => {
      expect(changes(facts, facts, host)).toEqual({ commands: [], again: [], foreign: [], changed: [] });
    }),
  );
});

test("a host without anything is as wanted after one run, and the next does nothing", () => {
  fc.assert(
    fc.property(wantedFacts.map(installed), hosts, (facts, host) => {
      const model = new KernelModel(host);
      apply(model, facts);
      expect(read(model, facts)).toBe(text(facts));
      expect(apply(model, facts)).toEqual([]);
    }),
  );
});

test("what is replayed at boot is what was applied", () => {
  fc.assert(
    fc.property(wantedFacts.map(installed), (facts) => {
      const model = new KernelModel({ wireguard: "kernel" });
      apply(
        model,
        facts.filter(({ kind }) => kind === "wgKey"),
      );
      model.run(
        bootText("owner", facts)
          .split("\n")
          .filter((line) => line !== "" && !line.startsWith("#")),
      );
      const volatile = facts.filter(({ kind }) => !["file", "unit"].includes(kind));
      expect(read(model, volatile)).toBe(text(volatile));
    }),
  );
});

test("whatever hands have done, one run mends it", () => {
  fc.assert(
    fc.property(wantedFacts.map(installed), hosts, fc.array(tinkering, { maxLength: 12 }), (facts, host, hands) => {
      const model = new KernelModel(host);
      apply(model, facts);
      for (const command of hands) {
        try {
          model.run([command]);
        } catch {
          // Not possible on this host.
        }
      }
      apply(model, facts);
      expect(read(model, facts)).toBe(text(facts));
      expect(apply(model, facts)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("from anything wanted to anything else in one run, and nothing of the old is left", () => {
  fc.assert(
    fc.property(wantedFacts.map(installed), wantedFacts.map(installed), hosts, (before, after, host) => {
      const model = new KernelModel(host);
      apply(model, before);
      apply(model, after, before);
      expect(read(model, after)).toBe(text(after));
      const kept = (fact: Fact) => fact.kind === "wgKey" || fact.kind === "sysctl";
      const ids = new Set(after.map(factId));
      const left = live(model.snapshot(), before).filter((fact) => !kept(fact) && !ids.has(factId(fact)));
      expect(left).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("everything is removed in one run, and settings are what they were found to be", () => {
  fc.assert(
    fc.property(wantedFacts.map(installed), hosts, (facts, host) => {
      const model = new KernelModel(host);
      const { keys: _, ...empty } = model.snapshot();
      apply(model, facts);
      apply(model, [], facts);
      expect(model.snapshot()).toMatchObject({ ...empty, units: {} });
    }),
  );
});

test("undone at any point, a change leaves the kernel as it was found", () => {
  const change = fc.record({
    before: wantedFacts.map(installed),
    // Under 1280 bytes of MTU a device has no IPv6, and comes back, also from there, with that of a new one.
    hands: fc.array(
      tinkering.filter((command) => !command.endsWith("mtu 1200")),
      { maxLength: 6 },
    ),
    after: wantedFacts.map(installed),
    carriedOut: fc.oneof(fc.constant(1000), fc.nat(40)),
  });
  fc.assert(
    fc.property(change, hosts, ({ before, hands, after, carriedOut }, host) => {
      fc.pre(!hands.some((command) => command.endsWith("mtu 1300")) || before.every(hasIPv6));
      const model = new KernelModel(host);
      apply(model, before);
      // As boot mode of agents/steps.sh has it: what does not hold does not stop the rest, and a table that stands keeps
      // its rules.
      const tryAll = (commands: readonly string[]) => {
        const stand = new Set<string>();
        for (const command of commands) {
          const [tool, verb, object, family, name] = command.split(" ");
          const [said, table] = [`${tool} ${verb} ${object}`, `${family} ${name}`];
          if (said === "nft add table" && model.snapshot().nft[table]) stand.add(table);
          if (said === "nft add rule" && stand.has(table)) continue;
          try {
            model.run([command]);
          } catch {
            // Not possible on this host.
          }
        }
      };
      tryAll(hands);
      const facts = either(after, before);
      const volatile = facts.filter((fact) => kindOf(fact).volatile);
      const [found, is] = [read(model, volatile), live(model.snapshot(), facts)];
      // The kernel keeps a route of another table whose source is gone, and would take it from nobody.
      const { addrs, routes4 } = model.snapshot();
      const sources = addrs.flatMap(({ addr_info }) => addr_info.map(({ local }) => local));
      fc.pre(routes4.every(({ prefsrc }) => prefsrc === undefined || sources.includes(prefsrc)));
      const back = undo(is, after, host);
      tryAll(changes(is, after, host).commands.slice(0, carriedOut));
      tryAll(back);
      expect(read(model, volatile)).toBe(found);
    }),
    { numRuns: 500 },
  );
});
