/** Hosts with a kernel of their own: all that a lab does with a host, and what only such a one can. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describeWhere } from "../can";
import { Lab, run } from ".";
import { SOURCES } from "./files";
import { pause, until } from "./run";
import { traces } from "./traces";

jest.setTimeout(180_000);

const LUX = "203.0.113.5";
const LUX6 = "2001:db8:1::5";
const FRA = "198.51.100.9";
const FRA6 = "2001:db8:2::9";
const HKG = "192.0.2.7";
const HKG6 = "2001:db8:3::7";

type Times = "least" | "mean" | "greatest";

/** The demo's hosts; one network of less than 1500 bytes, to see that it arrives. */
const TOPOLOGY = `
segments:
  lux: { prefixes: [203.0.113.0/24, "2001:db8:1::/64"], mtu: 1492 }
  fra: { prefixes: [198.51.100.0/24, "2001:db8:2::/64"] }
  hkg: { prefixes: [192.0.2.0/24, "2001:db8:3::/64"] }
hosts:
  lux: { kind: vm, segment: lux, addresses: [${LUX}, "${LUX6}"] }
  fra: { kind: vm, segment: fra, addresses: [${FRA}, "${FRA6}"] }
  hkg: { segment: hkg, addresses: [${HKG}, "${HKG6}"] }
`;

/** One vm, and containers. */
const SMALL = TOPOLOGY.replace("fra: { kind: vm, ", "fra: { ");

