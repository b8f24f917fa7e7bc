/** More than a fifth of a stack's links does not go unless it is allowed to. */
import { fact } from "../../../sdk/kernel";
import { Removals } from "../../../sdk/provider/removals";

const device = (name: string, link: string) =>
  fact("link", {
    device: name,
    type: "wireguard",
    mtu: 1420,
    group: 28417,
    alias: `overlay:net/prod:${link}`,
    addrgenmode: "none",
    up: true,
  });

/** What becomes of removals that come at the same time, each a machine and its devices. */
const all = (removals: Removals, ...asked: [string, ...ReturnType<typeof device>[]][]): Promise<string[]> =>
  Promise.all(
    asked.map(([machine, ...devices]) =>
      removals.allow(machine, devices).then(
        () => "goes",
        (error: Error) => error.message,
      ),
    ),
  );

const stack = (removable: number, someStay = true): Removals => {
  const removals = new Removals();
  removals.learn({ removable });
  if (someStay) removals.stays();
  return removals;
};

test("one link, which has two ends, may always go; a second not where it is more than a fifth", async () => {
  const removals = stack(1);
  const link = (a: string, b: string): [string, ReturnType<typeof device>][] => [
    [a, device(`inter-${b}`, `${a}-${b}`)],
    [b, device(`inter-${a}`, `${a}-${b}`)],
  ];
  expect(await all(removals, ...link("lux", "fra"))).toEqual(["goes", "goes"]);
  const [first, second] = await all(removals, ...link("lux", "hkg"));
  expect(first).toBe(
    "This run is to remove more than 20 % of the stack's links, 4 devices in all, and nothing says that it may. These stay: lux-hkg. " +
      "Where they are to go, OVERLAY_ALLOW_DESTROY=on in the environment allows it for one run: OVERLAY_ALLOW_DESTROY=on pulumi destroy. " +
      "For every run: pulumi config set overlay:allowDestroy true, then pulumi up, for destroy goes by what the last up was told.",
  );
  expect(second).toBe("It stays on hkg, as the others do.");
});

test("one segment does not go before the rest is refused, as its members come first, but of a stack of two links", async () => {
  const member = (machine: string): [string, ReturnType<typeof device>] => [machine, device("vx-lan", "lan")];
  expect(await all(stack(1, false), member("lux"), member("fra"))).toEqual([
    expect.stringContaining("These stay: lan."),
    "It stays on fra, as the others do.",
  ]);
  expect(await all(stack(0, false), member("lux"), member("fra"))).toEqual(["goes", "goes"]);
});

test("all that comes together stays together, machines without links too", async () => {
  const machines: [string, ...ReturnType<typeof device>[]][] = [
    ["lux", device("inter-fra", "lux-fra"), device("inter-hkg", "lux-hkg")],
    ["fra", device("inter-lux", "lux-fra")],
    ["spare"],
  ];
  expect((await all(stack(0), ...machines)).map((it) => it.slice(0, 12))).toEqual([
    "This run is ",
    "It stays on ",
    "It stays on ",
  ]);
});

test("a fifth of them may go, in however many turns", async () => {
  const removals = stack(4);
  const node = (name: string): [string, ReturnType<typeof device>] => [name, device("mesh", "mesh")];
  expect(await all(removals, node("a"), node("b"))).toEqual(["goes", "goes"]);
  expect(await all(removals, node("c"), node("d"))).toEqual(["goes", "goes"]);
  expect(await all(removals, node("e"))).not.toEqual(["goes"]);
});
