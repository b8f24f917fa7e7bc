/** Private keys are nowhere but where they belong: looked for in state, messages, processes and files. */
import { readdirSync, readFileSync } from "node:fs";
import { Secret } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { host, KEY, Network, side } from "./network";

jest.setTimeout(120_000);

const read = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // it has ended by now
  }
};

/** Command lines and environments of all that this test has started, and of all that runs on the lab's hosts. */
function processes(lab: string): string {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parents = new Map(all.map((pid) => [pid, /\) \S (\d+)/.exec(read(`/proc/${pid}/stat`))?.[1] ?? ""]));
  const ours = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || ours(parents.get(pid)));
  return all
    .filter((pid) => ours(parents.get(pid)) || read(`/proc/${pid}/cgroup`).includes(`overlay-lab/${lab}/`))
    .flatMap((pid) => [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)])
    .join("\n");
}

describeWhere("lab", "secrets", () => {
  let network: Network;
  let identity: string;

  beforeAll(async () => {
    const lab = await Lab.up("lab", { name: "secret", fresh: true });
    identity = readFileSync(lab.json.identity, "utf8");
    const config = { identities: new Secret(JSON.stringify([identity])) };
    network = await Network.open(lab, { config, plugin: {} });
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("secret");
  });

  test("no key is in state, in what is said, in a process or in a file of the tool's, while everything is done", async () => {
    let seen = "";
    let watching = true;
    const watch = (async () => {
      while (watching) {
        seen += processes("secret");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const { engine } = network;
    const { a, b } = await network.link("lux", "fra");
    await network.on("lux", "wg genkey >/tmp/other && wg set inter-fra private-key /tmp/other");
    seen += JSON.stringify(await engine.refresh(a));
    await engine.up(a);
    await network.on("fra", `chattr +i ${KEY} && mv /usr/sbin/nft /usr/sbin/away`);
    const third = side(network.lab, "fra", "hkg", {
      fra: network.outputs("fra").fra ?? {},
      hkg: network.outputs("lux").lux ?? {},
    });
    seen += await engine.up(third).catch((error) => `${error.stack} ${error.reasons}`);
    await network.on("fra", `chattr -i ${KEY} && mv /usr/sbin/away /usr/sbin/nft`);
    watching = false;
    await watch;

    const keys = await Promise.all(["lux", "fra"].map(async (node) => (await network.on(node, `cat ${KEY}`)).trim()));
    keys.push((await network.on("lux", "cat /tmp/other")).trim());
    const state = JSON.stringify([...engine.state]);
    const files = await Promise.all(
      ["lux", "fra"].map((node) =>
        network.on(
          node,
          `journalctl --no-pager; find /etc/overlay /usr/local/lib/overlay /run/overlay /etc/systemd -type f ! -path ${KEY} -exec cat {} +`,
        ),
      ),
    );
    const everywhere = [seen, state, JSON.stringify(engine.log), ...files].join("\n");
    // What is looked through holds the environment of processes: whatever fails, it is not for printing.
    expect(["ssh_config", "wireguard-go", "provider/main.js"].filter((word) => !seen.includes(word))).toEqual([]);
    expect(keys.every((key) => /^[A-Za-z0-9+/]{43}=$/.test(key))).toBe(true);
    for (const key of keys) expect(everywhere.includes(key)).toBe(false);
    for (const line of identity.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"))) {
      expect(everywhere.includes(line)).toBe(false);
    }

    for (const one of [third, a, b, host(network.lab, "lux"), host(network.lab, "fra")]) await engine.destroy(one);
    await network.on("lux", `! ls ${KEY}`);
  });
});
