import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of package.json: compiled code lies one level deeper (dist/) than its source. */
function packageRoot(from: string): string {
  return existsSync(join(from, "package.json")) ? from : packageRoot(dirname(from));
}

export const agentPath = (name: string): string => join(packageRoot(__dirname), "sdk/host/agents", name);

/** Text of a file of sdk/host/agents. */
export const agent = (name: string): string => readFileSync(agentPath(name), "utf8");

/** The command for a host's console: one file, because each costs a host's first run 10 ms. main.sh, the last, begins it. */
const overlayHost = (): string =>
  [
    "console/usage.sh",
    "login.sh",
    "lock.sh",
    "generations.sh",
    "rosenpass/report.sh",
    "console/turn.sh",
    "console/missing.sh",
    "console/status.sh",
    "console/export.sh",
    "console/main.sh",
  ]
    .map(agent)
    .join("\n");

const STEPS = [
  "networkd.sh",
  "steps.sh",
  "batches.sh",
  "verbs.sh",
  "files.sh",
  "rosenpass/psk.sh",
  "rosenpass/keys.sh",
];

/** What carries out Commands, here and on a host. */
export const stepsAgent = (): string => STEPS.map(agent).join("\n");

const CHOOSE = "/usr/local/lib/overlay/choose";

/** What chooses endpoints and relays on a host, by the path it has there. */
export const chooseFiles = (): Record<string, { mode: string; content: string }> => ({
  [`${CHOOSE}.sh`]: {
    mode: "0644",
    content: ["lock.sh", ...["documents", "observe", "act", "relays", "main"].map((part) => `choose/${part}.sh`)]
      .map(agent)
      .join("\n"),
  },
  ...Object.fromEntries(
    ["decide", "extract", "fit", "glance", "prefix", "prove", "relays", "round"].map((part) => [
      `${CHOOSE}/${part}.awk`,
      { mode: "0644", content: agent(`choose/${part}.awk`) },
    ]),
  ),
  "/etc/systemd/system/overlay-choose.service": { mode: "0644", content: agent("overlay-choose.service") },
});

/** What runs Rosenpass on a host, one daemon a link, by the path it has there. */
export const rosenpassFiles = (): Record<string, { mode: string; content: string }> => ({
  "/usr/local/lib/overlay/rosenpass.sh": {
    mode: "0644",
    content: ["psk", "keys", "conf", "watch", "main"].map((part) => agent(`rosenpass/${part}.sh`)).join("\n"),
  },
  "/etc/systemd/system/overlay-rosenpass@.service": { mode: "0644", content: agent("overlay-rosenpass@.service") },
});

/** What stays on a host, by the path it has there. */
export const agentFiles = (): Record<string, { mode: string; content: string }> => ({
  "/usr/local/lib/overlay/steps.sh": { mode: "0644", content: stepsAgent() },
  "/usr/local/lib/overlay/boot.sh": { mode: "0755", content: agent("boot.sh") },
  "/usr/local/sbin/overlay-host": { mode: "0755", content: overlayHost() },
  "/etc/systemd/system/nftables.service.d/50-overlay.conf": { mode: "0644", content: agent("nftables.conf") },
  "/etc/systemd/system/overlay-early.service": { mode: "0644", content: agent("overlay-early.service") },
  "/etc/systemd/system/overlay-late.service": { mode: "0644", content: agent("overlay-late.service") },
  "/etc/systemd/system/overlay-wireguard-go@.service": {
    mode: "0644",
    content: agent("overlay-wireguard-go@.service"),
  },
});
