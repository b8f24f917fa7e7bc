/** Keys of Rosenpass on hosts: what the daemon, the reader beside it and the lines of a change do without Pulumi. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { put } from "../../../sdk/kernel";
import { pingedMeanwhile } from "../../bench/pings";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { pause } from "../../lab/run";
import { BINARY, kill, Pair } from "./rosenpass";

jest.setTimeout(180_000);

describeWhere(["lab", "rosenpass"], "Rosenpass between two servers", () => {
  let pair: Pair;
  beforeAll(async () => {
    const lab = await Lab.up("lab", { name: "rosenservers", fresh: true });
    const of = (host: string) => lab.json.hosts[host]?.addresses ?? [];
    pair = await Pair.make(lab, [
      { host: "lux", id: 1, calledAt: of("lux") },
      { host: "fra", id: 2, calledAt: of("fra") },
    ]);
  });
  afterAll(() => Lab.down("rosenservers"));

  const psk = (host: string) =>
    pair.on(host, `wg show ${pair.device(host)} preshared-keys`).then((text) => text.trim().split("\t")[1]);
  const pinged = (work: () => Promise<unknown>) =>
    pingedMeanwhile(pair.lab, work, [{ from: "lux", address: pair.address("fra") }]);

  test("turned on on a live link, both have the key of one exchange at once, and lose nothing", async () => {
    let took = 0;
    const { lost } = await pinged(async () => {
      await pair.turn("permissive");
      took = await pair.within(2, "both have one key", () => pair.agree());
    });
    expect(lost).toBe(0);
    expect(took).toBeLessThan(2);
    expect(await pair.report("lux")).toEqual({
      exchanged: expect.stringMatching(/^\d$/),
      psk: expect.stringMatching(/^[0-9a-f]{64}$/),
      handshake: expect.stringMatching(/^\d+$/),
      endpoint: expect.stringMatching(/:12001$/),
      restarts: "0",
      fresh: "yes",
    });
  });

  test("the key is root's alone, and in no argument, environment or journal", async () => {
    for (const host of ["lux", "fra"]) {
      expect(await pair.on(host, `cd ${pair.keep} && stat -c '%a %n' . key psk config.toml`)).toBe(
        "700 .\n600 key\n600 psk\n600 config.toml\n",
      );
      expect(await pair.on(host, "cd /etc/overlay/keys && stat -c '%a %s %n' rosenpass.*")).toBe(
        "600 524160 rosenpass.public\n600 13568 rosenpass.secret\n",
      );
      expect(await pair.on(host, "stat -c %a /var/lib/overlay/rosenpass /var/lib/overlay/rosenpass/lux-fra")).toBe(
        "700\n600\n",
      );
      const seen = `grep -s -l -a -F -f ${pair.keep}/psk /proc/[0-9]*/cmdline /proc/[0-9]*/environ;
        journalctl -q --no-pager | grep -F -f ${pair.keep}/psk`;
      expect(await pair.on(host, `{ ${seen}; } || :`)).toBe("");
    }
  });

  test("its sandbox lets it write what is ours alone", async () => {
    const folders =
      "/run /run/overlay /run/systemd /var/lib /var/lib/overlay /etc/overlay /usr/local/lib/overlay /root";
    const inside = `for folder in ${folders}; do ! touch "$folder/probe" || { echo "$folder" && rm "$folder/probe"; }; done 2>/dev/null`;
    const pid = `$(systemctl show -p MainPID --value ${pair.unit})`;
    expect(await pair.on("lux", `nsenter -t ${pid} -m sh -c '${inside}'`)).toBe("/run/overlay\n/var/lib/overlay\n");
  });

  test("permissive to strict and back, off and on: nothing is lost, and the key stays as long as it is good", async () => {
    const { lost } = await pinged(async () => {
      await pair.renewed(8, "both have a new key when strict", () => pair.turn("strict"));
      await pair.renewed(8, "both have a new key when permissive", () => pair.turn("permissive"));
      await pair.off();
      expect(await pair.both(({ host }) => psk(host))).toEqual(["(none)", "(none)"]);
      expect(await pair.on("lux", `ls -d ${pair.keep} /var/lib/overlay/rosenpass/lux-fra 2>/dev/null || :`)).toBe("");
      await pair.turn("permissive");
      await pair.within(5, "both have one key again", () => pair.agree());
    });
    expect(lost).toBe(0);
  });

  test("strict from the start: nothing passes before the first key, and then at once", async () => {
    await pair.off();
    expect(await pair.ping("lux")).toBe(true);
    await pair.both(({ host }) => pair.carryOut(host, pair.psk(host, "strict")));
    expect(await pair.ping("lux", 2)).toBe(false);
    const keys = await pair.both(({ host }) => psk(host));
    expect(new Set(keys).size).toBe(2);
    await pair.turn("strict");
    await pair.within(5, "what goes by the link is protected", () => pair.passes("lux"));
  });

  test("first calls that cross leave each end with another key: one calls once more, and what goes by the link is protected", async () => {
    await pair.off();
    const relay = pair.lab.json.hosts.hkg?.addresses[0];
    const ends = ["lux:12002", "fra:12001"].map((end) => {
      const [host = "", port] = end.split(":");
      return `${pair.lab.json.hosts[host]?.addresses[0]}:${port}`;
    });
    const crossing = readFileSync(join(__dirname, "crossing.pl"));
    await pair.on("hkg", `echo ${crossing.toString("base64")} | base64 -d >/tmp/crossing.pl`);
    await pair.on("hkg", `systemd-run --quiet --unit crossing perl /tmp/crossing.pl ${ends.join(" ")}`);
    await pair.both((end) => {
      const conf = pair.conf(end, "strict").replaceAll(/^endpoint .*:(\d+)$/gm, `endpoint ${relay}:$1`);
      return pair.carryOut(
        end.host,
        pair.psk(end.host, "strict"),
        put(`/etc/overlay/rosenpass/${pair.name}.conf`, conf, "0600"),
        `systemctl start ${pair.unit}`,
      );
    });
    const crossed = async () => /crossed/.test(await pair.on("hkg", "journalctl -q -u crossing"));
    await pair.within(15, "their calls have crossed", crossed);
    const took = await pair.within(10, "what goes by the link is protected", () => pair.passes("lux"));
    expect(took).toBeLessThan(10);
    await pair.on("hkg", "systemctl stop crossing");
    await pair.renewed(15, "both call each other directly", () => pair.turn("strict"));
  });

  test("a key that the daemon calls stale: strict has one that nobody has, permissive the one that it had", async () => {
    const stale = (host: string) => pair.on(host, `echo 'output-key peer P key-file "F" stale' >${pair.keep}/lines`);
    const before = await psk("lux");
    await stale("lux");
    await pair.within(3, "lux has another key", async () => (await psk("lux")) !== before);
    expect(await psk("fra")).toBe(before);
    await pair.renewed(8, "both have one key", () => pair.turn("permissive"));
    const kept = await psk("lux");
    await stale("lux");
    await pause(1000);
    expect(await psk("lux")).toBe(kept);
  });

  test("daemons that are killed or frozen, and a reader that is killed: both ends have one key again, nothing is lost", async () => {
    const { lost } = await pinged(async () => {
      await pair.renewed(15, "after a kill", () => kill(pair, "fra", "KILL"));
      await pair.renewed(25, "after a freeze", async () => {
        await kill(pair, "lux", "STOP");
        await pair.look("lux");
      });
      // Of the two shells the one that waits for no other. The next exchange is the next line of its daemon.
      await pair.on("lux", `kill -KILL $(pgrep -o -f '^/bin/sh .*/rosenpass.sh ${pair.name}')`);
      await pair.renewed(20, "after its reader was killed", () => kill(pair, "fra", "TERM"));
    });
    expect(lost).toBe(0);
    expect(await pair.on("lux", `systemctl is-active ${pair.unit}`)).toBe("active\n");
  });

  test("a peer that is not there is not made, and has the last key as soon as it is there again", async () => {
    const device = pair.device("lux");
    const before = await psk("fra");
    const line = pair.link(pair.end("lux"));
    await pair.on("lux", `wg set ${device} peer ${pair.peer("lux")} remove`);
    await kill(pair, "fra", "TERM");
    await pair.within(15, "an exchange", async () => (await psk("fra")) !== before);
    expect(await pair.on("lux", `wg show ${device} peers`)).toBe("");
    expect(await pair.report("lux")).toMatchObject({ trouble: `${device} has no peer ${pair.peer("lux")}` });
    await pair.bring(
      "lux",
      line.filter(({ kind }) => kind === "wgPeer"),
      "50-inter-fra.peer",
    );
    await pair.on("lux", "rm /etc/overlay/boot.d/50-inter-fra.peer");
    expect(await psk("lux")).toBe(await psk("fra"));
    await pair.look("lux");
    await pair.within(3, "it complains no more", async () => !("trouble" in (await pair.report("lux"))));
    expect(await pair.ping("lux")).toBe(true);
  });

  test("wireguard-go that starts anew has the key before the first handshake", async () => {
    await pair.renewed(8, "both have one key", () => pair.turn("strict"));
    await pair.on("lux", `systemctl restart overlay-wireguard-go@${pair.device("lux")}`);
    expect(await psk("lux")).toBe(await psk("fra"));
    expect(await pair.ping("lux", 20)).toBe(true);
  });

  test("a host that boots is closed until the first key, which comes by itself", async () => {
    await pair.lab.reboot("fra");
    expect(await psk("fra")).not.toBe("(none)");
    const took = await pair.within(20, "what goes by the link is protected", () => pair.passes("lux"));
    expect(took).toBeLessThan(20);
  });

  test("a daemon follows WireGuard to another of its endpoints when that has held for 20 s", async () => {
    await pair.renewed(8, "both have one key", () => pair.turn("permissive"));
    const [, v6] = pair.lab.json.hosts.fra?.addresses ?? [];
    const calls = async () => (await pair.report("lux")).endpoint;
    expect(await calls()).not.toBe(`[${v6}]:12001`);
    await pair.on("lux", `wg set ${pair.device("lux")} peer ${pair.peer("lux")} endpoint '[${v6}]:11001'`);
    await pair.on("lux", "echo 'as choose.sh tells of it' >/run/overlay/choice");
    await pair.look("lux");
    expect(await pair.ping("lux")).toBe(true);
    const took = await pair.within(45, "it calls there", async () => (await calls()) === `[${v6}]:12001`);
    expect(took).toBeGreaterThan(15);
    await pair.on("lux", "rm /run/overlay/choice");
    await pair.within(8, "both have one key", () => pair.agree(4));
    expect(await pair.ping("lux")).toBe(true);
  });

  test("packets of Rosenpass are of 1,280 bytes at most, by the underlay alone", async () => {
    const capture = (device: string, file: string, filter: string) =>
      `timeout 15 tcpdump -i ${device} -w /tmp/${file} -U '${filter}' 2>/dev/null & `;
    const ports = "udp and (port 12001 or port 12002)";
    const captured = pair.on(
      "lux",
      `${capture("eth0", "outside", ports)}${capture(pair.device("lux"), "inside", ports)} wait`,
    );
    await pause(1500);
    await pair.renewed(15, "an exchange", () => kill(pair, "fra", "TERM"));
    await captured;
    const lengths = (await pair.on("lux", "tcpdump -v -n -r /tmp/outside 2>/dev/null"))
      .split("\n")
      .flatMap(
        (line) => /, length (\d+)\)$|payload length: (\d+)/.exec(line)?.slice(1).filter(Boolean).map(Number) ?? [],
      );
    expect(lengths.length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1280);
    expect(await pair.on("lux", "tcpdump -n -r /tmp/inside 2>/dev/null")).toBe("");
  });

  test("a key pair that is there stays; one of another size, or half of one, is nothing to go on with", async () => {
    const pairs = "/etc/overlay/keys/rosenpass";
    const hash = () => pair.on("lux", `cat ${pairs}.secret ${pairs}.public | sha256sum`);
    const before = await hash();
    await pair.carryOut("lux", `keypair ${BINARY}`);
    expect(await hash()).toBe(before);
    await pair.on("lux", `cp -p ${pairs}.public /root; head -c 1000 /dev/zero >${pairs}.public`);
    const another = `${pairs}.public has 1000 bytes, and not 524160: a key of another version of Rosenpass, or not all of it`;
    await expect(pair.carryOut("lux", `keypair ${BINARY}`)).rejects.toThrow(`lux: keypair ${BINARY}: ${another}`);
    await pair.on("lux", `rm ${pairs}.public`);
    await expect(pair.carryOut("lux", `keypair ${BINARY}`)).rejects.toThrow("rosenpass.public has no bytes");
    await pair.on("lux", `mv /root/rosenpass.public ${pairs}.public`);
    expect(await hash()).toBe(before);
  });

  test("what keeps a daemon from starting is told", async () => {
    await pair.on(
      "lux",
      `systemctl stop ${pair.unit}; mv /etc/overlay/rosenpass/lux-fra.peer /root; systemctl start ${pair.unit}`,
    );
    const trouble = async () => (await pair.report("lux")).trouble ?? "";
    await pair.within(8, "it says so", async () => /lux-fra\.peer has no bytes, and not 524160/.test(await trouble()));
    await pair.on("lux", `systemctl stop ${pair.unit}; mv /root/lux-fra.peer /etc/overlay/rosenpass`);
    const taken = `use Socket; socket(S, PF_INET, SOCK_DGRAM, 17); bind(S, sockaddr_in(12002, INADDR_ANY)); sleep 99`;
    await pair.on(
      "lux",
      `systemd-run --quiet --unit taken perl -e '${taken}'; sleep 0.5; systemctl start ${pair.unit}`,
    );
    await pair.within(8, "it says so", async () => /^UDP port 12002 is somebody else's/.test(await trouble()));
    await pair.on("lux", "systemctl stop taken");
    await pair.within(12, "both have one key", () => pair.agree(8));
    expect(await trouble()).toBe("");
  });
});
