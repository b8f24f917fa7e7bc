/** Colours of a picture, on light and on dark. Written out in both: some viewers of SVG know no variables of CSS. */

/** Colours that segments have one after the other. */
const CHIPS = [
  ["#fef3c7", "#92400e", "#42300a", "#fcd34d"],
  ["#cffafe", "#155e75", "#0c3540", "#67e8f9"],
  ["#fce7f3", "#9d174d", "#47122f", "#f9a8d4"],
  ["#ecfccb", "#3f6212", "#28380d", "#bef264"],
  ["#ede9fe", "#5b21b6", "#2e1f56", "#c4b5fd"],
  ["#ffedd5", "#9a3412", "#451f0e", "#fdba74"],
  ["#d1fae5", "#065f46", "#0a3a2c", "#6ee7b7"],
  ["#e2e8f0", "#334155", "#2b3442", "#cbd5e1"],
] as const;
export const SEGMENTS = CHIPS.length;

/** Selector, property, light, dark. */
const COLOURS: [string, string, string, string][] = [
  [".page", "fill", "#ffffff", "#0d1117"],
  [".page", "stroke", "#e2e8f0", "#21262d"],
  [".card", "fill", "#f8fafc", "#161b22"],
  [".card", "stroke", "#94a3b8", "#484f58"],
  [".dot", "fill", "#475569", "#8b949e"],
  ["text", "fill", "#0f172a", "#e6edf3"],
  [".quiet", "fill", "#556377", "#8b949e"],
  [".address,.said", "fill", "#475569", "#a8b3c1"],
  [".label", "fill", "#ffffff", "#0d1117"],
  [".line", "stroke", "#3b82f6", "#4c8dff"],
  [".tip", "fill", "#3b82f6", "#4c8dff"],
  [".pq .line", "stroke", "#059669", "#2ea66f"],
  [".pq .tip", "fill", "#059669", "#2ea66f"],
  [".mesh .line", "stroke", "#8b5cf6", "#a58bfa"],
  [".mesh .tip", "fill", "#8b5cf6", "#a58bfa"],
  [".mesh .hub", "stroke", "#8b5cf6", "#a58bfa"],
  [".mesh .hub", "fill", "#f5f3ff", "#1e1a33"],
  [".way .line", "stroke", "#d97706", "#d29922"],
  [".by", "fill", "#b45309", "#e3b341"],
  [".idle .line", "stroke", "#94a3b8", "#6e7681"],
  [".idle .tip", "fill", "#94a3b8", "#6e7681"],
  [".unknown .line", "stroke", "#cbd5e1", "#484f58"],
  [".unknown .tip", "fill", "#cbd5e1", "#484f58"],
  [".chip.idle,.chip.unknown", "stroke", "#94a3b8", "#6e7681"],
  [".down .line,.bad .card,.chip.down", "stroke", "#dc2626", "#f85149"],
  [".down .tip,.bad .dot,text.ill", "fill", "#dc2626", "#f85149"],
  ...CHIPS.flatMap(([back, front, darkBack, darkFront], index): [string, string, string, string][] => [
    [`.chip.s${index}`, "fill", back, darkBack],
    [`text.s${index}`, "fill", front, darkFront],
  ]),
];

const SHAPES = `text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:11px;text-anchor:middle}
.title{font-size:18px;font-weight:600;text-anchor:start}
.start{text-anchor:start}.end{text-anchor:end}
.name{font-size:15px;font-weight:600}.small{font-size:12px}
.address,.in{font-family:ui-monospace,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}
.node .address{font-size:12px}.spoken .name{font-size:13px}.spoken .address{font-size:11px}.first{font-weight:600}
.line{fill:none;stroke-width:1.8}.idle.idle .line,.down.down .line{stroke-dasharray:2 4}.many .line{stroke-width:1.1;stroke-opacity:.65}
.chip.idle,.chip.unknown,.chip.down{stroke-width:1.5;stroke-dasharray:3 3}.way .line{stroke-dasharray:6 5}.foreign .card{stroke-dasharray:4 4}
.link:hover .line,.mesh .spoke:hover .line,.way:hover .line{stroke-width:4;stroke-opacity:1}`;

const css = (column: 2 | 3): string => COLOURS.map((row) => `${row[0]}{${row[1]}:${row[column]}}`).join("");

/** `nodes`: classes of nodes, whose own lines alone are shown while the mouse is over them. */
export const style = (nodes: readonly string[]): string =>
  [
    SHAPES,
    css(2),
    `@media (prefers-color-scheme:dark){${css(3)}}`,
    nodes.map((it) => `svg:has(.node.${it}:hover) :is(.link,.way,.spoke):not(.${it}){opacity:.08}`).join("\n"),
  ].join("\n");
