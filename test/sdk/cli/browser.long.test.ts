/** `overlay topology` in a real browser: what fonts make of a picture is known only there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stackNetwork, stackResources } from "../../../sdk/cli/stack";
import type { Live } from "../../../sdk/cli/topology/live";
import { svg } from "../../../sdk/cli/topology/svg";
import { describeWhere } from "../../can";
import { golden } from "../golden";
import { type Drawn, drawn, screenshot } from "./browser";
import { shapes, stateOf } from "./networks";
import { overlap } from "./picture";

/** Everything is in some state or other. */
const LIVE: Live = {
  node: (name) => (name.endsWith("3") ? "unreachable" : name.endsWith("4") ? "drift: 12 lines" : undefined),
  line: (link) => ({ state: (["up", "idle", "down", "unknown"] as const)[link.length % 4] ?? "up", words: [] }),
  member: (_, node) => ({ state: (["up", "idle", "down"] as const)[node.length % 3] ?? "up", words: [] }),
  relay: () => ({ state: "idle", words: [] }),
};

const pictures: [name: string, svg: string][] = [
  ["the README's", readFileSync(join(__dirname, "../../../docs/topology.svg"), "utf8")],
  ["of everything", readFileSync(join(golden, "topology/everything.svg"), "utf8")],
  ...Object.entries(shapes).flatMap(([name, shape]): [string, string][] => {
    const network = stackNetwork(stackResources(stateOf(shape)));
    return [
      [name, svg(network)],
      [`${name}, live`, svg(network, LIVE)],
    ];
  }),
];

/** Ascent and descent, which few letters have, may touch the next line's. */
const letters = ({ texts }: Drawn) =>
  texts.map((it) => {
    const [[x = 0, y = 0] = [], , , [x2 = 0, y2 = 0] = []] = it.area;
    const [dx, dy] = [(x2 - x) * 0.15, (y2 - y) * 0.15];
    const [a, b, c, d] = it.area as [[number, number], [number, number], [number, number], [number, number]];
    const area = [a, b].map(([px, py]) => [px + dx, py + dy] as const);
    return { ...it, area: [...area, ...[c, d].map(([px, py]) => [px - dx, py - dy] as const)] };
  });

describeWhere("browser", "pictures in Chromium", () => {
  describe.each([
    ["light", false],
    ["dark", true],
  ])("on %s", (_, dark) => {
    let all: Drawn[] = [];
    beforeAll(async () => {
      all = await drawn(
        pictures.map(([, it]) => it),
        dark,
      );
    }, 120_000);

    test.each(pictures.map(([name], index) => [name, index] as const))("%s", (_, index) => {
      const picture = all[index];
      if (!picture) throw new Error("nothing was drawn");
      expect(picture.texts.length).toBeGreaterThan(1);
      const outside = picture.texts.filter(({ area }) =>
        area.some(([x, y]) => x < 0 || y < 0 || x > picture.width || y > picture.height),
      );
      expect(outside.map(({ text }) => text)).toEqual([]);
      const cut = picture.texts.filter(({ beyond }) => beyond > 0);
      expect(cut.map(({ text, within, beyond }) => `${text} is ${beyond} px beyond its ${within}`)).toEqual([]);
      const texts = letters(picture);
      const over = texts.flatMap((one, at) =>
        texts.slice(at + 1).flatMap((it) => (overlap(one.area, it.area) ? [`${one.text} and ${it.text}`] : [])),
      );
      expect(over).toEqual([]);
      // WCAG 2.2, 1.4.3: what people with less sight read.
      const faint = picture.texts.filter(({ contrast }) => contrast < 4.5);
      expect([...new Set(faint.map(({ text, within, contrast }) => `${text} on ${within}: ${contrast}`))]).toEqual([]);
    });
  });

  test("as an image of its own, it is drawn, and others on dark than on light", async () => {
    const [, readme = ""] = pictures[0] ?? [];
    const [light, dark] = await Promise.all([screenshot(readme, false), screenshot(readme, true)]);
    for (const png of [light, dark]) expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(light.equals(dark)).toBe(false);
  });
});
