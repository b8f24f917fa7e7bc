/** What is a host's own: its disk (the layer above the root file system), its identity, its network settings. */
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeWhole } from "./files";
import { must } from "./run";
import { prefixOf, type Topology } from "./topology";
import { hostGateways, lengthIn } from "./wires";

/** On disk, so that it outlives a power cut of the host. Sparse. */
const SIZE = 4 * 2 ** 30;

export const imageFolder = (lab: string): string => join("/var/tmp/overlay-lab", lab);
export const image = (lab: string, host: string): string => join(imageFolder(lab), `${host}.img`);

/** Makes a pair of SSH keys, PATH and PATH.pub. Returns the public one. */
export async function sshKey(path: string): Promise<string> {
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
  return readFileSync(`${path}.pub`, "utf8").trim();
}

/** systemd.network(5). Without duplicate address detection: it holds IPv6 addresses back for a second or two. */
function networkFile(topology: Topology, host: string, segment: string, index: number): string {
  const gateways = index === 0 ? hostGateways(topology, host) : [];
  const own = (topology.hosts[host]?.addresses ?? []).filter(
    (one) => prefixOf(topology.segments[segment], one) !== undefined,
  );
  const length = lengthIn(topology, segment);
  return `[Match]
Name=eth${index}

[Network]
IPv6AcceptRA=no
IPv6DuplicateAddressDetection=0
${gateways.map((one) => `Gateway=${one}\n`).join("")}
${own.map((one) => `[Address]\nAddress=${one}/${length(one)}\nDuplicateAddressDetection=none\n`).join("\n")}`;
}

/**
 * Makes a host's disk anew: another machine-id, another host key, nothing else on it. Returns its identity. A container
 * finds that on the disk; a vm, whose disk is a layer above `base`, puts it there when it boots (vm/guest/init).
 */
export async function makeDisk(
  lab: string,
  topology: Topology,
  host: string,
  folder: string,
  operatorKey: string,
  base: string,
): Promise<{ machine: string; hostKey: string }> {
  const { segment: segments = [], kind } = topology.hosts[host] ?? {};
  const seed = join(folder, "seed");
  const put = (path: string, content: string, mode = 0o644, owner = 0): void => {
    const at = join(seed, "upper", path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    chmodSync(at, mode);
    chownSync(at, owner, owner);
  };
  const machine = randomBytes(16).toString("hex");
  rmSync(seed, { recursive: true, force: true });
  put("etc/machine-id", `${machine}\n`, 0o444);
  put("etc/hosts", `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${host}\n`);
  // What networkd takes from a host's routes and rules, and the watch that brings them back, have tests of their own on the
  // image of managers. Elsewhere it would put back in the next second what a test has just taken away by hand.
  if (topology.hosts[host]?.image !== "managers") {
    put(
      "etc/systemd/networkd.conf.d/10-lab.conf",
      "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n",
    );
    put("usr/lib/systemd/system/overlay-networkd.service", ""); // empty is masked, systemctl(1)
  }
  for (const [index, segment] of segments.entries()) {
    put(`etc/systemd/network/10-eth${index}.network`, networkFile(topology, host, segment, index));
  }
  for (const { home, owner } of [
    { home: "root", owner: 0 },
    { home: "home/admin", owner: 1000 },
    { home: "home/guest", owner: 1001 },
  ]) {
    put(join(home, ".ssh/authorized_keys"), operatorKey, 0o600, owner);
    for (const at of [home, join(home, ".ssh")]) {
      chmodSync(join(seed, "upper", at), 0o700);
      chownSync(join(seed, "upper", at), owner, owner);
    }
  }
  mkdirSync(join(seed, "upper/etc/ssh"));
  mkdirSync(join(seed, "work"));
  const hostKey = await sshKey(join(seed, "upper/etc/ssh/ssh_host_ed25519_key"));
  const path = image(lab, host);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  writeFileSync(path, "", { mode: 0o600 });
  if (kind === "vm") {
    // nspawn names a container, and its commands need no key.
    put("etc/hostname", `${host}\n`);
    put("lab/authorized_keys", operatorKey, 0o600);
    writeWhole(join(folder, "seed.tar.gz"), "");
    await must(["tar", "-czf", join(folder, "seed.tar.gz"), "-C", join(seed, "upper"), "."]);
    await must(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", join(base, "disk"), path]);
  } else {
    truncateSync(path, SIZE);
    await must(["mkfs.ext4", "-q", "-m", "0", "-J", "size=16", "-d", seed, path]);
  }
  rmSync(seed, { recursive: true });
  return { machine, hostKey };
}
