/** A status for a terminal: a line for each row where it is wide enough, else a few. Pure. */
import { HEALTHY } from "../../rosenpass";
import { TURNS } from "../direction";
import { type HostStatus, type Row, type Status, troubles } from "./rows";

export interface Terminal {
  /** Characters in a line; absent: as many as like. */
  columns?: number | undefined;
  /** Lines of a screen, the last of which is the cursor's; absent: as many as like. */
  rows?: number | undefined;
  colours: boolean;
}

/** ECMA-48, 8.3.117. */
const COLOURS = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 };
type Colour = keyof typeof COLOURS;
type Paint = (text: string, colour: Colour | undefined) => string;

const UNSHOWN = new RegExp(String.raw`[\p{Cc}${TURNS}]`, "gu");
/** A name of a state that somebody has written may have any character. */
export const shown = (text: string): string => text.replace(UNSHOWN, "\ufffd");

/** `840 B`, `1.2 MB` */
export function bytes(number: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const unit = Math.min(Math.floor(Math.log10(Math.max(number, 1)) / 3), units.length - 1);
  const value = number / 1000 ** unit;
  return `${unit === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** `12 s`, `3 min`, `5 h`, `2 d` */
export function age(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

function mtu({ mtu: { declared, device, path, measured } }: Row): string {
  const passes = path !== undefined && path < declared;
  return [
    measured && !passes ? `${declared} proven` : `${declared}`,
    ...(device !== undefined && device !== declared ? [`is ${device}`] : []),
    ...(passes ? [`${measured ? "passes" : "passed"} ${path}`] : []),
    ...(measured === false ? ["no answer"] : []),
  ].join(", ");
}

function keys({ postQuantum }: Row): string {
  if (!postQuantum) return "-";
  return `${postQuantum.health === HEALTHY ? HEALTHY : "ILL"}, ${postQuantum.mode}`;
}

/** Of a segment, how many of the others are reached, as far as that is known. */
function to({ peer = "-", by, members }: Row): string {
  if (by !== undefined) return `${peer} by ${by}`;
  const known = members?.filter(({ state }) => state !== "unknown") ?? [];
  if (known.length === 0) return peer;
  return `${known.filter(({ state }) => state === "up").length} of ${known.length}`;
}

const COLUMNS: [title: string, value: (row: Row) => string][] = [
  ["LINK", ({ link }) => link],
  ["TO", to],
  ["STATE", ({ state }) => state],
  ["HANDSHAKE", ({ handshake }) => (handshake === undefined ? "-" : `${age(handshake)} ago`)],
  ["ENDPOINT", ({ endpoint = "-" }) => endpoint],
  ["WHY", ({ why = "-" }) => why],
  ["RX", ({ rx }) => (rx === undefined ? "-" : bytes(rx))],
  ["TX", ({ tx }) => (tx === undefined ? "-" : bytes(tx))],
  ["MTU", mtu],
  ["KEYS", keys],
];

const STATES: Record<string, Colour> = {
  up: "green",
  idle: "yellow",
  down: "red",
  unreachable: "red",
  ILL: "red",
};

const driftOf = ({ drift }: HostStatus): string => (drift.length === 0 ? "-" : `${drift.length} lines`);
const seen = ({ age: seconds }: HostStatus): string => (seconds === undefined ? "-" : `${age(seconds)} ago`);
/** Packets that the guard of a host has dropped, of all its devices. */
const guard = ({ reachable, guards }: HostStatus): string =>
  reachable && guards.length > 0 ? `${guards.reduce((sum, { packets }) => sum + packets, 0)}` : "-";

/** Of a host, in its first row alone. */
const HOST_COLUMNS: [title: string, value: (host: HostStatus) => string][] = [
  ["GUARD", guard],
  ["DRIFT", driftOf],
  ["SEEN", seen],
];

/** Of the host itself. */
function stateOf({ reachable, fault }: HostStatus): string {
  if (reachable) return "up";
  return fault === undefined ? "not seen yet" : "unreachable";
}

/** A row of words for each, the host's name first and what is the host's own last. */
function cellsOf(host: HostStatus): string[][] {
  const own = HOST_COLUMNS.map(([, value]) => value(host));
  const alone = [host.name, ...COLUMNS.map(([title]) => (title === "STATE" ? stateOf(host) : "-")), ...own];
  if (host.rows.length === 0) return [alone];
  return host.rows.map((row, index) => [
    host.name,
    ...COLUMNS.map(([, value]) => value(row)),
    ...(index === 0 ? own : own.map(() => "")),
  ]);
}

/** Columns that have colours. */
const COLOURED = ["STATE", "KEYS"];

function wide(hosts: readonly HostStatus[], paint: Paint): { lines: string[]; width: number } {
  const titles = ["HOST", ...[...COLUMNS, ...HOST_COLUMNS].map(([title]) => title)];
  const cells = hosts.flatMap(cellsOf).map((row) => row.map(shown));
  // What nobody has is no column.
  const used = titles.flatMap((title, index) =>
    ["HOST", "STATE"].includes(title) || cells.some((row) => !["", "-"].includes(row[index] ?? "")) ? [index] : [],
  );
  const widths = new Map(
    used.map((index) => [index, Math.max(titles[index]?.length ?? 0, ...cells.map((row) => row[index]?.length ?? 0))]),
  );
  const line = (row: readonly string[], colour: (text: string, title: string) => Colour | undefined): string =>
    used
      .map((index) => {
        const text = row[index] ?? "";
        return paint(text, colour(text, titles[index] ?? "")) + " ".repeat((widths.get(index) ?? 0) - text.length);
      })
      .join("  ")
      .trimEnd();
  const coloured = (text: string, title: string) =>
    COLOURED.includes(title) ? STATES[text.split(",")[0] ?? ""] : undefined;
  return {
    lines: [line(titles, () => "bold"), ...cells.map((row) => line(row, coloured))],
    width: [...widths.values()].reduce((sum, width) => sum + width + 2, -2),
  };
}

/** Words in lines that are not longer than `columns`, if words are not. `more`: what lines after the first begin with. */
function wrapped(words: readonly string[], columns: number, indent: string, more = indent): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= columns) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push((lines.length === 0 ? indent : more) + word);
  }
  return lines.flatMap((line) => folded(line, columns, more));
}

/** Between words where there are some, else anywhere: nothing is lost at the edge of a terminal. */
export function folded(line: string, columns: number, indent: string): string[] {
  const lines: string[] = [];
  const more = `${indent}  `;
  let rest = line;
  while (rest.length > columns && columns > 2 * more.length) {
    const space = rest.lastIndexOf(" ", columns);
    const at = space > more.length ? space : columns;
    lines.push(rest.slice(0, at));
    rest = more + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

function narrow(hosts: readonly HostStatus[], columns: number, paint: Paint): string[] {
  return hosts.flatMap((host) => [
    ...narrowTitle(host, columns, paint),
    ...host.rows.flatMap((row) => narrowRow(row, columns, paint)),
  ]);
}

function narrowTitle(host: HostStatus, columns: number, paint: Paint): string[] {
  const [name, packets] = [shown(host.name), guard(host)];
  const words = [
    ...(host.reachable ? [] : [stateOf(host)]),
    ...(host.drift.length > 0 ? [`drift: ${driftOf(host)}`] : []),
    ...(["-", "0"].includes(packets) ? [] : [`guard ${packets}`]),
    ...(host.age === undefined ? [] : [`seen ${seen(host)}`]),
  ].join(", ");
  if (name.length + 2 + words.length > columns) {
    return folded([name, words].filter(Boolean).join("  "), columns, "").map((line) => paint(line, "bold"));
  }
  return [[paint(name, "bold"), paint(words, host.reachable ? "yellow" : "red")].join("  ").trimEnd()];
}

function narrowRow(row: Row, columns: number, paint: Paint): string[] {
  const { link, peer, members, state, handshake, endpoint, why, rx, tx, postQuantum } = row;
  const whom = to(row);
  const reached = members === undefined || whom === "-" ? [] : [`reaches ${whom}`];
  const head = [
    `${link}${peer === undefined ? "" : ` to ${whom}`}: ${state}`,
    ...reached,
    ...(handshake === undefined ? [] : [`handshake ${age(handshake)} ago`]),
  ];
  const more = [
    ...(endpoint === undefined ? [] : [endpoint]),
    ...(why === undefined ? [] : [why]),
    ...(rx === undefined || tx === undefined ? [] : [`rx ${bytes(rx)}`, `tx ${bytes(tx)}`]),
    `MTU ${mtu(row)}`,
    ...(postQuantum === undefined ? [] : [`keys ${keys(row)}`]),
  ];
  return [
    ...wrapped(head.map(shown), columns, "  ", "    ").map((line) => paint(line, STATES[state])),
    ...wrapped(more.map(shown), columns, "    "),
  ];
}

/** `10 hosts, 1 unreachable; 90 links, 2 idle` */
function summary({ stack, hosts }: Status): string {
  const rows = hosts.flatMap((host) => host.rows);
  const count = (number: number, word: string): string[] => (number === 0 ? [] : [`${number} ${word}`]);
  const ofHosts = [
    `${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`,
    ...count(hosts.filter(({ reachable }) => !reachable).length, "unreachable"),
    ...count(hosts.filter(({ drift }) => drift.length > 0).length, "with drift"),
  ];
  const ofRows = (["up", "idle", "down"] as const).flatMap((state) =>
    count(rows.filter((row) => row.state === state).length, state),
  );
  return `${stack}: ${[ofHosts.join(", "), ofRows.join(", ")].filter(Boolean).join("; sides of links: ")}`;
}

/** With a newline at its end. */
export function table(status: Status, { columns, rows, colours }: Terminal): string {
  const paint: Paint = (text, colour) =>
    colours && colour && text !== "" ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  const most = columns ?? Number.POSITIVE_INFINITY;
  const full = wide(status.hosts, paint);
  const lines = full.width <= most ? full.lines : narrow(status.hosts, most, paint);
  const decisions = status.hosts.flatMap(({ name, decisions }) =>
    decisions.map(({ peer, device, ago, text }) => `${name} about ${peer} (${device}), ${age(ago)} ago: ${text}`),
  );
  const told = (title: string, all: string[], colour?: Colour): string[] =>
    all.length === 0
      ? []
      : [
          "",
          paint(title, "bold"),
          ...all
            .map(shown)
            .flatMap((line) => folded(`  ${line}`, most, "  "))
            .map((line) => paint(line, colour)),
        ];
  const head = [...folded(shown(summary(status)), most, ""), ""];
  const known = told("LAST DECISIONS OF THE HOSTS", decisions);
  const wrong = told("NOT AS IT SHOULD BE", status.hosts.flatMap(troubles), "yellow");
  const whole = [...head, ...lines, ...known, ...wrong];
  if (rows === undefined || whole.length < rows) return [...whole, ""].join("\n");
  // What is wrong is not what is cut off.
  const first = [...head, ...wrong.slice(1), ...(wrong.length > 0 ? [""] : []), ...lines, ...known];
  const room = rows - 2;
  const more = `… and ${first.length - room} more lines: a larger terminal, or --host NAME`;
  return [...first.slice(0, room), more, ""].join("\n");
}
