/** The stack that the demo brings up, against the hosts that it is about. */
import { describeWhere } from "../can";
import { registered } from "../components/declare";
import { Lab } from "../lab";

describeWhere("lab", "stack lab", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "stacks", fresh: true });
    process.env.OVERLAY_LAB = "stacks";
  });
  afterAll(async () => {
    delete process.env.OVERLAY_LAB;
    await Lab.down("stacks");
  });

  test("each of the lab's hosts is linked to each, where the lab has it and with the key that it has", async () => {
    const made = await registered(() => require("../../stacks/lab"));
    const hosts = made.filter(({ type }) => type === "overlay:node:Host");
    expect(hosts.map(({ name }) => name)).toEqual(Object.keys(lab.json.hosts).sort());
    for (const { name, inputs } of hosts) {
      const { host, hostKey } = lab.json.hosts[name] ?? {};
      expect(inputs.connection).toMatchObject({ host, hostKey });
    }
    const sides = made.filter(({ type }) => type === "overlay:wireguard:Interface");
    expect(sides.map(({ inputs: { spec } }) => `${spec.node} calls ${spec.peer.endpoint}`).sort()).toEqual([
      "fra calls 192.0.2.7:11002",
      "fra calls 203.0.113.5:11002",
      "hkg calls 198.51.100.9:11003",
      "hkg calls 203.0.113.5:11003",
      "lux calls 192.0.2.7:11001",
      "lux calls 198.51.100.9:11001",
    ]);
  });
});
