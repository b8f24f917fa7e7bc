/** Post-quantum keys of a link, from what a provider is told to what both hosts do. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { pause, until } from "../../lab/run";
import { failure } from "../../sdk/provider/client";
import { asking, traces } from "../days/network";
import { host, Network, OWNER, side } from "./network";
import { binary, Keyed, type Mode } from "./rosenpass";

jest.setTimeout(180_000);

describeWhere(["lab", "rosenpass"], "Rosenpass on a link", () => {
  let network: Network;
  let pair: Keyed;
  const on = (node: string, command: string) => network.on(node, command);

  /** How many of a hundred pings a second were lost meanwhile, and in the second after. */
  async function lost(work: () => Promise<unknown>): Promise<number> {
    const packets = await asking(network.lab, "lux", "10.255.0.2");
    await work();
    await pause(1000);
    const { sent, lost } = await packets.end();
    expect(sent).toBeGreaterThan(50);
    return lost;
  }
  const passes = async (seconds = 1): Promise<boolean> =>
    (await network.lab.exec("lux", `ping -n -q -c 1 -i 0.1 -w ${seconds} 10.255.0.2`)).code === 0;
  const up = (mode: Mode) => pair.up(mode);
  /** A refresh of both daemons, and what they then say. */
  async function health(mode: Mode): Promise<unknown[]> {
    for (const it of pair.daemons(mode)) expect(await network.engine.refresh(it)).toEqual([]);
    return pair.health(mode);
  }

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "pqlink", fresh: true }));
    await network.link("lux", "fra");
    pair = new Keyed(network);
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("pqlink");
  });

  test("both ends have one key a moment after, nothing is lost, and nothing of it is in state", async () => {
    expect(await lost(() => up("permissive"))).toBe(0);
    const [lux, fra] = await pair.both(pair.psk);
    expect(lux).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(fra).toBe(lux);
    // WireGuard takes it with its next handshake.
    expect(pair.health("permissive")).toContain(
      "the session of fra began before its first key; the session of lux began before its first key",
    );

    const state = JSON.stringify([...network.engine.state]);
    expect(state).not.toContain(lux);
    expect(state.length).toBeLessThan(40_000);
    for (const it of [...pair.keys, ...pair.psks("permissive"), ...pair.daemons("permissive")]) {
      expect(await network.engine.refresh(it)).toEqual([]);
      expect(await network.engine.up(it)).toBe("same");
    }
  });

  test("to strict and back, off and on: nothing is lost, and what a host has is what was said", async () => {
    const [before] = await pair.both(pair.psk);
    expect(await lost(() => up("strict"))).toBe(0);
    expect(await on("fra", "cat /etc/overlay/rosenpass/fra-lux.conf")).toContain("\nmode strict\n");
    expect(await lost(() => up("permissive"))).toBe(0);
    expect(await pair.psk("lux")).not.toBe(before); // each start of a daemon exchanges one
    expect(await lost(() => pair.destroy())).toBe(0);
    expect(await pair.both(pair.psk)).toEqual(["(none)", "(none)"]);
    for (const node of pair.nodes) {
      expect(await on(node, "ip rule; ip -6 rule; nft list tables; ls /etc/overlay/boot.d")).not.toMatch(
        /5109|fra-lux/,
      );
      expect(await on(node, "ls -A /etc/overlay/rosenpass /run/overlay/rosenpass 2>/dev/null || :")).not.toContain(
        "fra-lux",
      );
    }
    expect(await lost(() => up("permissive"))).toBe(0);
    await pair.destroy();
  });

  test("strict from the first moment: nothing passes until both ends have the key, and then it is healthy", async () => {
    expect(await passes()).toBe(true);
    const engine = await network.restart();
    for (const it of pair.keys) await engine.up(it);
    const [lux] = pair.psks("strict");
    await engine.preview(lux as never);
    expect(engine.said(lux as never).join("\n")).toContain(
      "Nothing passes by inter-fra from when this is made until the first key, some seconds;",
    );
    for (const it of pair.psks("strict")) await engine.up(it);
    expect(await passes(3)).toBe(false);
    const began = performance.now();
    for (const it of pair.daemons("strict")) await engine.up(it);
    expect(await until(2000, () => passes(), 10)).toBe(true);
    expect(performance.now() - began).toBeLessThan(6000);
    expect(await health("strict")).toEqual(["healthy", "healthy"]);
  });

  test("a preshared key that somebody took away is drift where nothing may pass without, and no other is", async () => {
    await on("lux", `wg set inter-fra peer ${pair.wireguardKey("fra")} preshared-key /dev/null`);
    const [lux] = pair.psks("strict") as [never];
    expect(await network.engine.refresh(lux)).toEqual([
      `- psk inter-fra ${pair.wireguardKey("fra")} strict fra-lux`,
      `+ psk inter-fra ${pair.wireguardKey("fra")} none fra-lux`,
    ]);
    expect(await network.engine.up(lux)).toBe("updated");
    expect(await until(10_000, () => passes(), 100)).toBe(true);
    expect(new Set(await pair.both(pair.psk)).size).toBe(1);
    await on("lux", `wg genpsk > /tmp/psk; wg set inter-fra peer ${pair.wireguardKey("fra")} preshared-key /tmp/psk`);
    expect(await network.engine.refresh(lux)).toEqual([]);
    await on("lux", "systemctl restart overlay-rosenpass@fra-lux.service");
    expect(await until(10_000, async () => new Set(await pair.both(pair.psk)).size === 1, 200)).toBe(true);
  });

  test("a peer that is made again by an update has its key at once", async () => {
    const known = network.outputs("lux", "fra");
    const lux = side(network.lab, "lux", "fra", known);
    const silent = side(network.lab, "lux", "fra", known, { peer: { endpoint: undefined, keepalive: undefined } });
    await network.engine.preview(silent);
    expect(network.engine.said(silent).join("\n")).toContain("is made again");
    for (const it of [silent, lux]) {
      expect(await network.engine.up(it)).toBe("updated");
      expect(new Set(await pair.both(pair.psk)).size).toBe(1);
      expect(await pair.psk("lux")).not.toBe("(none)");
    }
    expect(await until(10_000, () => passes(), 100)).toBe(true);
  });

  test("a link that gets new keys is closed to whoever has no preshared key, all the way", async () => {
    const { engine } = network;
    const fresh = (node: string) => ({
      type: "overlay:wireguard:Key",
      name: `${node}/rotated`,
      inputs: {
        connection: host(network.lab, node).inputs.connection,
        machine: network.outputs(node)[node]?.machine,
        spec: { node, owner: OWNER, device: pair.device(node), label: "rotated" },
      },
    });
    const keys = pair.nodes.map(fresh);
    for (const it of keys) await engine.up(it);
    const [lux, fra] = keys.map((it) => ({ publicKey: engine.kept(it).outputs.publicKey }));
    const known = network.outputs("lux", "fra");
    const sides = [
      side(network.lab, "lux", "fra", known, { key: "rotated", peer: fra }),
      side(network.lab, "fra", "lux", known, { key: "rotated", peer: lux }),
    ];
    for (const it of sides) await engine.up(it);
    for (const key of await pair.both(pair.psk)) expect(key).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    pair.rotated = { lux: lux?.publicKey, fra: fra?.publicKey };
    await up("strict");
    expect(await until(15_000, () => passes(), 100)).toBe(true);
    expect(await health("strict")).toEqual(["healthy", "healthy"]);
  });

  test("files put right after drift are what the daemon goes by", async () => {
    const [lux] = pair.daemons("strict") as [never];
    const conf = "/etc/overlay/rosenpass/fra-lux.conf";
    await on("lux", `sed -i 's/^port .*/port 29999/' ${conf} && systemctl restart overlay-rosenpass@fra-lux.service`);
    const [gone, came] = (await network.engine.refresh(lux)) || [];
    expect([gone, came].map((it) => it?.replace(/sha256:\w+/, "HASH"))).toEqual([
      `- install -m 0600 HASH ${conf}`,
      `+ install -m 0600 HASH ${conf}`,
    ]);
    const engine = await network.restart(); // another run, which has not come to the other end yet
    const { health: known } = engine.kept(lux).outputs;
    expect(known).toEqual(expect.any(String));
    expect(await engine.up(lux)).toBe("updated");
    expect(engine.kept(lux).outputs.health).toBe(known);
    expect(await until(10_000, async () => / \S+:21002 /.test(await on("lux", "ss -Huln")), 200)).toBe(true);
    expect(await until(10_000, async () => (await health("strict")).every((it) => it === "healthy"), 500)).toBe(true);
  });

  test("half of a key pair is drift, and no other is made in its place", async () => {
    const [lux] = pair.keys;
    const keys = "/etc/overlay/keys/rosenpass";
    await on("lux", `mv ${keys}.secret /root/kept`);
    expect(await network.engine.refresh(lux)).toEqual([
      `- rosenpass gen-keys --public-key ${keys}.public --secret-key ${keys}.secret`,
      `+ rosenpass gen-keys --public-key ${keys}.public`,
    ]);
    const refused = await failure(network.engine.up(lux));
    expect(refused.message).toContain(
      `${keys}.secret has no bytes, and not 13568: a key of another version of Rosenpass, or not all of it`,
    );
    await on("lux", `mv /root/kept ${keys}.secret`);
    expect(await network.engine.refresh(lux)).toEqual([
      `- rosenpass gen-keys --public-key ${keys}.public`,
      `+ rosenpass gen-keys --public-key ${keys}.public --secret-key ${keys}.secret`,
    ]);
    expect(await network.engine.refresh(lux)).toEqual([]);
  });

  test("a backup that was restored has other keys: refused, then seen, then told to the other end", async () => {
    const keys = "/etc/overlay/keys/rosenpass";
    const program = "/usr/local/lib/overlay/rosenpass/rosenpass";
    await on(
      "fra",
      `cd /tmp && ${program} gen-keys -p public -s secret && mv public ${keys}.public && mv secret ${keys}.secret`,
    );
    const [lux] = pair.daemons("strict") as [never];
    await on("lux", "rm /etc/overlay/rosenpass/fra-lux.peer");
    await network.engine.refresh(lux);
    const engine = await network.restart(); // another run, which has read nothing yet
    const refused = await failure(engine.up(lux));
    expect(refused.message).toMatch(/^the public key of fra from root@\S+ has the SHA-256 \w+, and \w+ was declared: /);
    expect(await network.engine.refresh(pair.keys[1])).toEqual([]);
    await on("fra", "systemctl restart overlay-rosenpass@fra-lux.service");
    await Promise.all(pair.daemons("strict").map((it) => network.engine.up(it)));
    expect(await until(20_000, async () => (await health("strict")).every((it) => it === "healthy"), 500)).toBe(true);
  });

  test("overlay-host stops the daemon with all else, and starts it again", async () => {
    const active = () => on("lux", "systemctl is-active overlay-rosenpass@fra-lux.service || :");
    await on("lux", "overlay-host stop");
    expect(await active()).toBe("inactive\n");
    await on("lux", "overlay-host start");
    expect(await active()).toBe("active\n");
    expect(await until(20_000, async () => (await health("strict")).every((it) => it === "healthy"), 500)).toBe(true);
  });

  test("without UDP between the two strict fails and permissive warns, with port and addresses", async () => {
    await pair.destroy();
    const drop =
      "nft 'add table inet closed; add chain inet closed in { type filter hook input priority 0; }; add rule inet closed in udp dport 21000-21999 drop'";
    await pair.both((node) => on(node, drop));
    try {
      const refused = await failure(up("strict"));
      const at = (node: string) => network.lab.json.hosts[node]?.addresses[0];
      expect(refused.message).toContain("No post-quantum key was exchanged for inter-");
      expect(refused.message).toMatch(
        new RegExp(`UDP from port 2100\\d of \\w+ to (${at("lux")}:21002|${at("fra")}:21001) `),
      );
      expect(refused.message).toContain("Until then nothing passes.");
      expect(await passes()).toBe(false);
      await up("permissive");
      const said = pair.daemons("permissive").flatMap((it) => network.engine.said(it));
      expect(said.join("\n")).toContain("Until then packets pass without such a key.");
      expect(await until(10_000, () => passes(), 100)).toBe(true);
    } finally {
      await pair.both((node) => on(node, "nft delete table inet closed"));
    }
    // What calls goes on calling.
    expect(
      await until(
        60_000,
        async () => new Set(await pair.both(pair.psk)).size === 1 && (await pair.psk("lux")) !== "(none)",
        500,
      ),
    ).toBe(true);
  });

  test("bad input is refused before a host is changed", async () => {
    const { engine } = network;
    const wrong = (keyed: Keyed) => failure(engine.up({ ...keyed.key("hkg"), name: "rosenpass@hkg" }));
    await engine.up(host(network.lab, "hkg"));
    const before = await traces(network.lab, "hkg");
    const server = createServer((_, response) => response.end("another program")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rosenpass`;
    const refusals = [
      await wrong(new Keyed(network, ["hkg", "lux"], { ...binary(), sha256: "0".repeat(64) })),
      await wrong(new Keyed(network, ["hkg", "lux"], { path: "/nowhere", sha256: "0".repeat(64) })),
      await wrong(new Keyed(network, ["hkg", "lux"], { url: "http://127.0.0.1:9/rosenpass", sha256: "0".repeat(64) })),
      await wrong(new Keyed(network, ["hkg", "lux"], { url, sha256: "0".repeat(64) })),
      await wrong(new Keyed(network, ["hkg", "lux"], false)),
    ].map(({ message }) =>
      message
        .replaceAll(/[0-9a-f]{64}/g, "HASH")
        .replaceAll(/root@[\d.]+/g, "HOST")
        .replace(url, "URL"),
    );
    server.close();
    expect(refusals.map((it) => it.replace(binary().path, "PROGRAM"))).toMatchInlineSnapshot(`
[
  "the program rosenpass from PROGRAM has the SHA-256 HASH, and HASH was declared: correct the hash where that is the right one, or get the right file. [provider/wrongFile]",
  "the program rosenpass cannot be read from /nowhere: ENOENT: no such file or directory, open '/nowhere'. [provider/unreadable]",
  "the program rosenpass cannot be read from http://127.0.0.1:9/rosenpass: fetch failed. [provider/unreadable]",
  "the program rosenpass from URL has the SHA-256 HASH, and HASH was declared: correct the hash where that is the right one, or get the right file. [provider/wrongFile]",
  "HOST: binary: found a host without rosenpass, legal is a host that has rosenpass 0.2; install it there, or give it as \`binary\`, a path or an address with its SHA-256. [host/package]",
]
`);
    expect(await traces(network.lab, "hkg")).toBe(before);

    const short = join(network.folder, "short.public");
    writeFileSync(short, "short");
    const [lux] = pair.daemons("permissive");
    const peer = { key: "0".repeat(64), file: short };
    const size = await failure(engine.up(pair.daemon("lux", "permissive", { peer })));
    expect(size.message.replace(short, "FILE")).toMatchInlineSnapshot(
      `"the public key of fra from FILE has 5 bytes, legal are 524160: a key of rosenpass 0.2, in no other form. [provider/wrongFile]"`,
    );
    await on("lux", "systemd-run --quiet --unit=taken systemd-socket-activate --datagram -l 0.0.0.0:29998 sleep 60");
    const taken = await failure(engine.up(pair.daemon("lux", "permissive", { port: 29998 })));
    expect(taken.message.replaceAll(/root@[\d.]+/g, "HOST")).toMatchInlineSnapshot(
      `"HOST: port: found 29998, legal is a UDP port that nobody listens on at lux; stop who does, or give another \`port\`. [input/duplicate]"`,
    );
    expect(await engine.refresh(lux as never)).toEqual([]);
  });

  test("with the node goes all that it has of Rosenpass, daemons first", async () => {
    const paths = ["psk", "exchanged"].map((file) => `/run/overlay/rosenpass/fra-lux/${file}`);
    const all = ["/var/lib/overlay/rosenpass/fra-lux", "/etc/overlay/keys/rosenpass.secret", ...paths];
    expect(await on("lux", `stat -c %n ${all.join(" ")}`)).toBe(`${all.join("\n")}\n`);
    await network.engine.destroy(host(network.lab, "lux"));
    const unit = "/etc/systemd/system/overlay-rosenpass@.service";
    const folders = "/etc/overlay /usr/local/lib/overlay /var/lib/overlay/rosenpass /run/overlay/rosenpass";
    expect(await on("lux", `ls -d ${folders} ${unit} 2>/dev/null || :`)).toBe("");
    expect(await on("lux", "systemctl list-units --all 'overlay-rosenpass@*' --no-legend")).toBe("");
    expect(await on("lux", "ip rule; ip -6 rule; nft list tables")).not.toMatch(/5109|overlay/);
  });
});
