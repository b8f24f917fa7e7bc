/** Packets that other links lose while one is added, changed and removed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab";
import { linkChanges, nodeChanges, removal } from "./changes";
import { fullMesh } from "./network";
import { pingedMeanwhile } from "./pings";
import type { Section } from "./report";
import { Stack } from "./stack";

export async function losses(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const rows: string[][] = [["change", "sent", "a second and link", "lost"]];
  let lost = 0;
  await Stack.whileUp(lab, network, async (stack) => {
    const step = async (title: string, work: () => Promise<unknown>, counts = true) => {
      const pinged = await pingedMeanwhile(lab, work);
      if (counts) lost += pinged.lost;
      rows.push([title, String(pinged.sent), pinged.rate.toFixed(0), String(pinged.lost)]);
    };
    await step("none, for 5 s", () => sleep(5000), false);
    await step("none, `up` with nothing to do", () => stack.up(), false);
    await step("link removed", () => stack.up(removal(network)));
    await step("link added", () => stack.up(network));
    for (const [whose, changes] of Object.entries({ link: linkChanges, node: nodeChanges })) {
      for (const [field, change] of Object.entries(changes)) {
        await step(`${whose}'s ${field}`, () => stack.up(change(network)));
        await step(`${whose}'s ${field}, back`, () => stack.up(network));
      }
    }
  });
  return {
    title: "Packets lost by the other links",
    bars: [
      {
        measure: "pings lost by the other links while one is added, changed, removed",
        figure: String(lost),
        mustBe: "0",
        met: lost === 0,
      },
    ],
    text:
      "Links lux-fra (IPv4 inside) and fra-hkg (IPv6 inside) carry a ping each millisecond while lux-hkg is changed by " +
      "`pulumi up`, and then what the links of lux stand on. Every echo is accounted for by its number. The first two " +
      "rows are the baseline. A busy machine sends less than 1000 a second.",
    table: rows,
  };
}
