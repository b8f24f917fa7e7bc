/** captured/snapshot.out is what agents/snapshot.sh printed on a host with one userspace WireGuard device. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentPath } from "../../../sdk/host/agents";
import { parseSnapshot } from "../../../sdk/host/snapshot";

const text = readFileSync(join(__dirname, "captured/snapshot.out"), "utf8");
const queries = [
  "sysctl net/ipv4/conf/inter-fra/rp_filter",
  "sysctl net/ipv4/conf/nowhere/rp_filter",
  "sysctl net/ipv4/ip_local_port_range",
  "file /etc/overlay/owner",
  "file /nowhere",
  "key /etc/overlay/keys/wireguard.key",
  "key /nowhere",
  "command wg",
  "command frobnicate",
];
const seen = parseSnapshot(text, queries);

test("who the host is", () => {
  const { machine, now, owner, host } = seen;
  expect({ machine, now, owner, host }).toEqual({
    machine: "00112233445566778899aabbccddeeff",
    now: 1795259007,
    owner: "net/prod",
    host: { wireguard: "userspace" },
  });
});

test("versions, as curl says its own and nft with its tables; a host without one has none of it", () => {
  const linux = "6.1.0-32-cloud-amd64";
  const of = (curl: string, tables = "") =>
    parseSnapshot(`\x1eversions\n${linux}\n${curl}\n\x1enft\n${tables}\n\x1eend\n`, []).versions;
  const metainfo = '{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}';
  const table = '{"table": {"family": "inet", "name": "overlay", "handle": 1}}';
  const curl = "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1";
  expect(of("", `{"nftables": [${metainfo}]}`)).toEqual({ linux, nft: "1.0.6" });
  expect(of(curl, `{"nftables": [${metainfo}, ${table}]}`)).toEqual({ linux, nft: "1.0.6", curl: "7.88.1" });
  expect(of("curl 7.74.0 (x86_64-pc-linux-gnu) libcurl/7.74.0 OpenSSL/1.1.1w")).toEqual({ linux, curl: "7.74.0" });
  expect(of("", '{"nftables": []}\nnftables v0.9.0 (Fearless Fosdick)')).toEqual({ linux, nft: "0.9.0" });
  expect(of("")).toEqual({ linux });
});

test("whence the session comes, and by which device it is answered, where that is known", () => {
  const of = (ssh: string, ways = "") =>
    parseSnapshot(`\x1essh\n${ssh}\x1eip\n${"[]\n".repeat(8)}${ways}\x1eend\n`, []).ssh;
  const [client, server] = ["198.18.0.2", "203.0.113.5"];
  const way = '[{"dst":"198.18.0.2","from":"203.0.113.5","gateway":"203.0.113.1","dev":"eth0","flags":[],"uid":0}]';
  const other = '[{"dst":"198.18.0.2","from":"::","dev":"eth1","flags":[],"mark":111,"uid":0}]';
  expect(of(`${client} ${server}\n`, `${other}\n${way}\n`)).toEqual({ client, server, device: "eth0" });
  expect(of(`fe80::1%eth2 fe80::2\n`)).toEqual({ client: "fe80::1%eth2", server: "fe80::2", device: "eth2" });
  expect(of(`${client} ${server}\n`)).toEqual({ client, server });
  expect(of("")).toBeUndefined();
});

test("links and addresses", () => {
  expect(seen.links.find(({ ifname }) => ifname === "inter-fra")).toMatchObject({
    mtu: 1420,
    group: "28417",
    ifalias: "overlay:net/prod:lux-fra",
    inet6_addr_gen_mode: "none",
    linkinfo: { info_kind: "tun" },
  });
  const addresses = seen.addrs.flatMap(({ ifname, addr_info }) =>
    addr_info.map(({ local, prefixlen, scope }) => `${ifname} ${local}/${prefixlen} ${scope}`),
  );
  expect(addresses).toEqual([
    "lo 127.0.0.1/8 host",
    "lo ::1/128 host",
    "inter-fra 10.255.0.1/32 global",
    "inter-fra fd00:6f::1/128 global",
    "inter-fra fe80::1/64 link",
    "eth0 203.0.113.5/24 global",
    "eth0 2001:db8:1::5/64 global",
    "eth0 fe80::60e1:96ff:fe00:5/64 link",
  ]);
});

test("routes have the words of ip-route(8), whatever the host's /etc/iproute2 calls them", () => {
  const words = [...seen.routes4, ...seen.routes6]
    .filter(({ table }) => table !== "local")
    .map(({ type, dst, dev, table, protocol, metric, prefsrc }) =>
      [type, dst, dev, table, protocol, metric, prefsrc].filter((word) => word !== undefined).join(" "),
    );
  expect(words).toEqual([
    "unicast 10.7.0.0/16 inter-fra 111 111 4096",
    "unreachable 10.255.0.0/16 main 111 4294967295",
    "unicast 10.255.0.2 inter-fra main 111 4096 10.255.0.1",
    "unicast 203.0.113.0/24 eth0 main kernel 203.0.113.5",
    "unicast fd00:6f::2 inter-fra main 111 4096 fd00:6f::1",
    "unreachable fd00:6f::/48 lo main 111 4294967295",
    "unicast 2001:db8:1::/64 eth0 main kernel 256",
    "unicast fd00:6f::1 inter-fra main kernel 256",
    "unicast fe80::/64 eth0 main kernel 256",
    "unicast fe80::/64 inter-fra main kernel 256",
  ]);
});

test("rules", () => {
  const ours = { priority: 5111, not: null, src: "all", fwmark: "0x6f", fwmask: "0xff", table: "111" };
  expect(seen.rules4.find(({ priority }) => priority === 5111)).toMatchObject(ours);
  expect(seen.rules6.find(({ priority }) => priority === 5111)).toMatchObject(ours);
  expect(seen.rules4.map(({ table }) => table)).toEqual(["local", "111", "main", "default"]);
});

test("WireGuard, without its secrets", () => {
  expect(seen.wg).toMatchObject([
    {
      device: "inter-fra",
      listenPort: 11002,
      fwmark: 0x6f,
      peers: [
        { presharedKey: true, endpoint: "[2001:db8:2::9]:11001", allowedIps: ["0.0.0.0/0", "::/0"], keepalive: 25 },
        { presharedKey: false, allowedIps: ["10.1.0.0/16"], keepalive: 0 },
      ],
    },
  ]);
  expect(text).toContain("inter-fra\t(hidden)\t");
});

test("our nft tables and no others", () => {
  expect(Object.keys(seen.nft)).toEqual(["inet overlay"]);
  const gone = text.replace("\x1eboot\n", "\x1enft inet overlay-probe\n\x1eboot\n"); // between the list and the table
  expect(parseSnapshot(gone, queries).nft).toEqual(seen.nft);
});

test("queries are answered, each by its name", () => {
  expect(seen.sysctls).toEqual({
    "net/ipv4/conf/inter-fra/rp_filter": "0",
    "net/ipv4/conf/nowhere/rp_filter": undefined,
    "net/ipv4/ip_local_port_range": "32768\t60999",
  });
  expect(seen.files).toEqual({
    "/etc/overlay/owner": {
      mode: "600",
      sha256: "c36f583f975c765c015012e8c8403d110a5f6a265cee9755d69645ccda868dce",
    },
    "/nowhere": undefined,
  });
  expect(seen.keys).toEqual({
    "/etc/overlay/keys/wireguard.key": "H90u3uHo18t2lv9q3Y6/SU12FF00RgHsCxCHHuiErzk=",
    "/nowhere": undefined,
  });
  expect(seen.commands).toEqual({ wg: true, frobnicate: false });
  expect(seen.boot).toEqual({ "50-inter-fra": "overlay:wireguard:Interface::lux-fra" });
});

/** What a function of snapshot.sh prints, after `before` took the place of tools. */
const printed = (before: string, run: string, input = ""): string =>
  execFileSync("sh", ["-euc", `newline='\n'; . "$0"; set -f +e\n${before}\n${run}`, agentPath("snapshot.sh")], {
    encoding: "utf8",
    input,
  });

