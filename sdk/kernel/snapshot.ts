/**
 * What one look at a host shows (sdk/host/agents/snapshot.sh prints it, `parseSnapshot` reads it).
 * Private keys and PSKs are masked on the host; they are never in here.
 */

/** `ip -N -j -d link show`, the fields that are used. iproute2 ip/ipaddress.c names them. */
export interface LinkJson {
  ifindex: number;
  ifname: string;
  mtu: number;
  flags: string[];
  /** A number as text (`ip -N`); names come from /etc/iproute2/group, which anybody may edit. */
  group: string;
  ifalias?: string;
  inet6_addr_gen_mode?: string;
  /** MAC address of what has one. */
  address?: string;
  /** The bridge that it is a port of. */
  master?: string;
  linkinfo?: { info_kind?: string; info_data?: unknown; info_slave_kind?: string; info_slave_data?: unknown };
}

/** `ip -j addr show`, one entry a device. */
export interface AddrJson {
  ifname: string;
  addr_info: {
    family: "inet" | "inet6";
    local: string;
    prefixlen: number;
    address?: string;
    scope: string;
    protocol?: string;
  }[];
}

/** `ip -N -j -d route show table all`; type, table and protocol by the kernel's own names, ours as a number. */
export interface RouteJson {
  type?: string;
  dst: string;
  gateway?: string;
  dev?: string;
  table?: string;
  protocol: string;
  scope?: string;
  metric?: number;
  prefsrc?: string;
  metrics?: { mtu?: number }[];
  /** Of a lightweight tunnel. */
  encap?: { encap_type: string; id?: number; src?: string; dst?: string; ttl?: number; hoplimit?: number };
}

/** `bridge -j fdb show dev DEVICE`, iproute2 bridge/fdb.c. */
export interface FdbJson {
  mac: string;
  /** Of a VXLAN device; the others are those of a bridge's port. */
  dst?: string;
  port?: number;
  vni?: number;
  viaIf?: string;
  flags?: string[];
  /** Absent or empty: learned. */
  state?: string;
}

/** `ip -j neigh show dev DEVICE nud permanent` */
export interface NeighbourJson {
  dst: string;
  lladdr?: string;
  state: string[];
}

/** `ip -N -j -d rule show`, tables as in RouteJson. */
export interface RuleJson {
  priority: number;
  not?: null;
  src: string;
  fwmark?: string;
  fwmask?: string;
  /** Of packets of one protocol, which has no one name: `udp`, `17`, `ipproto-17`. */
  sport?: number;
  table?: string;
  suppress_prefixlen?: number;
}

export interface WgPeerLive {
  publicKey: string;
  presharedKey: boolean;
  endpoint?: string;
  allowedIps: string[];
  /** Unix time in seconds; 0 = never. */
  latestHandshake: number;
  rxBytes: number;
  txBytes: number;
  /** Seconds; 0 = off. */
  keepalive: number;
  /** Where choose.sh on the host may have it called, as it says itself. Absent: nobody chooses. */
  chosen?: string[];
}

export interface WgDeviceLive {
  device: string;
  /** Empty when the device has no private key. */
  publicKey: string;
  listenPort: number;
  fwmark: number;
  peers: WgPeerLive[];
  /** Routes by way of a relay that choose.sh on the host has made, as it says itself, in the words of ip-route(8). */
  relayed?: string[];
}

/** How the answers of a session leave the host. */
export interface SshWay {
  /** Address that the host sees, of the operator or of a bastion. */
  client: string;
  /** Address of the host. */
  server: string;
  /** `ip route get CLIENT from SERVER`; absent where there is no way. */
  device?: string;
}

/** A base chain that lets in only what its rules name. */
export interface ClosedChain {
  /** Who wrote it: `iptables` is for iptables(8) itself, whatever keeps its rules. */
  by: "ufw" | "firewalld" | "nftables" | "iptables" | "iptables-legacy";
  /** `inet filter input` */
  chain: string;
  /** `policy drop`, or its last rule: `reject with icmpx admin-prohibited` */
  verdict: string;
}

/** Of a systemd unit. Whether it runs: where that was asked. */
export interface UnitState {
  enabled: boolean;
  active?: boolean;
  failed?: boolean;
}

