/** Rules in the firewalls of others, on what real ones printed. */
import { readFileSync } from "node:fs";
import { formatWithCodes } from "../../../sdk/faults";
import { parseSnapshot } from "../../../sdk/host/snapshot";
import {
  changes,
  closedFaults,
  closedToRelays,
  type Fact,
  kindOf,
  kinds,
  live,
  missingFirewall,
  opening,
  passing,
  text,
} from "../../../sdk/kernel";
import { chainObjection, type Firewall } from "../../../sdk/kernel/chains";
import { capturedFile } from "./captured";

const printed = (name: string) => readFileSync(capturedFile(`firewalls/${name}.txt`), "utf8");
const CHAIN = "inet filter input";
const COMMENT = "overlay:net/prod:lux-fra";

/** A look at a host whose firewall printed this; undefined: it has none of that name. */
const look = (name: string, said: string | undefined) => {
  const section = said === undefined ? "" : `\x1efirewall ${name}\n${said}`;
  return parseSnapshot(`\x1emachine\n1\n${section}\x1eend\n`, [`firewall ${name}`]);
};

const firewalls: Record<string, { declared: Firewall; name: string; captured: string }> = {
  ufw: { declared: { firewall: "ufw" }, name: "ufw", captured: "ufw" },
  firewalld: { declared: { firewall: "firewalld" }, name: "firewalld", captured: "firewalld" },
  nftables: { declared: { firewall: "nftables", firewallChain: [CHAIN] }, name: CHAIN, captured: "nft" },
};

function commands(is: string, wanted: Fact[], name: string, once: Fact[] = wanted): string[] {
  return changes(live(look(name, is), once), wanted, { wireguard: "kernel" }).commands;
}

const cases: [who: string, added: string[], removed: string[]][] = [
  ["ufw", [`ufw allow 11002/udp comment ${COMMENT}`], ["ufw delete allow 11002/udp"]],
  [
    "firewalld",
    [
      `firewall-cmd --permanent --add-rich-rule='rule priority="111" port port="11002" protocol="udp" accept'`,
      `firewall-cmd --add-rich-rule='rule priority="111" port port="11002" protocol="udp" accept'`,
    ],
    [
      `firewall-cmd --permanent --remove-rich-rule='rule priority="111" port port="11002" protocol="udp" accept'`,
      `firewall-cmd --remove-rich-rule='rule priority="111" port port="11002" protocol="udp" accept'`,
    ],
  ],
  [
    "nftables",
    [`nft insert rule inet filter input udp dport 11002 accept comment "${COMMENT}"`],
    ["nft delete rule inet filter input handle 9"],
  ],
];

describe.each(cases)("%s", (who, added, removed) => {
  const { declared, name, captured } = firewalls[who] as NonNullable<(typeof firewalls)[string]>;
  const wanted = opening(declared, 11002, COMMENT);

  test("is shown and told the same words", () => {
    expect(text(wanted).split("\n")).toEqual(added);
    expect(commands("", wanted, name)).toEqual(added);
  });
  test("which read back as they were told, and nothing is to be done", () => {
    expect(text(live(look(name, printed(captured)), wanted))).toBe(text(wanted));
    expect(commands(printed(captured), wanted, name)).toEqual([]);
  });
  test("loses ours alone", () => {
    expect(commands(printed(captured), [], name, wanted)).toEqual(removed);
    expect(commands("", [], name, wanted)).toEqual([]);
  });
  test("is a fault where the host has none, and is not asked elsewhere", () => {
    expect(formatWithCodes(missingFirewall(declared, look(name, undefined)))).toContain("that the host has");
    expect(missingFirewall(declared, look(name, ""))).toEqual([]);
    expect(missingFirewall(declared, look("else", undefined))).toEqual([]);
  });
});

