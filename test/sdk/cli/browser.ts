/** What a real browser makes of pictures: where each text, box and line is, and in which colours. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Area } from "./picture";

export interface Drawn {
  width: number;
  height: number;
  texts: {
    text: string;
    area: Area;
    /** WCAG 2.2, relative to what it stands on. */
    contrast: number;
    /** The class of what it has to stay within: a card, a chip, a label; nothing, where it stands on the page. */
    within?: string;
    /** Pixels by which it is beyond that. */
    beyond: number;
  }[];
}

/** Runs in the browser, on each `<svg>` of the page. Written as text, because it has the DOM's types and this has Node's. */
const MEASURE = `
const corners = (element, { x, y, width, height }) => {
  const matrix = element.getScreenCTM();
  const origin = element.ownerSVGElement.getBoundingClientRect();
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]].map(([x, y]) => {
    const at = new DOMPoint(x, y).matrixTransform(matrix);
    return [at.x - origin.left, at.y - origin.top];
  });
};
const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
const luminance = (colour) => {
  const [r, g, b] = channels(colour).map((it) => it / 255).map((it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [high, low] = [luminance(a), luminance(b)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const isBehind = (text, rect) => {
  const inverse = rect.getScreenCTM().inverse();
  const { x, y, width, height } = text.getBBox();
  const at = new DOMPoint(x + width / 2, y + height / 2).matrixTransform(text.getScreenCTM()).matrixTransform(inverse);
  const box = rect.getBBox();
  return at.x >= box.x && at.x <= box.x + box.width && at.y >= box.y && at.y <= box.y + box.height;
};
const beyond = (text, rect) => {
  const a = text.getBBox(), b = rect.getBBox();
  return Math.max(b.x - a.x, a.x + a.width - b.x - b.width, 0);
};
const measured = (svg) => {
  const rects = [...svg.querySelectorAll("rect")];
  return {
    width: svg.width.baseVal.value,
    height: svg.height.baseVal.value,
    texts: [...svg.querySelectorAll("text")].map((text) => {
      const behind = rects.filter((it) => it.compareDocumentPosition(text) & 4 && isBehind(text, it)).at(-1);
      const own = behind.classList.contains("page") ? undefined : behind;
      return {
        text: text.textContent,
        area: corners(text, text.getBBox()),
        contrast: contrast(getComputedStyle(text).fill, getComputedStyle(behind).fill),
        within: own && own.getAttribute("class"),
        beyond: own ? beyond(text, own) : 0,
      };
    }),
  };
};
document.body.replaceChildren(Object.assign(document.createElement("pre"), {
  textContent: JSON.stringify([...document.querySelectorAll("svg")].map(measured)),
}));
`;

const chromium = (folder: string, dark: boolean, words: string[]): string => {
  const options = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`];
  // Blink's enum PreferredColorScheme: 0 is dark, 1 is light.
  const scheme = `--blink-settings=preferredColorScheme=${dark ? 0 : 1}`;
  const { status, stdout, stderr } = spawnSync("chromium", [...options, scheme, ...words], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    timeout: 60_000,
  });
  if (status === 0) return stdout;
  throw new Error(`chromium ended with ${status}: ${stderr.slice(-2000)}`);
};

async function inFolder<T>(work: (folder: string) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "overlay-browser-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of each picture, as it is drawn on light or on dark. */
export const drawn = (pictures: readonly string[], dark: boolean): Promise<Drawn[]> =>
  inFolder((folder) => {
    const page = join(folder, "page.html");
    const html = `<!doctype html><meta charset="utf-8"><body style="margin:0">${pictures.join("")}<script>${MEASURE}</script>`;
    writeFileSync(page, html);
    // On a busy machine Chromium may dump a page that it has not loaded yet, also where it is told to wait.
    let json: string | undefined;
    for (let tries = 0; json === undefined && tries < 3; tries++) {
      const dom = chromium(folder, dark, ["--virtual-time-budget=30000", "--dump-dom", `file://${page}`]);
      json = /<pre>(.*)<\/pre>/s.exec(dom)?.[1];
    }
    if (json === undefined) throw new Error("chromium has not loaded the page in three attempts");
    const said = json
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&nbsp;", "\u00a0")
      .replaceAll("&amp;", "&");
    return JSON.parse(said) as Drawn[];
  });

/** A picture as pixels, PNG. */
export const screenshot = (svg: string, dark: boolean): Promise<Buffer> =>
  inFolder((folder) => {
    const [file, png] = [join(folder, "picture.svg"), join(folder, "picture.png")];
    writeFileSync(file, svg);
    const [, width = "800", height = "600"] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
    const size = `--window-size=${Math.ceil(Number(width))},${Math.ceil(Number(height))}`;
    chromium(folder, dark, [size, "--hide-scrollbars", `--screenshot=${png}`, `file://${file}`]);
    return readFileSync(png);
  });
