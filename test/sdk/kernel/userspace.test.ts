/** A link in user space on a host whose kernel has learned WireGuard since. */
import { changes, live, type Snapshot, text } from "../../../sdk/kernel";
import { captured, wanted as whole } from "./captured";

const wanted = whole.filter(({ key, after }) => key === "inter-lux" || after === "link inter-lux");

const fresh = captured("fresh");
/** The same host, its links still wireguard-go's. */
const learned: Snapshot = { ...fresh, host: { wireguard: "kernel" } };
const commands = (snapshot: Snapshot, facts = wanted) =>
  changes(live(snapshot, facts), facts, { wireguard: "kernel" }).commands;

test("it is drift in one line", () => {
  const [is, should] = [text(live(learned, wanted)).split("\n"), text(wanted).split("\n")];
  expect(should.filter((line) => !is.includes(line))).toEqual(["ip link add dev inter-lux type wireguard"]);
  expect(is.filter((line) => !should.includes(line))).toEqual(["ip link add dev inter-lux type tun"]);
});

test("the device is made again, with all that stands on it and nothing else", () => {
  const [stop, add, ...rest] = commands(learned);
  expect(stop).toBe("systemctl stop overlay-wireguard-go@inter-lux.service");
  expect(add).toBe("ip link add dev inter-lux group 28417 type wireguard");
  expect(rest).toEqual(
    commands({ ...learned, links: [], wg: [], addrs: [], routes4: [], routes6: [], sysctls: {} }).slice(1),
  );
});

test("it is stopped, not deleted, where it goes", () => {
  const { commands: removal } = changes(live(learned, wanted), [], { wireguard: "kernel" });
  expect(removal).toContain("systemctl stop overlay-wireguard-go@inter-lux.service");
  expect(removal.filter((command) => command.includes("ip link delete"))).toEqual([]);
});

test("a wireguard-go that does not answer is left as it is", () => {
  expect(commands({ ...learned, wg: [] }).filter((command) => !command.startsWith("wg set "))).toEqual([]);
});
