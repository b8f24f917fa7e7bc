/** The same mesh by an idiomatic Ansible playbook, from PyPI, in a virtual environment of the user's cache. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Lab, run } from "../lab";
import { overlayAddresses } from "./network";
import { ROOT } from "./stack";

const VERSION = "2.19.14";
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pulumi-overlay", `ansible-${VERSION}`);
const PLAYBOOK = join(ROOT, "test/bench/ansible");
/** What Ansible runs on the hosts, which the lab's have not: of this machine's Debian, where that is the hosts' own. */
const PYTHON = [
  "python3 python3-minimal python3.11 python3.11-minimal libpython3-stdlib libpython3.11-minimal libpython3.11-stdlib",
  "libexpat1 media-types libffi8 libsqlite3-0 libreadline8 readline-common libncursesw6 libuuid1 libbz2-1.0 liblzma5",
  "zlib1g libnsl2 libtirpc3 libtirpc-common libdb5.3",
].join(" ");

/** Sets up what is missing, once. Returns why it cannot be had, or nothing. */
async function hindrance(): Promise<string | undefined> {
  const debs = join(CACHE, "python");
  mkdirSync(debs, { recursive: true });
  const steps: [string, string][] = [
    [
      "ansible-core cannot be had from PyPI",
      `[ -x venv/bin/ansible-playbook ] || { python3 -m venv venv && venv/bin/pip install -q ansible-core==${VERSION}; }`,
    ],
    [
      "no python3 of Debian 12 for the hosts",
      `ls python/*.deb >/dev/null 2>&1 || { grep -q bookworm /etc/os-release && cd python && apt-get -q download ${PYTHON}; }`,
    ],
  ];
  for (const [reason, command] of steps) {
    const { code, stderr } = await run(["env", "-C", CACHE, "sh", "-c", command], { timeout: 300_000 });
    if (code !== 0) return `${reason}: ${stderr.trim().split("\n").at(-1) ?? ""}`;
  }
  return undefined;
}

export class Ansible {
  private constructor(private readonly inventory: string) {}

  /** For the hosts of a lab, which get a Python; or the reason why there is none. */
  static async make(lab: Lab): Promise<Ansible | string> {
    const reason = await hindrance();
    if (reason !== undefined) return reason;
    const debs = join(CACHE, "python");
    for (const host of lab.hosts) {
      const command = [
        ...lab.enter(host),
        "sh",
        "-c",
        "cd /tmp && tar -x && dpkg --install --force-all /tmp/*.deb >/dev/null",
      ];
      const words = command.map((word) => `'${word}'`).join(" ");
      const { code, stderr } = await run(["sh", "-c", `tar -C ${debs} -c ${readdirSync(debs).join(" ")} | ${words}`]);
      if (code !== 0) return `the hosts take no python3: ${stderr.trim().split("\n").at(-1) ?? ""}`;
    }
    const executable = join(CACHE, `ssh-${lab.name}`);
    writeFileSync(executable, `#!/bin/sh\nexec ${lab.json.ssh} "$@"\n`, { mode: 0o755 });
    const hosts = lab.hosts.map((host, index) => [
      host,
      {
        ansible_ssh_executable: executable,
        id: index + 1,
        addresses: overlayAddresses(index + 1),
        underlay: lab.json.hosts[host]?.addresses[0],
      },
    ]);
    const inventory = join(CACHE, `${lab.name}.json`);
    writeFileSync(inventory, JSON.stringify({ all: { hosts: Object.fromEntries(hosts) } }));
    return new Ansible(inventory);
  }

  async play(): Promise<void> {
    const command = [
      "env",
      "-C",
      PLAYBOOK,
      join(CACHE, "venv/bin/ansible-playbook"),
      "-i",
      this.inventory,
      "mesh.yaml",
    ];
    const { code, stdout, stderr } = await run(command, { timeout: 300_000 });
    if (code !== 0) throw new Error(`ansible-playbook: code ${code}\n${stdout}\n${stderr}`);
  }
}
