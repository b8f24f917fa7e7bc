/** What a preview tells of a device that is taken over, and that it asks no host about any other. */
import { HostError } from "../../../sdk/host";
import { takeover } from "../../../sdk/provider/adopt";
import { check } from "../../../sdk/provider/inputs";
import type { Operation } from "../../../sdk/provider/lifecycle";
import type { Machine } from "../../../sdk/provider/machine";
import { type ResourceType, resourceType } from "../../../sdk/provider/registry";
import type { Values } from "../../../sdk/provider/wire";
import { byHand, PEER } from "./by-hand";
import { ModelMachine } from "./model-machine";

const INTERFACE = "overlay:wireguard:Interface";

const own = { node: "fra", owner: "net/prod", device: "wg0" };
const specs: Record<string, Values> = {
  "overlay:wireguard:Interface": {
    ...{ ...own, link: "lux-fra", id: 2, mtu: 1420, listenPort: 51820, key: "adopted" },
    peer: { name: "lux", id: 1, publicKey: PEER },
  },
  "overlay:wireguard:Key": { ...own, label: "adopted" },
};

const adopting = (token: string): Values => (token === "overlay:wireguard:Key" ? { adopt: true } : { adopts: ["wg0"] });

function inputs(token: string, more: Values): Values {
  const spec = { ...specs[token], ...more };
  const checked = check(resourceType(token) as ResourceType, { connection: { host: "fra.example" }, spec }, "it");
  if ("faults" in checked) throw new Error("the test's own spec has faults");
  return checked.inputs;
}

/** `asked`: how often the machine was looked at. */
async function preview(token: string, machine: Machine, news: Values, before?: Values) {
  const type = resourceType(token) as ResourceType;
  let asked = 0;
  const operation = () => {
    asked++;
    return { type, machine } as Operation;
  };
  return { ...(await takeover(type, operation, news, before)), asked };
}

test.each(Object.keys(specs))("%s: the steps that take it over, once", async (token) => {
  const news = inputs(token, adopting(token));
  const { told, known, asked } = await preview(token, byHand(), news);
  expect(told[0]).toBe("wg0 of root@model is taken over as it is, by these steps:");
  expect(asked).toBe(1);
  const isKey = token === "overlay:wireguard:Key";
  expect(told).toContain(isKey ? "keepkey /etc/overlay/keys/wg0.adopted.key wg0" : "retire /etc/wireguard/wg0.conf");
  // Whose peer it is is told its public key before there is a file of ours.
  expect(known).toEqual(isKey ? { publicKey: expect.stringMatching(/^[\w+/]{43}=$/) } : {});
  expect(await preview(token, byHand(), news, news)).toEqual({ told: [], known: {}, asked: 0 });
  expect(await preview(token, byHand(), inputs(token, {}))).toEqual({ told: [], known: {}, asked: 0 });
});

test("of the routes by it, which go at once, which at the next boot, and which stay because they are declared", async () => {
  const token = "overlay:wireguard:Interface";
  const machine = byHand();
  const { look } = machine;
  const route = { dev: "wg0", type: "unicast", table: "main", protocol: "boot" };
  machine.look = async (...args) => {
    const seen = await look.apply(machine, args);
    const more = [
      { ...route, dst: "10.255.0.0/24", protocol: "kernel", prefsrc: "10.255.0.2" },
      ...["192.168.7.0/24", "192.168.70.0/24", "10.255.0.1", "10.255.0.10"].map((dst) => ({ ...route, dst })),
    ];
    return { ...seen, routes4: [...seen.routes4, ...more], routes6: [...seen.routes6, { ...route, dst: "default" }] };
  };
  const said = async (routes: string[]) => {
    const addresses = { addresses: ["10.255.0.2", "fd00:6f::2"] };
    const peer = { name: "lux", id: 1, publicKey: PEER, addresses: ["10.255.0.1"], routes };
    const { told } = await preview(token, machine, inputs(token, { ...adopting(token), ...addresses, peer }));
    return told.filter((line) => /^(At once|Until)/.test(line));
  };
  const cure = "Name in `routes` of the link what is needed of them.";
  expect(await said([])).toEqual([
    `At once: the routes to 10.255.0.0/24 go, which came with the prefix lengths of the addresses. ${cure}`,
    `Until the next boot only: the routes to 192.168.7.0/24, 192.168.70.0/24, 10.255.0.10/32, ::/0. ${cure}`,
  ]);
  expect(await said(["192.168.7.0/24", "10.255.0.0/24", "::/0"])).toEqual([
    `Until the next boot only: the routes to 192.168.70.0/24. ${cure}`,
  ]);
});

test("no such device, one that may not be had, and a host that does not answer", async () => {
  const token = INTERFACE;
  const news = inputs(token, adopting(token));
  const said = async (machine: Machine) => (await preview(token, machine, news)).told.join("\n");
  expect(await said(new ModelMachine())).toBe("root@model has no wg0 to take over: a new one is made.");
  const crowded = byHand();
  crowded.model.run(["wg set wg0 peer Al8FNScSowRXLvqnUgci3oxTQKBOsCTHqtRJkw3P82s= allowed-ips 10.255.0.3/32"]);
  expect(await said(crowded)).toContain("a device with one peer, and wg0 has 2");
  const dead = new ModelMachine();
  dead.look = () => Promise.reject(new HostError("unreachable", "root@model cannot be reached."));
  expect(await said(dead)).toBe(
    "What of wg0 is taken over is not known before `up`: root@model cannot be reached. [host/unreachable]",
  );
});

test("what else wg-quick did is told by its name; and that the run's own SSH goes by the device", async () => {
  const machine = byHand();
  const look = machine.look.bind(machine);
  const asked: string[] = [];
  const ssh = { client: "10.255.0.1", server: "10.255.0.2", device: "wg0" };
  Object.assign(machine, {
    look: async (queries: string[]) => {
      asked.push(...queries);
      return { ...(await look()), ssh, quick: { wg0: ["PostUp", "DNS"] } };
    },
  });
  const { told } = await preview(INTERFACE, machine, inputs(INTERFACE, adopting(INTERFACE)));
  expect(asked).toContain("quick wg0");
  expect(told).toContainEqual(
    expect.stringMatching(/ wg0.* may carry this run's own SSH to root@model: the change is taken back after 15 s/),
  );
  expect(told).toContainEqual(expect.stringMatching(/what PostUp, DNS of \/etc\/wireguard\/wg0\.conf did/));
  const quiet = await preview(INTERFACE, byHand(), inputs(INTERFACE, adopting(INTERFACE)));
  expect(quiet.told.join("\n")).not.toMatch(/SSH|wg0\.conf did/);
});
