/** What a newcomer sees: `npm run demo`, on a lab of its own. */
import { resolve } from "node:path";
import type { Status } from "../../sdk/cli/status/rows";
import { describeWhere } from "../can";
import { Lab, run } from "../lab";
import { expectGolden } from "../sdk/golden";
import { on } from "./days/network";

const root = resolve(__dirname, "../..");

describeWhere(["lab", "engine"], "the demo", () => {
  afterAll(() => Lab.down("demo"));

  test("builds three links, proves them, finds a drift and repairs it", async () => {
    const { code, stdout } = await run(["env", "-C", root, "OVERLAY_LAB=demo", "sh", "scripts/demo.sh"], {
      timeout: 110_000,
    });
    expect({ code, stdout }).toMatchObject({ code: 0 });
    const lines = stdout.split("\n").map((line) => line.trim());
    const table = lines.filter((line) => /^(lux-fra|fra-hkg|lux-hkg) .* ms .* ms$/.test(line));
    expect(table.map((line) => line.split(/ {2,}/).slice(0, 5))).toEqual([
      ["fra-hkg", "fra to hkg", "inter-hkg", "192.0.2.7:11002", "1420"],
      ["fra-hkg", "hkg to fra", "inter-fra", "198.51.100.9:11003", "1420"],
      ["lux-fra", "lux to fra", "inter-fra", "198.51.100.9:11001", "1420"],
      ["lux-fra", "fra to lux", "inter-lux", "203.0.113.5:11002", "1420"],
      ["lux-hkg", "lux to hkg", "inter-hkg", "192.0.2.7:11001", "1420"],
      ["lux-hkg", "hkg to lux", "inter-lux", "203.0.113.5:11003", "1420"],
    ]);
    expect(lines).toContain("+ 17 created; SSH connections that the hosts saw: 3");
    expect(lines).toContain("17 unchanged; SSH connections that the hosts saw: 0");
    expect(lines.filter((line) => /^[-+] ip /.test(line))).toEqual([
      "- ip link set dev inter-fra mtu 1420 group 28417 addrgenmode none alias overlay:overlay/lab:lux-fra",
      "+ ip link set dev inter-fra mtu 1400 group 28417 addrgenmode none alias overlay:overlay/lab:lux-fra",
    ]);
    expect(lines).toContain("~ 1 updated, 16 unchanged; the MTU of inter-fra on lux is 1420 again");
  });

  test("`overlay status` looks at its three hosts, and sees what somebody changes by hand", async () => {
    await on(Lab.open("demo"), "lux", "ip link set dev inter-hkg mtu 1300");
    const overlay = async (words: string): Promise<string> => {
      const line = `. /run/overlay-lab/demo/demo/env && exec bin/overlay status --stack lab ${words}`;
      const { code, stdout, stderr } = await run(["env", "-C", root, "COLUMNS=60", "sh", "-c", line]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    };
    const { stack, hosts } = JSON.parse(await overlay("--json --measure")) as Status;
    const told = hosts.flatMap(({ name, rows, guards }) =>
      rows.map(({ link, device, peer, state, endpoint, why, mtu }) => {
        const dropped = guards.find((it) => it.device === device)?.packets;
        return [name, link, peer, state, endpoint, why, mtu.declared, mtu.device, mtu.path, dropped].join(" ");
      }),
    );
    // Packets are measured in steps of 16 bytes, to which WireGuard fills them up.
    expect([stack, ...told]).toEqual([
      "overlay/lab",
      "fra fra-hkg hkg up 192.0.2.7:11002 declared 1420 1420 1420 0",
      "fra lux-fra lux up 203.0.113.5:11002 declared 1420 1420 1420 0",
      "hkg fra-hkg fra up 198.51.100.9:11003 declared 1420 1420 1420 0",
      "hkg lux-hkg lux up 203.0.113.5:11003 declared 1420 1420 1296 0",
      "lux lux-fra fra up 198.51.100.9:11001 declared 1420 1420 1420 0",
      "lux lux-hkg hkg up 192.0.2.7:11001 declared 1420 1300 1296 0",
    ]);
    expect(hosts.map(({ drift }) => drift)).toEqual([
      [],
      [],
      ["- ip link set dev inter-hkg mtu 1420", "+ ip link set dev inter-hkg mtu 1300"].map((it) =>
        expect.stringContaining(it),
      ),
    ]);
    const narrow = (await overlay("--host lux")).split("\n");
    expect(narrow.filter((line) => line.length > 60)).toEqual([]);
    expect(narrow).toEqual(
      expect.arrayContaining(["lux  drift: 2 lines", "    + ip link set dev inter-hkg mtu 1300 group 28417"]),
    );
  });

  test("the picture of the README is that of the demo's stack", async () => {
    const { code, stdout, stderr } = await run(["env", "-C", root, "OVERLAY_LAB=demo", "sh", "scripts/picture.sh"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expectGolden(resolve(root, "docs/topology.svg"), stdout);
  });
});