/** Rosenpass on a host; what is not there is absent. */
export interface Rosenpass {
  /** `rosenpass 0.2.2` */
  version?: string;
  /** Of the program. */
  sha256?: string;
  /** The node's public key. */
  publicKey?: { sha256: string; size: number };
  /** Bytes of its secret key. */
  secretSize?: number;
}

/** How a host's exchange of keys with one peer goes, as it says itself; what it does not know is absent. */
export interface Exchange {
  /** Seconds since the last exchange whose key was set. */
  exchanged?: number;
  /** SHA-256 of the preshared key. */
  psk?: string;
  /** There was one since the daemon that runs now was started. */
  fresh?: true;
  /** Whether the session was made with such a key. */
  protected: boolean;
  /** What it last complained of. */
  trouble?: string;
}

/** What choose.sh on a host has decided, as it logged it. */
export interface Decided {
  /** Name of the node that is called, or reached by way of a relay. */
  peer: string;
  device: string;
  /** Unix time in seconds. */
  at: number;
  text: string;
  /** Of a route by way of a relay: where to, and the name of who forwards. */
  relay?: { to: string; by: string };
}

export interface Snapshot {
  /** /etc/machine-id */
  machine: string;
  /** Unix time on the host, seconds. */
  now: number;
  /** Seconds since the host was started. */
  uptime?: number;
  /** The session that looked. Absent where the host does not say whence it comes. */
  ssh?: SshWay;
  /** `project/stack` in /etc/overlay/owner, or undefined. */
  owner?: string;
  host: { wireguard: "kernel" | "userspace" | "none" };
  /** `6.1.0-32-cloud-amd64`, `1.0.6`, `7.88.1`; absent where it did not say. */
  versions?: { linux?: string; nft?: string; curl?: string };
  links: LinkJson[];
  addrs: AddrJson[];
  routes4: RouteJson[];
  routes6: RouteJson[];
  rules4: RuleJson[];
  rules6: RuleJson[];
  wg: WgDeviceLive[];
  /** Our nft tables (`overlay*`): `nft -j list table`, the array under "nftables", by `family name`. */
  nft: Record<string, unknown[]>;
  /** Answers to queries. Absent key: not asked. */
  sysctls: Record<string, string | undefined>;
  files: Record<string, { mode: string; sha256: string } | undefined>;
  units: Record<string, UnitState | undefined>;
  /** Public key that belongs to a private key file; "" where the file holds none, or the host has no wg. */
  keys: Record<string, string | undefined>;
  /** Who manages a device; undefined: nobody. */
  managers: Record<string, string | undefined>;
  commands: Record<string, boolean>;
  /** What Rosenpass is there. Absent: not asked. */
  rosenpass?: Rosenpass;
  /** What became of the keys that are exchanged, by the name of the exchange. Absent key: not asked. */
  exchanges: Record<string, Exchange>;
  /** What choose.sh has last logged of each peer, and of each destination by way of a relay. Absent: not asked. */
  decisions?: Decided[];
  /** UDP ports of those that were asked for that somebody listens on. */
  udp: number[];
  /** Forwarding database of a VXLAN device, and permanent neighbours on any; undefined: there is no such device. */
  fdb: Record<string, FdbJson[] | undefined>;
  neighbours: Record<string, NeighbourJson[] | undefined>;
  /** The device by which encrypted packets to an address leave, `ip route get`; undefined: there is no way. */
  ways: Record<string, string | undefined>;
  /**
   * Rules that let ports in, as each firewall keeps them, by its name (`ufw`, `firewalld`) or, of nft, by the chain's
   * (`inet filter input`: those with a comment of ours). Absent key: not asked; undefined: the host has none of that name.
   */
  firewalls: Record<string, string[] | undefined>;
  /** Base chains of others that end in a drop or a reject, by their hook (`input`). Absent key: not asked. */
  hooks: Record<string, ClosedChain[] | undefined>;
  /** Of wg-quick(8)'s file for a device, the names of keys that do more than wg(8) and addresses. Absent key: not asked. */
  quick: Record<string, string[]>;
  /**
   * The kernel's accept_ra of each device by which a default route leads that came by router advertisement; 0 where
   * somebody else than the kernel handles these. Absent: not asked.
   */
  advertised?: Record<string, string>;
  /** Owner (first line, without `# `) of each boot file under /etc/overlay/boot.d, by file name. */
  boot: Record<string, string>;
}