describe("a rule of somebody else's for the port", () => {
  const port = (number: number) => opening({ firewall: "ufw" }, number, COMMENT);
  const change = (number: number) =>
    changes(live(look("ufw", printed("ufw")), port(number)), port(number), { wireguard: "kernel" });

  test("that lets it in is left alone, now and later", () => {
    for (const number of [12000, 12001]) {
      expect(change(number)).toMatchObject({ commands: [], foreign: [] });
      expect(commands(printed("ufw"), [], "ufw", port(number))).toEqual([]);
      expect(text(live(look("ufw", printed("ufw")), port(number)))).toBe(text(port(number)));
    }
  });
  test("that keeps it out is told, and left alone", () => {
    expect(change(12002)).toMatchObject({ commands: [] });
    expect(change(12002).foreign).toEqual([
      "ufw has a rule of somebody else's for UDP 12002 (deny). Remove it with `ufw delete deny 12002/udp`, or give the link another port in `ports`.",
    ]);
    expect(change(12003).foreign).toHaveLength(1);
  });
  test("from one address, by one device or for TCP as well says nothing of it", () => {
    for (const number of [12004, 12005, 12006]) {
      expect(change(number).commands).toEqual([`ufw allow ${number}/udp comment ${COMMENT}`]);
    }
  });
});

describe("what a relay's device brings", () => {
  const cases: [string, Firewall, string, string[], string[]][] = [
    [
      "ufw",
      { firewall: "ufw" },
      "ufw",
      [`ufw route allow in on inter-fra comment ${COMMENT}`],
      ["ufw route delete allow in on inter-fra"],
    ],
    [
      "nftables",
      { firewall: "nftables", forwardChain: [CHAIN] },
      CHAIN,
      [`nft insert rule ${CHAIN} iifname "inter-fra" accept comment "${COMMENT}"`],
      [`nft delete rule ${CHAIN} handle 12`],
    ],
    [
      "firewalld",
      { firewall: "firewalld" },
      "firewalld",
      ["firewall-cmd --permanent --add-interface='inter-fra'", "firewall-cmd --add-interface='inter-fra'"],
      ["firewall-cmd --permanent --remove-interface='inter-fra'", "firewall-cmd --remove-interface='inter-fra'"],
    ],
  ];
  test.each(cases)("%s: is let through, read back, and goes", (_, declared, name, added, removed) => {
    const said = printed(name === CHAIN ? "nft" : name);
    const wanted = passing(declared, "inter-fra", COMMENT);
    expect(text(wanted).split("\n")).toEqual(added);
    expect(commands("", wanted, name)).toEqual(added);
    expect(commands(said, wanted, name)).toEqual([]);
    expect(commands(said, [], name, wanted)).toEqual(removed);
  });
  test("ufw: somebody else's word about it stays", () => {
    const change = (device: string) => {
      const wanted = passing({ firewall: "ufw" }, device, COMMENT);
      return changes(live(look("ufw", printed("ufw")), wanted), wanted, { wireguard: "kernel" });
    };
    expect(change("inter-hkg")).toMatchObject({ commands: [], foreign: [] });
    expect(change("inter-nrt").foreign).toEqual([
      "ufw has a rule of somebody else's for what comes by inter-nrt to be forwarded (deny). Remove it with `ufw route delete deny in on inter-nrt`.",
    ]);
    // One that is for one way out alone is none.
    expect(change("inter-ams").commands).toHaveLength(1);
  });
});

test("nftables: each chain that is named has a rule, and one that the host has not is a fault", () => {
  const declared: Firewall = { firewall: "nftables", firewallChain: ["ip filter input", "ip6 filter input"] };
  expect(text(opening(declared, 11002, COMMENT)).split("\n")).toEqual([
    `nft insert rule ip filter input udp dport 11002 accept comment "${COMMENT}"`,
    `nft insert rule ip6 filter input udp dport 11002 accept comment "${COMMENT}"`,
  ]);
  expect(formatWithCodes(missingFirewall(declared, look("ip6 filter input", undefined)))).toContain(
    'found "ip6 filter input"',
  );
});