test("no private and no preshared key leaves the host; of one that a device has, it says the public one", () => {
  const key = (letter: string) => `${letter.repeat(42)}8=`;
  const [secret, own, peer, psk] = ["s", "o", "p", "k"].map(key);
  const dump = (hidden: (key?: string) => string | undefined) =>
    [
      ["wg0", hidden(secret), own, "11001", "0x6f"],
      ["wg0", peer, hidden(psk), "[2001:db8::9]:11001", "10.1.0.0/16,fd00::/8", "1795258787", "7", "8", "25"],
      ["wg0", key("q"), "(none)", "(none)", "(none)", "0", "0", "0", "off"],
      ["wg1", "(none)", "(none)", "0", "off"],
    ]
      .map((fields) => `${fields.join("\t")}\n`)
      .join("");
  const said = dump((it) => it);
  expect(printed("dump=$(cat)", "masked", said)).toBe(dump(() => "(hidden)"));
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  for (const [name, content] of Object.entries({ own: secret, other: psk, none: "" })) {
    writeFileSync(join(folder, name), `${content}\n`);
  }
  const files = ["own", "other", "none"].map((name) => join(folder, name)).join(" ");
  const keys = printed("dump=$(cat); wg() { echo asked; }", `masked >/dev/null; public_keys ${files}`, said);
  rmSync(folder, { recursive: true });
  expect(keys.split("\n").map((line) => line.split(" ")[0])).toEqual([own, "asked", "asked", ""]);
});

