/** A server without the tools and a machine at home behind NAT; previews that look at the hosts first. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { leaks, node, on, rememberKeys } from "./network";
import { type Run, Workspace } from "./workspace";

jest.setTimeout(300_000);

/** How the outside sees nas. */
const NAT = "198.51.100.20";
const drifted = ["1420", "1400"].map(
  (mtu, index) =>
    `${"-+"[index]} ip link set dev inter-nas mtu ${mtu} group 28417 addrgenmode none alias overlay:net/prod:lux-nas`,
);

describeWhere(["lab", "engine"], "a node behind NAT", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("home", { name: "dayshome", fresh: true });
    const { host = "", port, hostKey } = lab.json.hosts.nas ?? {};
    const nas = { ...node(lab, "nas"), id: 2, addresses: ["10.255.0.2", "fd00:6f::2"], endpoints: [] };
    work = await Workspace.make(lab, {
      nodes: {
        lux: { ...node(lab, "lux"), packages: "install" },
        nas: { ...nas, connection: { host, port, user: "root", hostKey, connectTimeout: 2 } },
      },
      links: { "lux-nas": { a: "lux", b: "nas" } },
    });
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("dayshome");
  });

  const preview = (): Promise<Run> =>
    work.start(["preview", "--diff", "--expect-no-changes"], { OVERLAY_LIVE: "on" }).ended;
  const changed = ({ text }: Run): string[] =>
    text.split("\n").flatMap((line) => /^\s*([-+] (?:ip|wg|nft|sysctl|systemctl|apt-get) .*)$/.exec(line)?.[1] ?? []);

  test("packages that a host lacks are in the preview, and are installed", async () => {
    await on(lab, "lux", "apt-get -qq remove -y wireguard-tools wireguard-go nftables");
    const { text, code, resources, logins } = await work.run("up", "--yes");
    expect({ code, resources, logins }).toEqual({
      code: 0,
      resources: ["+ 9 created"],
      logins: { lux: 1, [NAT]: 1 },
    });
    for (const name of ["nftables", "wireguard-tools"]) {
      expect(text.split("\nUpdating ")[0]).toContain(`    apt-get install ${name}\n`);
    }
    await on(lab, "lux", "command -v wg && command -v wireguard-go && command -v nft");
    await rememberKeys(lab);
  });

  test("it calls out, is answered, and packets of full size pass its NAT, which loses fragments", async () => {
    for (const [host, to] of [
      ["nas", "10.255.0.1"],
      ["lux", "10.255.0.2"],
      ["lux", "fd00:6f::2"],
    ] as const) {
      await on(lab, host, `ping -q -c 2 -i 0.2 -w 15 ${to}`);
    }
    await on(lab, "lux", "ping -q -c 2 -i 0.2 -w 15 -M do -s 1392 10.255.0.2");
    const seen = (await on(lab, "lux", "wg show inter-nas endpoints")).split("\t")[1];
    expect(seen).toMatch(/^198\.51\.100\.20:\d+\n$/);
    // Where the NAT lets it seem to be is nothing that it was told, and no drift.
    const { code, logins } = await preview();
    expect({ code, logins }).toEqual({ code: 0, logins: { lux: 1, [NAT]: 1 } });
  });

  test("with OVERLAY_LIVE=on a preview shows drift, as code 7; a dead host is a warning, and state speaks for it", async () => {
    await on(lab, "lux", "ip link set dev inter-nas mtu 1400 && apt-get -qq remove -y wireguard-go");
    await lab.break({ kind: "drop", target: "nas" });
    const seen = await preview();
    await lab.heal();
    expect(seen.text.split("\n").filter((line) => line.startsWith("warning: "))).toEqual([
      `warning: root@${NAT}:2222 cannot be reached (ssh: connect to host ${NAT} port 2222: Connection timed out): look whether it is up, the address right, and TCP port 2222 open from here. What state remembers of it is shown instead. [host/unreachable]`,
    ]);
    expect({ code: seen.code, changed: changed(seen) }).toEqual({
      code: 7,
      changed: ["- apt-get install wireguard-tools", ...drifted],
    });
  });

  test("up --refresh finds the drift and mends it", async () => {
    const { done } = await work.up("--refresh");
    expect(done).toEqual(["lux updated 1 command", "lux-nas@lux updated 1 command"]);
    expect(await on(lab, "lux", "cat /sys/class/net/inter-nas/mtu && command -v wireguard-go")).toBe(
      "1420\n/usr/bin/wireguard-go\n",
    );
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