test("half of it is drift: one family of ufw's, what firewalld has only now, a link's old name", () => {
  const told = (who: string, said: string) => {
    const { declared, name } = firewalls[who] as NonNullable<(typeof firewalls)[string]>;
    return commands(said, opening(declared, 11002, COMMENT), name);
  };
  const withoutV6 = printed("ufw").replace(/### tuple ### allow udp 11002 ::.*\n/, "");
  expect(told("ufw", withoutV6)).toEqual([`ufw allow 11002/udp comment ${COMMENT}`]);
  expect(told("ufw", withoutV6.replace("ipv6=yes\n", ""))).toEqual([]);
  expect(told("firewalld", printed("firewalld").split("\n")[0] ?? "")).toEqual([cases[1]?.[1][0]]);
  expect(told("firewalld", printed("firewalld").split("\n")[3] ?? "")).toEqual([cases[1]?.[1][1]]);
  expect(told("nftables", printed("nft").replace("lux-fra", "former"))).toEqual([
    `nft insert rule inet filter input udp dport 11002 accept comment "${COMMENT}"`,
    "nft delete rule inet filter input handle 9",
  ]);
});

test("firewalld that does not run is told what it starts with, and that is all there is to see", () => {
  const wanted = opening({ firewall: "firewalld" }, 11002, COMMENT);
  const stopped = `stopped\n${printed("firewalld").split("\n")[3]}\n`;
  expect(text(live(look("firewalld", stopped), wanted))).toBe(text(wanted));
  expect(commands("stopped\n", wanted, "firewalld")).toEqual(cases[1]?.[1]);
});

test("all that is ours goes with the node, and nothing else", () => {
  const all = (name: string, captured: string): unknown[] =>
    Object.keys(kinds).flatMap((kind) => kindOf({ kind }).all?.(look(name, printed(captured))) ?? []);
  expect(all("ufw", "ufw")).toEqual([
    { port: 11002, comment: COMMENT },
    { device: "inter-fra", comment: COMMENT },
  ]);
  expect(all("firewalld", "firewalld")).toEqual([{ port: 11002, permanent: true, runtime: true }]);
  expect(all(CHAIN, "nft")).toMatchObject([{ handles: [11, 10] }, { handles: [9] }, { handles: [12] }]);
});

describe("a host that drops what no rule lets in", () => {
  const look = (hook: string, lines: string[]) =>
    parseSnapshot(`\x1emachine\n1\n\x1e${hook}\n${lines.join("\n")}\n\x1eend\n`, [hook]);
  const said = (lines: string[], declared: Firewall = {}) =>
    formatWithCodes(closedFaults("lux", 11002, declared, look("hook input", lines)));
  const [ufw4 = "", ufw6 = "", firewalld = "", nftables = "", legacy = ""] = printed("closed").split("\n");

  test("has a fault that names the chains, the port, and what to declare or to run", () => {
    expect(said([nftables])).toBe(
      'firewall: found a host that drops what no rule lets in: inet filter input (policy drop), legal is a firewall that is declared, so that UDP 11002 can be let in; say firewall: "nftables", firewallChain: "inet filter input" on node lux; or run `nft insert rule inet filter input udp dport 11002 accept` there and say firewall: "none"; where it is let in already, say firewall: "none". [input/firewall]',
    );
    expect(said([ufw4, ufw6])).toContain('say firewall: "ufw" on node lux; or run `ufw allow 11002/udp` there');
    expect(said([firewalld])).toContain(
      'filter_INPUT (reject with icmpx admin-prohibited), legal is a firewall that is declared, so that UDP 11002 can be let in; say firewall: "firewalld" on node lux',
    );
    expect(said([legacy])).toContain("run `iptables-legacy -I INPUT -p udp --dport 11002 -j ACCEPT` there");
  });
  test("names all of them, and those that somebody else's command lets in", () => {
    const both = ["nftables ip filter input policy drop", "nftables ip6 filter input policy drop"];
    expect(said([...both, ufw4])).toContain(
      'say firewall: "nftables", firewallChain: ["ip filter input", "ip6 filter input"] on node lux and run `ufw allow 11002/udp` there; or run `nft insert rule ip filter input udp dport 11002 accept` and `nft insert rule ip6 filter input udp dport 11002 accept` and `ufw allow',
    );
  });
  test("and chains of nftables besides those that are declared", () => {
    const both = ["nftables ip filter input policy drop", "nftables ip6 filter input policy drop", ufw4];
    const declared = (...firewallChain: string[]): Firewall => ({ firewall: "nftables", firewallChain });
    expect(said(both, declared("ip filter input"))).toBe(
      'firewallChain: found a host that drops what no rule lets in, too, in ip6 filter input (policy drop), legal is all chains that have to let in UDP 11002: a packet must pass each of them; say firewallChain: ["ip filter input", "ip6 filter input"] on node lux; a rule is added to each. [input/firewall]',
    );
    expect(said(both, declared("ip filter input", "ip6 filter input"))).toBe("");
  });
  test("and where it is a relay, what lets through what comes by its devices", () => {
    const warned = (lines: string[], declared: Firewall = {}) =>
      closedToRelays("lux", "inter-fra", declared, look("hook forward inter-fra", lines)).join();
    const run = (line: string) => /run `(.*?)` there/.exec(warned([line]))?.[1];
    const [nft, ufw, docker] = [
      "nftables inet filter forward policy drop",
      "ufw ip filter FORWARD policy drop",
      "iptables ip filter FORWARD policy drop",
    ] as const;
    expect(warned([nft])).toBe(
      'lux drops what it is to forward and no rule lets through: inet filter forward (policy drop). Unless one of yours lets through what it relays, run `nft insert rule inet filter forward iifname "inter-fra" accept` there, and see that it is so after a reboot. What no pair of the relay sends, its own rules drop. Not said where the node has firewall: "none".',
    );
    expect(run(docker)).toBe("iptables -I FORWARD -i inter-fra -j ACCEPT");
    expect(run(ufw)).toBe("ufw route allow in on inter-fra");
    // Not what rules of ours open.
    expect(warned([ufw], { firewall: "ufw" })).toBe("");
    expect(warned([firewalld], { firewall: "firewalld" })).toContain("firewall-cmd --permanent --add-forward && ");
    const declared: Firewall = { firewall: "nftables", firewallChain: [CHAIN], forwardChain: ["inet filter forward"] };
    expect(warned([nft], declared)).toBe("");
    const both = warned([nft, "nftables ip filter forward drop", docker], declared);
    expect(both).toContain(
      'say forwardChain: ["inet filter forward", "ip filter forward"] on node lux; and run `iptables',
    );
    expect(both).not.toContain("inet filter forward (");
  });
  test("has none where there is no such chain", () => {
    expect(said([])).toBe("");
    expect(closedToRelays("lux", "inter-fra", {}, look("hook forward inter-fra", []))).toEqual([]);
  });
});

test("the chain is named with nftables, and with nothing else", () => {
  const objection = (declared: Firewall) => chainObjection(declared, "firewallChain");
  expect(objection({ firewall: "nftables", firewallChain: [CHAIN] })).toBeUndefined();
  expect(objection({ firewall: "ufw" })).toBeUndefined();
  expect(objection({})).toBeUndefined();
  expect(objection({ firewall: "nftables" })?.legal).toContain("where firewall is nftables");
  expect(objection({ firewallChain: [CHAIN] })?.legal).toContain("absent");
  expect(chainObjection({ firewall: "nftables" }, "forwardChain")).toBeUndefined();
  expect(chainObjection({ firewall: "ufw", forwardChain: [CHAIN] }, "forwardChain")?.legal).toContain("absent");
});