test("of nft's tables those of ours are shown, by family and name", () => {
  const table = (family: string, name: string) => `{"table": {"family": "${family}", "name": "${name}", "handle": 1}}`;
  const list = [
    table("ip", "filter"),
    table("inet", "overlay"),
    table("ip6", "overlay-x"),
    table("inet", "not-overlay"),
  ];
  const all = `{"nftables": [{"metainfo": {"version": "1.0.6"}}, ${list.join(", ")}]}`;
  const nft = `nft() { if [ "$*" = '-j list tables' ]; then cat; else printf '{"nftables": ["%s"]}\\n' "$*"; fi; }`;
  const shown = (queries: string) =>
    parseSnapshot(printed(nft, `read_queries <<'EOT'\n${queries}\nEOT\nnft_tables; section end`, all), []);
  for (const queries of ["", "table inet overlay\ntables"]) {
    const seen = shown(queries);
    expect(seen.nft).toEqual({
      "inet overlay": ["-j list table inet overlay"],
      "ip6 overlay-x": ["-j list table ip6 overlay-x"],
    });
    expect(seen.versions).toEqual({ nft: "1.0.6" });
  }
});

test("of nft's tables those that are asked for are shown without a list of all, which is asked where there is none of them", () => {
  const said = (name: string) =>
    `{"nftables": [{"metainfo": {"version": "1.0.9"}}, {"table": {"family": "inet", "name": "${name}"}}]}`;
  const nft = `nft() { case $* in *list\\ tables) echo '${said("x").replace("1.0.9", "1.0.6")}' ;; *gone) return 1 ;; *) echo '${said("asked")}' ;; esac; }`;
  const read = (is: string, ...queries: string[]) =>
    printed(
      `${nft}\nis_owned() { ${is}; }`,
      `read_queries <<'EOT'\n${queries.join("\n")}\nEOT\nnft_tables; section end`,
    );
  const shown = (...queries: string[]) => parseSnapshot(read(":", ...queries), []);
  const seen = shown("table inet overlay", "table inet gone");
  expect(Object.keys(seen.nft)).toEqual(["inet overlay"]);
  expect(seen.versions).toEqual({ nft: "1.0.9" });
  expect(shown("table inet gone")).toMatchObject({ nft: {}, versions: { nft: "1.0.6" } });
  expect(read("false", "table inet gone")).toBe(`\x1enft\n${said("x").replace("1.0.9", "1.0.6")}\n\x1eend\n`);
});

test("of a table that was looked at twice the later look counts", () => {
  const look = (handle: number) => `\x1enft inet overlay\n{"nftables": [${handle}]}\n`;
  expect(parseSnapshot(`${look(1)}\x1eend\n${look(2)}\x1eend\n`, []).nft).toEqual({ "inet overlay": [2] });
});