describeWhere(["lab", "vm"], "hosts with a kernel of their own", () => {
  let lab: Lab;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "overlay-vm-"));
    writeFileSync(join(folder, "vm.yaml"), TOPOLOGY);
    writeFileSync(join(folder, "small.yaml"), SMALL);
    lab = await Lab.up(join(folder, "vm.yaml"), { name: "tvm", fresh: true });
  });
  afterAll(async () => {
    await Promise.all(["tvm", "tvmcrash"].map((name) => Lab.down(name)));
    rmSync(folder, { recursive: true });
  });
  afterEach(() => lab.heal());

  const out = async (host: string, command: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.exec(host, command);
    if (code !== 0) throw new Error(`${host}: ${command}: exit code ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  };

  /** Percent of the pings that came back, and their least, mean and greatest time in milliseconds. */
  async function ping(from: string, to: string, options = "-c2 -i 0.2"): Promise<Record<"arrived" | Times, number>> {
    const { stdout } = await lab.exec(from, `ping -q -W2 ${options} ${to}`);
    const [, least, mean, greatest] = (/= ([\d.]+)\/([\d.]+)\/([\d.]+)\//.exec(stdout) ?? []).map(Number);
    return {
      arrived: 100 - Number(/(\d+(?:\.\d+)?)% packet loss/.exec(stdout)?.[1]),
      least: least ?? Number.NaN,
      mean: mean ?? Number.NaN,
      greatest: greatest ?? Number.NaN,
    };
  }

  /** Waits until a ping comes back. */
  async function reaches(from: string, to: string): Promise<void> {
    expect([from, to, await until(15_000, async () => (await ping(from, to, "-c1")).arrived === 100)]).toEqual([
      from,
      to,
      true,
    ]);
  }

  test("are up, each reaches each in both families, and the MTU is the segment's", async () => {
    const states = (await lab.status()).map(({ host, state }) => `${host} ${state}`);
    expect(states).toEqual(["lux running", "fra running", "hkg running"]);
    const ways: [string, string][] = [
      ["lux", FRA],
      ["lux", FRA6],
      ["lux", HKG],
      ["lux", HKG6],
      ["fra", LUX],
      ["fra", LUX6],
      ["hkg", LUX],
      ["hkg", FRA6],
    ];
    await Promise.all(ways.map(([from, to]) => reaches(from, to)));
    expect(await out("lux", "cat /sys/class/net/eth0/mtu")).toBe("1492");
    expect(await out("fra", "cat /sys/class/net/eth0/mtu")).toBe("1500");
    // Nothing of the lab's own way in.
    expect(await out("lux", "ls /sys/class/net; ip netns list")).toBe("eth0\nlo");
    expect(await out("lux", "uname -r")).not.toBe(await out("hkg", "uname -r"));
  });

  test("the operator logs in with the keys of lab.json", async () => {
    for (const host of ["lux", "fra"]) {
      const { code, stdout, stderr } = await run([...lab.ssh(host), "hostname; cat /etc/machine-id"]);
      expect([code, stdout, stderr]).toEqual([0, `${host}\n${lab.json.hosts[host]?.machine}\n`, ""]);
    }
  });

  test("exec: arguments as they are, exit code, both streams, standard input, a login's environment", async () => {
    const words = ["it's", "$HOME `id` \\", "", "two\nlines", '"; exit 3 #', "a  b"];
    const { stdout } = await lab.exec("lux", ["printf", "<%s>", ...words]);
    expect(stdout).toBe(words.map((one) => `<${one}>`).join(""));
    expect(await lab.exec("lux", "cat; echo bad >&2; pwd; exit 7", { input: "in\n" })).toEqual({
      code: 7,
      stdout: "in\n/root\n",
      stderr: "bad\n",
    });
    expect(await out("lux", "env | sort | grep -v -e ^PWD= -e ^_= -e ^TERM= -e ^SHLVL=")).toBe(
      "HOME=/root\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    const large = "0123456789abcde\n".repeat(65_536);
    expect((await lab.exec("fra", "sha256sum", { input: large })).stdout).toBe(
      (await run(["sha256sum"], { input: large })).stdout,
    );
  });

  test("exec: what a command writes comes while it runs", async () => {
    const [command = "", ...args] = lab.enter("lux");
    const child = spawn(command, [...args, "sh", "-c", "echo one; read line; echo $line"]);
    const next = () => new Promise<string>((done) => child.stdout.once("data", (chunk: Buffer) => done(String(chunk))));
    expect(await next()).toBe("one\n");
    const answer = next();
    child.stdin.end("two\n");
    expect(await answer).toBe("two\n");
  });

  test("exec works whatever the network does", async () => {
    await lab.exec(
      "lux",
      "ip link set eth0 down; nft add table inet t; nft add chain inet t i '{ type filter hook input priority 0; policy drop; }'",
    );
    expect(await out("lux", "ip -br link show eth0")).toContain("DOWN");
    await lab.exec("lux", "nft flush ruleset; systemctl restart systemd-networkd");
    await reaches("lux", FRA6);
  });

  test("has what the machine's own kernel may lack: WireGuard and its kin, netem, nft with NAT", async () => {
    await out("lux", "modprobe wireguard && ip link add wg0 type wireguard && ip link delete wg0");
    for (const device of [
      "dummy",
      "vrf table 10",
      "geneve id 1 remote 192.0.2.7",
      "vxlan id 1 dstport 4789",
      "macsec link eth0",
    ]) {
      // `macsec link` is what it stands on.
      const [kind = "", ...rest] = device.split(" ");
      const words = kind === "macsec" ? `link eth0 d0 type macsec` : `d0 type ${kind} ${rest.join(" ")}`;
      await out("lux", `ip link add ${words} && ip link delete d0`);
    }
    await out("lux", "modprobe esp4 && modprobe esp6 && ip xfrm state");
    await out(
      "lux",
      `nft -f - <<'END'
table inet t {
  chain n { type nat hook postrouting priority 100; oifname "eth9" masquerade; }
  chain f { type filter hook forward priority 0; ct state established accept; limit rate 1/second counter; reject; }
}
delete table inet t
END`,
    );
  });

  test("netem: delay and loss of what a vm sends, until healed; then all is as before", async () => {
    const qdiscs = await out("fra", "tc qdisc show dev eth0");
    await lab.break({ kind: "netem", target: "segment/fra", words: "delay 150ms 5ms" });
    expect((await ping("lux", FRA)).mean).toBeGreaterThan(140);
    expect((await ping("lux", HKG)).mean).toBeLessThan(140);
    await lab.break({ kind: "netem", target: "segment/fra", words: "loss 30% rate 100mbit" });
    // Else the router would first have to find fra, whose answers get lost, too.
    await reaches("hkg", FRA);
    // 70 % of 300 pings, and 7 standard deviations to either side.
    const { arrived } = await ping("hkg", FRA, "-c300 -i 0.01");
    expect(arrived).toBeGreaterThan(50);
    expect(arrived).toBeLessThan(90);
    expect((await lab.status())[1]?.broken).toEqual(["netem segment/fra loss 30% rate 100mbit"]);
    await lab.heal("netem", "segment/fra");
    expect(await out("fra", "tc qdisc show dev eth0")).toBe(qdiscs);
    expect((await ping("lux", FRA)).mean).toBeLessThan(140);
  });

  test("netem: reordering, rate and jitter, each without what was before", async () => {
    // Without jitter, which alone would reorder: a quarter of the answers is sent at once and overtakes those that wait.
    await lab.break({ kind: "netem", target: "segment/fra", words: "delay 100ms reorder 25%" });
    await reaches("hkg", FRA);
    const answers = await out("hkg", `ping -c 100 -i 0.01 -W 2 ${FRA}`);
    const order = [...answers.matchAll(/icmp_seq=(\d+) /g)].map(([, number]) => Number(number));
    expect(order).toHaveLength(100);
    expect(order.toSorted((a, b) => a - b)).not.toEqual(order);
    const waited = [...answers.matchAll(/time=([\d.]+) /g)].filter(([, time]) => Number(time) > 95);
    expect(waited.length).toBeGreaterThan(50);
    // 1,442 bytes are 46 ms at 250 kbit/s.
    await lab.break({ kind: "netem", target: "segment/fra", words: "rate 250kbit" });
    const { least } = await ping("hkg", FRA, "-c5 -i 0.2 -s 1400");
    expect([least > 40, least < 90, least]).toEqual([true, true, least]);
    // 30 to 70 ms.
    await lab.break({ kind: "netem", target: "segment/fra", words: "delay 50ms 20ms" });
    expect(await out("fra", "tc qdisc show dev eth0")).not.toContain("rate");
    const jitter = await ping("hkg", FRA, "-c20 -i 0.1");
    expect(jitter.greatest - jitter.least).toBeGreaterThan(10);
    expect(jitter.least).toBeLessThan(50);
  });

  test.each([
    ["hkg", "delay 1ms", "hkg is a container; the vms of this lab: lux, fra"],
    ["segment/hkg", "delay 1ms", "hkg is a container"],
    ["nowhere", "delay 1ms", "neither a host nor a segment"],
    ["lux", "delay 40", 'found "40", legal is delay TIME'],
    ["lux", "delay 1ms; reboot", 'found "1ms;"'],
    ["lux", "lag 1ms", 'found "lag"'],
    ["lux", "reorder 25%", "with a delay"],
  ])("netem %s %s is refused", async (target, words, message) => {
    await expect(lab.break({ kind: "netem", target, words })).rejects.toThrow(message);
    expect(lab.breaks).toEqual([]);
  });

  test("drop, link and loss, as with containers", async () => {
    await lab.break({ kind: "drop", target: "lux" });
    expect([(await ping("fra", LUX, "-c1")).arrived, (await ping("fra", HKG, "-c1")).arrived]).toEqual([0, 100]);
    await lab.heal("drop");
    await lab.break({ kind: "loss", target: "lux", percent: 100 });
    expect((await ping("lux", FRA, "-c1")).arrived).toBe(0);
    await lab.heal("loss");
    await lab.break({ kind: "link", target: "lux" });
    expect(await out("lux", "cat /sys/class/net/eth0/carrier")).toBe("0");
    await lab.heal("link");
    expect(await out("lux", "cat /sys/class/net/eth0/carrier")).toBe("1");
    await reaches("lux", FRA);
  });

  test("reboot: another boot of the same machine; a cable that is out stays out, and what delays it stays", async () => {
    const boot = () => out("lux", "cat /proc/sys/kernel/random/boot_id");
    const before = await boot();
    await lab.exec("lux", "echo kept >/root/kept; ip link add d0 type dummy");
    await lab.break({ kind: "link", target: "lux" });
    await lab.break({ kind: "netem", target: "segment/lux", words: "delay 150ms 5ms" });
    await lab.reboot("lux");
    expect(await boot()).not.toBe(before);
    expect(await out("lux", "cat /root/kept /sys/class/net/eth0/carrier; ls /sys/class/net")).toBe("kept\n0\neth0\nlo");
    await lab.heal("link");
    await reaches("hkg", LUX6);
    expect((await ping("hkg", LUX6)).mean).toBeGreaterThan(140);
    expect(await out("lux", "cat /etc/machine-id")).toBe(lab.json.hosts.lux?.machine);
  });

  test("power cut: what was synced is there, what was not is lost", async () => {
    await out("fra", "echo synced >/root/synced && sync /root/synced && echo lost >/root/lost");
    await lab.powerOff("fra");
    expect((await lab.status())[1]).toMatchObject({ state: "off", broken: ["power fra"] });
    expect(() => lab.exec("fra", "true")).toThrow("fra of lab tvm is off");
    await lab.start("fra");
    expect((await lab.status())[1]).toMatchObject({ state: "running", broken: [] });
    const { stdout } = await run([
      ...lab.ssh("fra"),
      "cat /root/synced; cat /root/lost 2>/dev/null; cat /etc/machine-id",
    ]);
    expect(stdout).toBe(`synced\n${lab.json.hosts.fra?.machine}\n`);
  });

  test("one that does not answer shows its console; rebuilt, it is another machine at the same addresses", async () => {
    const before = lab.json.hosts.fra;
    await lab.exec(
      "fra",
      "printf '#!/bin/sh\\necho I have lost my way; sleep 1000\\n' >/lab/init; sync; systemctl poweroff",
    );
    expect(await until(30_000, async () => (await lab.status())[1]?.state === "off")).toBe(true);
    await expect(lab.start("fra", 12_000)).rejects.toThrow(
      /fra of lab tvm lacks an answer from inside after 12 s.*I have lost my way/s,
    );
    await lab.rebuild("fra");
    const after = lab.json.hosts.fra;
    expect([after?.machine === before?.machine, after?.hostKey === before?.hostKey]).toEqual([false, false]);
    const { code, stdout } = await run([...lab.ssh("fra"), "ls /root; cat /etc/machine-id"]);
    expect([code, stdout]).toEqual([0, `${after?.machine}\n`]);
  });

  test("killed while it is up or half-way, a lab leaves nothing that down does not find", async () => {
    const main = resolve(SOURCES, "../../dist/test/lab/main.js");
    for (const after of [2500, undefined]) {
      const maker = spawn(process.execPath, [main, "up", join(folder, "small.yaml"), "--name", "tvmcrash"], {
        stdio: "ignore",
      });
      const ended = new Promise((done) => maker.on("exit", done));
      if (after === undefined) {
        await until(60_000, () => existsSync("/run/overlay-lab/tvmcrash/hosts/lux/exec"));
      } else await pause(after);
      maker.kill("SIGKILL");
      await ended;
      await Lab.down("tvmcrash");
      expect(await traces("tvmcrash")).toEqual([]);
    }
  });
});
