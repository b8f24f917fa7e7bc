/**
 * Hosts that choose where they call each other, left alone: with packets lost on the path that is preferred, and with a store
 * that is away.
 */

import { Choosing } from "../e2e/days/choose";
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

export const choosing = (minutes: number): Trial => ({
  title: `${minutes} minutes of hosts that choose, left alone`,
  run: () => onLab(alone(minutes)),
});
