import { formatWithCodes, parse } from "../../../sdk/faults";
import { Connection, describeConnection } from "../../../sdk/host/connection";
import { sshArguments } from "../../../sdk/host/ssh";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZha2VmYWtlZmFrZWZha2VmYWtlZmFrZWZha2U= root@lux";

test("what is not said has ssh's own defaults", () => {
  expect(Connection.parse({ host: "lux" })).toEqual({ host: "lux", port: 22, connectTimeout: 10 });
});

test.each([
  ["an option in place of a host", { host: "-oProxyCommand=sh" }],
  ["white space", { host: "lux fra" }],
  ["what a shell would run", { host: "lux;id" }],
  ["a user that ssh_config would expand", { host: "lux", user: "%r" }],
  ["a bastion that is an option", { host: "lux", proxyJump: "-Fconfig" }],
  ["a bastion without brackets around its IPv6 address", { host: "lux", proxyJump: "2001:db8::5" }],
  ["a port out of range", { host: "lux", port: 65536 }],
  ["a fingerprint in place of a key", { host: "lux", hostKey: "SHA256:RLliqdQ++U8hn71GHg2da7ZEPwgyNanO4KvMcKGCrE8" }],
  ["two keys", { host: "lux", hostKey: `${key}\n${key}` }],
  ["an unknown field", { host: "lux", privateKey: "-----BEGIN" }],
])("%s is refused", (_, connection) => {
  expect(Connection.safeParse(connection).success).toBe(false);
});

test("faults say what is legal and repeat no secret", () => {
  const result = parse(Connection, { host: "lux fra", hostKey: "-----BEGIN SECRET", privateKey: "-----BEGIN SECRET" });
  expect("faults" in result && formatWithCodes(result.faults)).toBe(
    [
      'host: found "lux fra", legal is a host name, an address, or a Host of ssh_config; write it as on ssh\'s command line, without quotes and white space. [input/value]',
      "hostKey: legal is one public key of the host, like ssh-ed25519 AAAA…; on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub. [input/value]",
      "privateKey: legal is one of connectTimeout, host, hostKey, port, proxyJump, user; remove it, or correct its spelling. [input/unknownField]",
    ].join("\n"),
  );
});

const argumentsOf = (connection: object, ...rest: [string?, string?]) =>
  sshArguments(Connection.parse(connection), ...rest).join(" ");

test("host keys are checked, whatever the connection says", () => {
  expect(argumentsOf({ host: "lux" })).toContain("-o StrictHostKeyChecking=yes");
  expect(argumentsOf({ host: "lux" })).not.toContain("KnownHosts");
  const pinned = argumentsOf({ host: "lux", hostKey: key }, "/tmp/known_hosts");
  expect(pinned).toContain("-o StrictHostKeyChecking=yes");
  expect(pinned).toContain("-o UserKnownHostsFile=/tmp/known_hosts -o GlobalKnownHostsFile=/dev/null");
  expect(pinned).toContain("-o HostKeyAlgorithms=ssh-ed25519");
});

test("the user's ssh_config counts for what is not said: its user, port and bastions", () => {
  const said = argumentsOf({ host: "lux" });
  expect(said).not.toMatch(/ -(F|l|p|J) | -o (User|Port|Proxy\w+|IdentityFile)=/);
  const become = ` -- lux test -O / && exec sh; exec sh -c '[ "$(id -u)" = 0 ] || exec sudo -n sh; exec sh'`;
  expect(said.endsWith(become)).toBe(true);
  expect(argumentsOf({ host: "lux", user: "root" })).toMatch(/ -l root -- lux exec sh$/);
});

test("what is said comes before it", () => {
  const text = argumentsOf({ host: "lux", proxyJump: "admin@bastion:2222", port: 2022, user: "admin" });
  expect(text).toMatch(/ -p 2022 -l admin -- lux exec sudo -n sh$/);
  const words =
    "'ssh' '-o' 'BatchMode=yes' '-o' 'StrictHostKeyChecking=yes' '-o' 'LogLevel=INFO' '-o' 'ConnectTimeout=10'";
  expect(text).toContain(`-o ProxyCommand=${words} -W '[%h]:%p' '-l' 'admin' '-p' '2222' '--' 'bastion'`);
});

test("an RSA key is pinned with its signature algorithms, for SHA-1 is refused by both ends", () => {
  const text = argumentsOf({ host: "lux", hostKey: key.replace("ssh-ed25519", "ssh-rsa") }, "/tmp/known_hosts");
  expect(text).toContain("-o HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256");
});

test("messages name a host as ssh does", () => {
  const names = [{ host: "lux" }, { host: "lux", port: 2022 }, { host: "2001:db8::5", user: "admin", port: 23 }];
  expect(names.map((name) => describeConnection(Connection.parse(name)))).toEqual([
    "lux",
    "lux:2022",
    "admin@[2001:db8::5]:23",
  ]);
});
