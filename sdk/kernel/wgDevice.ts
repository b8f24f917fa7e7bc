/** The WireGuard settings of a device, wg(8). */
import type { Kind } from "./fact";
import { hex } from "./marks";

export interface WgDevice {
  device: string;
  listenPort: number;
  fwmark: number;
  privateKeyFile: string;
  /** Live only, where the device's key is not the file's: the public key that it has instead, "" for none at all. */
  publicKey?: string;
}

const privateKey = (value: WgDevice): string => {
  if (value.publicKey === undefined) return value.privateKeyFile;
  return value.publicKey === "" ? "<no key>" : `<the key of ${value.publicKey}>`;
};

const settings = (value: WgDevice): string[] => [
  `listen-port ${value.listenPort}`,
  `fwmark ${hex(value.fwmark)}`,
  `private-key ${privateKey(value)}`,
];

export const wgDevice: Kind<WgDevice> = {
  volatile: true,
  key: (value) => value.device,
  lines: (value) => [`wg set ${value.device} ${settings(value).join(" ")}`],
  queries: (value) => [`key ${value.privateKeyFile}`],
  read(snapshot, key, wanted) {
    const wg = snapshot.wg.find(({ device }) => device === key);
    if (!wg) return undefined;
    const privateKeyFile = wanted?.privateKeyFile ?? "";
    const same = wg.publicKey !== "" && wg.publicKey === snapshot.keys[privateKeyFile];
    return {
      device: key,
      listenPort: wg.listenPort,
      fwmark: wg.fwmark,
      privateKeyFile,
      ...(!same && { publicKey: wg.publicKey }),
    };
  },
  set(live, wanted) {
    if (!wanted) return [];
    const before = live ? settings(live) : [];
    const changed = settings(wanted).filter((words) => !before.includes(words));
    return changed.length > 0 ? [`wg set ${wanted.device} ${changed.join(" ")}`] : [];
  },
};
