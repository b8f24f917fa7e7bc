/**
 * Hosts that choose where they call each other, left alone: with packets lost on the path that is preferred, and with a store
 * that is away.
 */

import { Choosing, within } from "../e2e/days/choose";
import { on } from "../e2e/days/network";
import { hostsOf } from "../e2e/hosts";
import type { Lab } from "../lab";
import { pause } from "../lab/run";
import { onLab, type Trial } from "./trial";

const PREFERRED = 11001;
const endpoints = (lab: Lab): Promise<string> => on(lab, "fra", "wg show all endpoints");
const moves = (said: string[]): string[] => said.filter((line) => / -> /.test(line));

/** One packet in ten, each way, is lost between lux and fra by IPv4, which lux calls fra by first. */
const lossy = (lab: Lab, net: Choosing) => {
  const at = `meta l4proto udp ip`;
  const address = lab.json.hosts.lux?.addresses[0] ?? "";
  const one = "numgen random mod 10 == 0";
  return net.cut("fra", { input: [`${at} saddr ${address} ${one}`], output: [`${at} daddr ${address} ${one}`] });
};

const alone = (minutes: number) => async (lab: Lab) => {
  const hosts = hostsOf(lab);
  const net = await Choosing.make(lab, hosts, [
    ["lux", "fra"],
    ["fra", "hkg"],
  ]);
  try {
    await net.start("lux", net.lines("fra", net.endpoints("lux", "fra")));
    await net.start("fra", net.lines("hkg", net.endpoints("fra", "hkg")), { fetch: 60 });
    await pause(10_000);
    await net.said("lux");
    await net.said("fra");
    const before = await endpoints(lab);
    await lossy(lab, net);
    await on(lab, "fra", "mv /srv/truth /srv/away");
    await pause(minutes * 30_000);
    const half = moves(await net.said("lux"));
    const where = await net.endpoint("lux", "fra");
    if (half.length > 1) throw new Error(`${half.length} switches in ${minutes / 2} minutes:\n${half.join("\n")}`);
    await pause(minutes * 30_000);
    const told = await net.said("fra");
    if (told.length !== 1 || (await endpoints(lab)) !== before)
      throw new Error(`with its store away fra said:\n${told.join("\n")}\nand calls\n${await endpoints(lab)}`);
    await on(lab, "fra", "mv /srv/away /srv/truth");
    const switched = `${half.length} switches, and it called ${where} in the end (${PREFERRED} is fra's port)`;
    return `${minutes / 2} minutes with one packet in ten lost each way: ${switched}; ${minutes} minutes without a store: one line, links as before`;
  } finally {
    net.signer.remove();
    await hosts.close();
  }
};

/** lux knows hkg by a name alone, which means another address than where its link calls: a dead one. */
async function name(lab: Lab): Promise<string> {
  const hosts = hostsOf(lab);
  const net = await Choosing.make(lab, hosts, [["lux", "hkg"]]);
  const [there = ""] = lab.json.hosts.hkg?.addresses ?? [];
  try {
    await on(lab, "lux", `echo '${there} hkg.example.net' >>/etc/hosts`);
    await on(lab, "lux", `wg set inter-hkg peer ${net.keys.hkg} endpoint 203.0.113.250:9`);
    const began = Date.now();
    await net.start("lux", [net.peerLine("hkg"), `name ${net.keys.hkg} hkg.example.net 11001 0 any`]);
    await pause(100_000);
    const early = await net.endpoint("lux", "hkg");
    if (early !== "203.0.113.250:9") throw new Error(`a name was resolved while a session was young: ${early}`);
    await within(120, "lux calls hkg by its name", async () => (await net.endpoint("lux", "hkg")) === `${there}:11001`);
    await on(lab, "lux", "ping -n -q -c 3 -i 0.2 -W 5 10.255.0.3");
    const said = (await net.said("lux")).join("\n");
    if (!said.includes(`hkg.example.net is ${there}`)) throw new Error(`it did not say so:\n${said}`);
    return `resolved and called after ${((Date.now() - began) / 1000).toFixed(0)} s`;
  } finally {
    net.signer.remove();
    await hosts.close();
  }
}

export const named: Trial = {
  title: "a peer that is known by a name",
  mustBe: "called when the handshake is older than 135 s",
  run: () => onLab(name),
};

export const choosing = (minutes: number): Trial => ({
  title: `${minutes} minutes of hosts that choose, left alone`,
  mustBe: "1 switch or fewer; without a store one line, links as before",
  run: () => onLab(alone(minutes)),
});