test("of a file of wg-quick's the names of what it does besides, and nothing of what they say", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  const lines = ["[Interface]", "PrivateKey = s3cret=", "# DNS = 1.1.1.1", "Address = 10.0.0.1/24", "MTU = 1420"];
  const more = ["PostUp = iptables -t nat -A POSTROUTING s3cret", "postup=true", "\tDNS\t= 9.9.9.9", "Table=off\r"];
  const file = join(folder, "wg0.conf");
  writeFileSync(file, [...lines, ...more, more[0], "[Peer]", "PublicKey = x"].join("\n"));
  const keys = (path: string) => {
    const script = '. "$0"; section "quick wg0"; quick_keys "$1"; section end';
    return parseSnapshot(execFileSync("sh", ["-euc", script, agentPath("snapshot.sh"), path], { encoding: "utf8" }), [
      "quick wg0",
    ]).quick;
  };
  try {
    expect(keys(file)).toEqual({ wg0: ["PostUp", "postup", "DNS", "Table"] });
    expect(keys(join(folder, "none.conf"))).toEqual({ wg0: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("whether a unit is enabled; one that nobody knows is not", () => {
  const withUnits = text.replace("\x1eend", "\x1eenabled\na.service enabled\nb@c.service disabled\n\x1eend");
  const asked = ["a.service", "b@c.service", "nowhere.service"].map((name) => `enabled ${name}`);
  expect(parseSnapshot(withUnits, asked).units).toEqual({
    "a.service": { enabled: true },
    "b@c.service": { enabled: false },
  });
});

test("units are known by their name; a template, an unknown one and a host without systemd have no state", () => {
  const unit = (id: string, load: string, file: string, active: string) =>
    `Id=${id}\nLoadState=${load}\nUnitFileState=${file}\nActiveState=${active}\n`;
  const section = [
    unit("overlay-late.service", "loaded", "enabled", "active"),
    unit("overlay-early.service", "loaded", "disabled", "failed"),
    unit("nowhere.service", "not-found", "", "inactive"),
  ].join("\n");
  const asked = ["overlay-late.service", "overlay-early.service", "nowhere.service", "overlay-wireguard-go@.service"];
  const withUnits = text.replace("\x1eend", `\x1eunit\n${section}\x1eend`);
  const { units } = parseSnapshot(
    withUnits,
    asked.map((name) => `unit ${name}`),
  );
  expect(units).toEqual({
    "overlay-late.service": { enabled: true, active: true, failed: false },
    "overlay-early.service": { enabled: false, active: false, failed: true },
    "nowhere.service": undefined,
    "overlay-wireguard-go@.service": undefined,
  });
});

/** The same text with another content of one section, or without it. */
const change = (name: string, content?: string) =>
  text
    .split("\x1e")
    .flatMap((part) => (part.startsWith(`${name}\n`) ? (content === undefined ? [] : [`${name}\n${content}`]) : [part]))
    .join("\x1e");

test("a host without wg, nft or an overlay gives a snapshot", () => {
  expect(parseSnapshot(change("wg", ""), []).wg).toEqual([]);
  expect(parseSnapshot(change("nft inet overlay"), []).nft).toEqual({});
  expect(parseSnapshot(change("boot", ""), []).boot).toEqual({});
  expect(parseSnapshot(change("owner", ""), []).owner).toBeUndefined();
});

test("a kernel without IPv6, or without rules, breaks off the dump of these, and the rest is there", () => {
  const broken = `${"[]\n".repeat(6)}[`;
  for (const ip6 of [broken, ""]) {
    expect(parseSnapshot(change("ip6", ip6), [])).toMatchObject({ routes6: [], rules6: [] });
  }
  const way = '[{"dst":"203.0.113.9","from":"::","dev":"eth0","flags":[]}]';
  for (const ip of [`${"[]\n".repeat(8)}${way}\n[`, `${"[]\n".repeat(8)}[\n${way}`]) {
    const { rules4, ways } = parseSnapshot(change("ip", ip), ["way 203.0.113.9"]);
    expect({ rules4, ways }).toEqual({ rules4: [], ways: { "203.0.113.9": "eth0" } });
  }
});

test("a route into a tunnel: iproute2 6.1 has two of dst in one object, 6.7 an object of its own", () => {
  const into = '"id":105,"src":"10.255.0.2","dst":"10.255.0.1","ttl":64,"tos":0';
  const route = (encap: string) => `[{"type":"1","dst":"10.105.0.1",${encap},"dev":"vx","metric":4096,"flags":[]}]\n`;
  for (const encap of [`"encap":"ip",${into}`, `"encap":{"encap_type":"ip",${into}}`]) {
    const told = { encap_type: "ip", id: 105, src: "10.255.0.2", dst: "10.255.0.1", ttl: 64 };
    expect(parseSnapshot(change("ip", `[]\n[]\n${route(encap)}`), []).routes4).toMatchObject([
      { dst: "10.105.0.1", dev: "vx", encap: told },
    ]);
  }
});

test("forwarding databases and neighbours of the devices asked for; none where there is no such device", () => {
  const sections =
    '\x1efdb vx\n[{"mac":"00:00:00:00:00:00","dst":"10.255.0.1"}]\n\x1efdb gone\n\x1eneigh vx\n[]\n\x1eend';
  const { fdb, neighbours } = parseSnapshot(text.replace("\x1eend", sections), ["fdb vx", "fdb gone", "neigh vx"]);
  expect(fdb).toEqual({ vx: [{ mac: "00:00:00:00:00:00", dst: "10.255.0.1" }], gone: undefined });
  expect(neighbours).toEqual({ vx: [] });
});

test("what breaks off or is no JSON is an error that names the section", () => {
  expect(() => parseSnapshot(text.slice(0, -10), queries)).toThrow("breaks off");
  expect(() => parseSnapshot(text.replace('[{"ifindex"', "Segmentation fault"), queries)).toThrow("section ip");
});
