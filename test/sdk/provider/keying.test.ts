/** Who waits for a first key after a change, how often a host is asked meanwhile, and what is known in the end. */
import type { Exchange, Keying, Snapshot } from "../../../sdk/kernel";
import { type Ends, FirstKeys, keyless } from "../../../sdk/provider/keying";
import type { Machine } from "../../../sdk/provider/machine";

const pauses = jest.fn();
jest.mock("node:timers/promises", () => ({ setTimeout: async (pause: number) => void pauses(pause) }));
beforeEach(() => pauses.mockClear());
const waited = (): number => pauses.mock.calls.flat().reduce((sum: number, pause: number) => sum + pause, 0) / 1000;

const KEYED: Exchange = { exchanged: 0, fresh: true, psk: "one", protected: true };
const NONE: Exchange = { protected: false };

/** It has its key when it has been looked at so often. */
const machine = (after: number, before = NONE): Machine => {
  let looks = 0;
  const look = async ([query = ""]: string[]) => {
    const name = query.replace("rosenpass ", "");
    return { exchanges: { [name]: looks++ < after ? before : KEYED } } as unknown as Snapshot;
  };
  return { look } as unknown as Machine;
};
const never = (before = NONE) => machine(Number.POSITIVE_INFINITY, before);

const keying = (to: string, more: Partial<Keying> = {}): Keying => ({
  ...{ name: "x", device: `inter-${to}`, to, other: "x", strict: false, way: "UDP" },
  ...more,
});
const ends = (node: string, own: Machine, other?: Machine): Ends => ({ node, own, other });

test("a key that is there is nothing to wait for", async () => {
  const { agree, health } = await new FirstKeys().wait(keying("fra"), ends("lux", machine(0), machine(0)), {});
  expect({ agree, health, waited: waited() }).toEqual({ agree: true, health: "healthy", waited: 0 });
});

test("a key that comes late is waited for by short looks, and the other end's, too", async () => {
  const { agree } = await new FirstKeys().wait(keying("fra"), ends("lux", machine(15), machine(3)), {});
  expect(agree).toBe(true);
  expect(pauses.mock.calls.flat()).toEqual([...Array(10).fill(200), ...Array(5).fill(1000), 200, 200, 200]);
});

test("none within 20 s is told, and so is the one that the daemon before had", async () => {
  for (const before of [NONE, { ...KEYED, fresh: undefined } as unknown as Exchange]) {
    pauses.mockClear();
    const found = await new FirstKeys().wait(keying("fra"), ends("lux", never(before), machine(0)), {});
    expect(found).toEqual({ agree: false, health: "lux has exchanged no key yet", seconds: 20 });
    expect(waited()).toBe(20);
    expect(keyless(keying("fra"), found.health, found.seconds)).toContain(
      "No post-quantum key was exchanged for inter-fra within 20 s: lux has exchanged no key yet.",
    );
  }
});

test("who waited in vain is waited for no more than it takes, until he has exchanged a key with somebody", async () => {
  const keys = new FirstKeys();
  await keys.wait(keying("fra"), ends("lux", never(), never()), {});
  const seconds = async (node: string, to: string, own = never()) => {
    pauses.mockClear();
    await keys.wait(keying(to), ends(node, own, machine(0)), {});
    return waited();
  };
  expect(await seconds("lux", "hkg")).toBe(3);
  expect(await seconds("fra", "nyc", machine(5))).toBe(1);
  expect(await seconds("fra", "ams")).toBe(20);
  expect(await seconds("lux", "fra")).toBe(3);
});

test("somebody else's machine is waited for as long as it takes where it is there already", async () => {
  const { other: _, ...foreign } = keying("phone");
  const found = await new FirstKeys().wait(foreign, ends("lux", machine(4)), {});
  expect({ ...found, waited: waited() }).toEqual({ agree: true, health: "healthy", seconds: 3, waited: 0.8 });
  pauses.mockClear();
  const keys = new FirstKeys();
  expect(await keys.wait(foreign, ends("lux", never()), {})).toMatchObject({ health: "lux has exchanged no key yet" });
  expect(waited()).toBe(3);
  // That it is not there says nothing of our own.
  expect((await keys.wait(keying("fra"), ends("lux", never(), never()), {})).seconds).toBe(20);
});

test("two keys that differ, of calls that have crossed, are waited for until one has called once more", async () => {
  const other = machine(13, { ...KEYED, psk: "another" });
  const { agree } = await new FirstKeys().wait(keying("fra"), ends("lux", machine(0), other), {});
  expect({ agree, waited: waited() }).toEqual({ agree: true, waited: 5 });
});
