// Figures for Plotly from a view: the look of their mark, whose slots are filled with its data.
// Colours are roles such as "@cost", "@cost~" where they are pale.
import { PLOT_DAY, axis, monthAxis, timeAxis } from "./axes.js";
import { daysBetween, mondayOf, shifted } from "./days.js";
import { SMALL_SAMPLE, figure, fill, quantityOf, shortened, wilson } from "./format.js";
import { parsed } from "./part.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Part} Part */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./view.js").Drawn} Drawn */
/** @typedef {{ [name: string]: any }} Layout */
/** Of a look, `meta` of a trace is its slot, and that of a trace made here the one that it fills.
 * @typedef {{ data: Layout[], layout: Layout }} Figure */
/** The width of a chart, and that of a text in it, in pixels.
 * @typedef {{ isNarrow: boolean, width: number, widthOf: (text: string) => number }} Screen */
/** @typedef {Drawn & { figure: string, unit: string, label: string, role: string }} Trace */

const MONTH = 26 * PLOT_DAY; // of a column, with a gap
const PANEL_GAP = 0.14, ROOM = 32, NARROW_ROOM = 20, LEGEND_ROOM = 15; // of names, in characters
const COLOUR_KEYS = new Set(["color", "bgcolor", "fgcolor", "gridcolor", "linecolor",
  "zerolinecolor", "bordercolor", "fillcolor", "colorscale"]);
const SCALED_UNITS = /^(usd|each|decimal|range$)/;

/** The figure with each role replaced by its colour.
 * @param {any} value @param {(role: string) => string} colourOf @param {string} key
 * @returns {any} */
export const painted = (value, colourOf, key = "") => {
  if (Array.isArray(value)) return value.map((each) => painted(each, colourOf, key));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value)
        .map(([name, each]) => [name, painted(each, colourOf, name)]));
  }
  const isRole = typeof value === "string" && value[0] === "@" && COLOUR_KEYS.has(key);
  return isRole ? colourOf(value) : value;
};
/** Names are data: Plotly would read tags and entities in them.
 * @param {string} name @param {boolean} isNarrow */
export const escaped = (name, isNarrow) => {
  const short = shortened(name, isNarrow ? NARROW_ROOM : ROOM);
  return short.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
};

/** Names of rows; those that would be cut to the same keep their beginning and their end.
 * @param {Row[]} rows @param {boolean} isNarrow */
const rowNames = (rows, isNarrow) => {
  const names = rows.map(({ label }) => escaped(label, isNarrow));
  const half = ((isNarrow ? NARROW_ROOM : ROOM) >> 1) - 1;
  return rows.map(({ label }, at) => {
    const isShared = names.indexOf(names[at]) !== names.lastIndexOf(names[at]);
    if (!isShared || shortened(label, 2 * half + 2) === label) return names[at];
    const all = [...label], ends = [...all.slice(0, half), "…", ...all.slice(-half)];
    return escaped(ends.join(""), isNarrow);
  });
};
/** Money and counts become positions on the screen only here.
 * @param {string} name @param {string} unit @param {Row} row @returns {number | null} */
const position = (name, unit, row) => {
  const [part, base] = name.split("/").map((each) => quantityOf(each, row.values));
  const scale = SCALED_UNITS.test(unit) ? 1e10 : unit === "milliseconds" ? 1000 : 1;
  if (part === null || base === null || base === 0n) return null;
  const isFloat = base === undefined && unit.endsWith("seconds");
  const value = isFloat ? Number(row.values[name]) : Number(part);
  return value / scale / (base === undefined ? 1 : Number(base));
};

/** @param {Row} row */
const isPale = (row) => row.state === "p" || row.state === "i";
/** Columns of a colour; those of days that are not whole are pale, with an outline.
 * @param {string} role @param {Row[]} rows */
const columnMarker = (role, rows) => ({
  color: rows.map((row) => (isPale(row) ? `${role}~` : role)),
  line: { color: rows.map((row) => (isPale(row) ? role : "@page")),
    width: rows.map((row) => (isPale(row) ? 1.5 : rows.length > 150 ? 0 : 0.5)) } });
/** A column alone would be as narrow as a moment. @param {Row[]} rows */
const columnWidth = (rows) => (rows.length === 1 ? { width: [PLOT_DAY * 0.8] } : {});
/** @param {Trace} trace @param {Row} row */
const hoverOf = (trace, row) => {
  const text = row.state === "n" ? "no data"
    : fill(`{${trace.figure}|${trace.unit}}`, row.values);
  return `${trace.label} ${text}${stateOfRow(row)}`;
};
/** @param {Row} row */
const stateOfRow = ({ state }) => ({ p: " (so far)", i: " (incomplete)" }[state ?? ""] ?? "");
/** The legend shows the colour of a series, not that of its first day.
 * @param {string} name @param {string} role */
const legendEntry = (name, role) => ({ meta: "legend", name, marker: { color: role } });
/** @param {string} label @param {boolean} isNarrow */
const legendName = (label, isNarrow) =>
  escaped(isNarrow ? shortened(label, LEGEND_ROOM) : label, isNarrow);
/** @param {string[]} names @param {boolean} isNarrow */
const legendOf = (names, isNarrow) => ({ showlegend: names.length > 1,
  ...(names.length > 3 && isNarrow && { legend: { y: -0.12, font: { size: 11 },
    entrywidth: 0.48, entrywidthmode: "fraction" } }) });

/** @param {Part} part @returns {Trace[]} */
const tracesOf = (part) => (part.draw ?? []).map((drawn) => {
  const [name, unit, label] = parsed(drawn.value);
  return { ...drawn, figure: name, unit, label: drawn.name ?? label,
    role: `@${drawn.colour ?? "cost"}` };
});
/** Hatches the days that were not read, each in its place among all rows, as a click asks for it.
 * @param {Row[]} rows @param {string} yaxis @param {number} panel
 * @returns {{ data: Layout[], layout: Layout, annotations: Layout[] }} */
const unread = (rows, yaxis, panel) => {
  const days = rows.filter((row) => row.state === "n").map((row) => row.from);
  if (!days.length) return { data: [], layout: {}, annotations: [] };
  return {
    data: [{ meta: "unread", x: rows.map((row) => row.from), yaxis: `y${9 - panel}`,
      y: rows.map((row) => (row.state === "n" ? 1 : null)),
      width: rows.map((row) => PLOT_DAY * (daysBetween(row.from ?? "", row.to ?? "") + 1)) }],
    layout: { [`yaxis${9 - panel}`]: { overlaying: yaxis, range: [0, 1], visible: false } },
    annotations: days.length < rows.length / 10 ? [] : [{ text: "no data",
      x: days[days.length >> 1], y: 0.5, yref: `${yaxis} domain`, yanchor: "middle" }],
  };
};
/** @param {Trace} trace @param {Row[]} rows @param {(string | number)[]} x @param {string} yaxis
 * @returns {Layout[]} */
const columnOf = (trace, rows, x, yaxis) => [{
  meta: "value", name: trace.label, x, yaxis, ...columnWidth(rows),
    y: rows.map((row) => position(trace.figure, trace.unit, row)),
    customdata: rows.map((row) => hoverOf(trace, row)), marker: columnMarker(trace.role, rows) }];
/** The middle of a month. @param {Row} row */
const middleOf = ({ from = "" }) => `${from.slice(0, 7)}-16`;
/** @param {Row[]} rows */
const lineMode = (rows) => (rows.length > 40 ? "lines" : "lines+markers");
/** @param {Trace} trace @param {Row[]} rows @param {(string | number)[]} x @param {string} yaxis
 * @returns {Layout[]} */
const lineOf = (trace, rows, x, yaxis) => {
  const y = rows.map((row) => position(trace.figure, trace.unit, row));
  return [{ meta: "value", mode: lineMode(rows), name: trace.label, x, y, yaxis,
    line: { color: trace.role, dash: trace.dash ?? "solid" },
    marker: { color: trace.role, symbol: trace.dash === "dot" ? "diamond" : "circle" },
    customdata: rows.map((row) => hoverOf(trace, row)) }];
};
/** The places of a series, and their texts. @param {import("./view.js").Series} series
 * @param {Trace} trace @returns {{ places: (number | null)[], texts: string[] }} */
const tracedOf = ({ label, values, per = [] }, { figure: name, unit }) => {
  const [part, base] = name.split("/");
  const own = values.map((value, at) => ({ label, href: null,
    values: { [part]: value, ...(base && { [base]: per[at] }) } }));
  return { places: own.map((row) => position(name, unit, row)),
    texts: own.map((row) => `${escaped(label, false)}: ${figure(name, unit, row.values)}`) };
};
/** @param {import("./view.js").Series} series @param {Trace} trace @param {Row[]} rows
 * @param {(string | number)[]} x @param {boolean} isNarrow @param {boolean} isLine
 * @returns {Layout} */
const seriesTrace = (series, trace, rows, x, isNarrow, isLine) => {
  const { places: y, texts } = tracedOf(series, trace), color = `@${series.colour}`;
  const customdata = texts.map((text, at) => text + stateOfRow(rows[at]));
  const drawn = isLine ? { mode: lineMode(rows), line: { color }, marker: { color } }
    : { marker: columnMarker(color, rows), ...columnWidth(rows) };
  return { meta: "value", name: legendName(series.label, isNarrow), x, y, yaxis: "y", customdata,
    ...drawn };
};
/** The period before, as a thin line over the days of this one.
 * @param {NonNullable<View["before"]>} before @param {Trace} trace @returns {Layout} */
const beforeLine = ({ days, values, label }, { figure: name, unit }) => {
  const rows = values.map((value) => ({ label, href: null, values: { [name]: value } }));
  return { meta: "before", name: label, x: days, yaxis: "y",
    y: rows.map((row) => position(name, unit, row)),
    customdata: rows.map((row) => `Before: ${figure(name, unit, row.values)}`) };
};
const EVENT_ROWS = 3, EVENT_HEIGHT = 15, AXIS_ROOM = 72;
/** Thin lines at events, and labels above the plot. A label that would meet one of a later event is
 * in a row above it; one that has no room in any row is counted at the label after it.
 * @param {import("./period.js").Event[]} events sorted by day
 * @param {string[]} range of the axis @param {Screen} screen
 * @param {number} above pixels between plot and labels */
export const eventsOf = (events, [first, last], { isNarrow, width, widthOf }, above = 0) => {
  const begins = Array(EVENT_ROWS).fill(Infinity), right = width - AXIS_ROOM;
  const scale = right / daysBetween(first.slice(0, 10), last.slice(0, 10));
  const labels = /** @type {{ texts: string[], row: number, place: Layout }[]} */ ([]);
  for (const { day, label } of events.toReversed()) { // so that no label is between line and label
    const text = escaped(label, isNarrow), room = widthOf(`${label} +9`) + 8;
    const at = scale * (daysBetween(first.slice(0, 10), day) - 1), isLeft = at + room > right;
    const begin = isLeft ? at - room : at;
    const row = begins.findIndex((other) => begin + room <= other);
    if (row < 0) {
      labels.at(-1)?.texts.push(text);
      continue;
    }
    begins[row] = begin;
    labels.push({ texts: [text], row,
      place: { x: placeOf(day), xanchor: isLeft ? "right" : "left" } });
  }
  const annotations = labels.map(({ texts: [text, ...others], row, place }) => ({ ...place,
    text: others.length ? `${text} +${others.length}` : text, y: 1, yref: "paper",
    yshift: above + EVENT_HEIGHT * row, font: { color: "@text", size: 11 },
    ...(others.length && { hovertext: [text, ...others].join("<br>") }) }));
  const rows = Math.max(...labels.map(({ row }) => row + 1), 0);
  return { annotations, top: rows && above + EVENT_HEIGHT * rows,
    shapes: events.map(({ day, is_finding: isFinding }) => ({ x0: placeOf(day), x1: placeOf(day),
      line: { color: isFinding ? "@failure" : "@control", dash: "dot" } })) };
};
/** What stands on top of each other, above zero and below it. @param {(number | null)[][]} all */
const pilesOf = (all) => (all[0] ?? []).flatMap((_, at) => [1, -1].map((sign) =>
  all.reduce((sum, each) => sum + Math.max(sign * (each[at] ?? 0), 0), 0) * sign));
/** The left edge of a day's column. @param {string} day */
const placeOf = (day) => `${shifted(day, -1)} 12:00`;
/** Columns or lines, over the same days, in one panel or several.
 * @param {View} view @param {Part} part @param {Screen} screen @param {boolean} isLine
 * @returns {Figure} */
const overTime = (view, part, screen, isLine) => {
  const { isNarrow } = screen;
  const { rows, series } = view, traces = tracesOf(part), [by] = part.by ?? [];
  const x = rows.map((row) => (part.monthly ? middleOf(row)
    : isLine ? row.from ?? "" : String(row.values[by])));
  const panels = [...new Set(traces.map((each) => each.panel ?? 1))], count = panels.length;
  const height = (1 - PANEL_GAP * (count - 1)) / count;
  /** @type {Layout[]} */
  const data = [], annotations = /** @type {Layout[]} */ ([]);
  /** @type {Layout} */
  const layout = { annotations };
  panels.forEach((panel, index) => {
    const yaxis = index ? `y${index + 1}` : "y", top = 1 - index * (height + PANEL_GAP);
    const own = traces.filter((each) => (each.panel ?? 1) === panel);
    const [{ unit, label }] = own;
    const drawn = series.length
      ? series.map((each) => seriesTrace(each, own[0], rows, x, isNarrow, isLine))
      : own.flatMap((each) => (isLine ? lineOf : columnOf)(each, rows, x, yaxis));
    const before = view.before?.values.some((each) => each !== null) && index === 0
      ? [beforeLine(view.before, own[0])] : [];
    const piles = isLine ? [] : pilesOf(drawn.map((each) => each.y));
    const sums = [...before.flatMap((each) => each.y),
      ...isLine ? drawn.flatMap((each) => each.y) : piles];
    if (!isLine && !isNarrow && !index && rows.at(-1)?.state === "p") {
      const below = 1 + Math.round(20 * rows.length / (screen.width - AXIS_ROOM)); // columns
      const y = Math.max(...piles.slice(-2 * below));
      annotations.push({ text: "so far", x: x.at(-1), y, yref: yaxis });
    }
    layout[`yaxis${index ? index + 1 : ""}`] = { ...axis(sums, unit, count > 1 ? 2 : 3),
      domain: [Math.max(top - height, 0), top] };
    if (isLine) drawn.forEach((each) => { each.showlegend ??= index === 0; });
    const gaps = isLine ? unread([], yaxis, index) : unread(rows, yaxis, index);
    Object.assign(layout, gaps.layout);
    annotations.push(...gaps.annotations, ...(count > 1 ? [{ text: part.panels?.[index] ?? label,
      x: 0, xref: "paper", xanchor: "left", y: top, yref: "paper" }] : []));
    data.push(...drawn, ...before, ...gaps.data);
    if (isLine) return;
    data.push(...series.map((each) =>
      legendEntry(legendName(each.label, isNarrow), `@${each.colour}`)));
    if (!series.length && own.length > 1) {
      data.push(...own.map((each) => legendEntry(each.label, each.role)));
    }
  });
  const names = data.filter((each) => (isLine ? each.showlegend : /before|legend/.test(each.meta)))
    .map((each) => each.name);
  for (const each of part.monthly && !isLine ? data : []) {
    if (each.meta !== "before") each.width = MONTH;
  }
  const isWeekly = series.length && !rows.at(-1)?.href;
  const xaxis = part.monthly ? monthAxis(view.from, view.to, isNarrow)
    : timeAxis(isWeekly ? mondayOf(view.from) : view.from, view.end ?? view.to);
  const happened = (view.events ?? []).filter(({ day }) => day >= view.from && day <= view.to)
    .toSorted((a, b) => (a.day < b.day ? -1 : 1));
  const events = eventsOf(happened, xaxis.range, screen, annotations.length && EVENT_HEIGHT);
  annotations.push(...events.annotations);
  return { data, layout: { ...layout, ...legendOf(names, isNarrow), shapes: events.shapes,
    margin: { t: (count > 1 ? 24 : 12) + events.top }, ...(count > 1 && { hoversubplots: "axis" }),
    xaxis: { ...xaxis, ...(count > 1 && { anchor: `y${count}` }) } } };
};

/** Rates with their intervals; hollow where the runs are few. A share that is not known, or is
 * none, has no place. @param {Trace} trace @param {Row[]} rows */
const ratesOf = ({ figure: name, role }, rows) => {
  const points = rows.map((row) => {
    const [failed, finished] = name.split("/").map((each) => quantityOf(each, row.values));
    const isShare = failed !== null && finished && failed >= 0 && failed <= finished;
    const [low, high] = isShare ? wilson(failed, finished) : [0, 0];
    return { low, high, rate: isShare ? Number(failed) / Number(finished) : null,
      isSmall: Number(finished ?? 0) < SMALL_SAMPLE,
      counts: fill(`{f|count} of {n|count}`, { f: failed, n: finished }),
      hover: fill(`{${name}|rate} {${name}|interval}`, row.values) };
  });
  const bars = { color: role, array: points.map((each) => each.high - (each.rate ?? each.high)),
    arrayminus: points.map((each) => (each.rate ?? each.low) - each.low) };
  const dots = { meta: "rate", customdata: points.map((each) => each.hover),
    marker: { color: role, line: { color: role },
      symbol: points.map((each) => (each.isSmall ? "circle-open" : "circle")) } };
  return { points, bars, dots, shares: axis(points.map((each) => each.high), "share") };
};
/** @param {View} view @param {Part} part @returns {Figure} */
const ratesOverTime = ({ rows, from, to }, part) => {
  const [trace] = tracesOf(part), { points, bars, dots, shares } = ratesOf(trace, rows);
  const x = rows.map((row) => (part.monthly ? middleOf(row) : row.from));
  const line = { meta: "course", x, y: points.map((each) => (each.isSmall ? null : each.rate)),
    line: { color: trace.role } };
  return { data: [line, { ...dots, x, y: points.map((each) => each.rate), error_y: bars }],
    layout: { xaxis: (part.monthly ? monthAxis : timeAxis)(rows[0]?.from ?? from,
      rows.at(-1)?.to ?? to, false), yaxis: shares } };
};
/** @param {Row[]} rows @param {number} lines @param {boolean} isNarrow */
export const rowsLayout = (rows, lines, isNarrow) => {
  const places = rows.map((_, index) => `row ${index}`);
  return { height: 40 + rows.length * 28 * lines,
    yaxis: { categoryarray: places, tickvals: places, ticktext: rowNames(rows, isNarrow) } };
};
/** Bars by row on top of each other. @param {View} view @param {Trace} trace
 * @param {boolean} isNarrow @returns {Figure} */
const stackedBars = ({ rows, series }, trace, isNarrow) => {
  const layout = rowsLayout(rows, 1, isNarrow), y = layout.yaxis.tickvals;
  const data = series.map((each) => {
    const { places: x, texts } = tracedOf(each, trace);
    return { meta: "value", name: legendName(each.label, isNarrow), x, y, customdata: texts,
      marker: { color: `@${each.colour}` } };
  });
  const tops = pilesOf(data.map(({ x }) => x)), ends = rows.map((_, at) => tops[2 * at]);
  const sums = { meta: "sum", x: ends, y,
    text: rows.map((row) => figure(trace.figure, trace.unit, row.values)) };
  return { data: [...data, sums], layout: { ...layout,
    xaxis: { range: [Math.min(0, ...tops), Math.max(0, ...tops) || 1] } } };
};
/** Bars by row, of one figure or of several beside each other.
 * @param {View} view @param {Trace[]} traces @param {boolean} isNarrow @returns {Figure} */
const barsOf = ({ rows }, traces, isNarrow) => {
  const layout = rowsLayout(rows, traces.length, isNarrow), y = layout.yaxis.tickvals;
  const data = traces.map((trace) => {
    const unit = trace.unit === "usd" ? "usd_headline" : trace.unit;
    const text = rows.map((row) => fill(`{${trace.figure}|${unit}}`, row.values));
    return { meta: "value", name: trace.label, y,
      x: rows.map((row) => position(trace.figure, trace.unit, row)),
      text, customdata: text.map((each) => `${trace.label} ${each}`),
      marker: { color: rows.map((row) => (row.isOthers ? "@others" : trace.role)) } };
  });
  const values = data.flatMap((trace) => trace.x.map((each) => each ?? 0));
  /** @param {boolean} isBefore For texts before the bars, or after them. */
  const roomOf = (isBefore) => Math.max(8, ...data.flatMap(({ x, text }) => text.map((each, at) =>
    ((x[at] ?? 0) < 0 === isBefore ? 7 * each.length + 10 : 0))));
  return { data, layout: { ...layout, margin: { r: roomOf(false) }, showlegend: traces.length > 1,
    xaxis: { range: [Math.min(0, ...values), Math.max(0, ...values) || 1] },
    shapes: [{ x0: 0, x1: 0, line: { color: "@control" } }],
    yaxis: { ...layout.yaxis, ticklabelstandoff: roomOf(true) - 4 } } };
};
/** Rates by row with their counts at the right.
 * @param {View} view @param {Part} part @param {boolean} isNarrow @returns {Figure} */
const rateRows = ({ rows }, part, isNarrow) => {
  const [first] = tracesOf(part), { points, bars, dots, shares } = ratesOf(first, rows);
  const layout = rowsLayout(rows, 1, isNarrow), y = layout.yaxis.tickvals;
  const rates = { ...dots, y, x: points.map((each) => each.rate), error_x: bars };
  const even = (/** @type {any[]} */ all) => all.filter((_, index) => index % 2 === 0);
  const xaxis = isNarrow ? { ...shares, tickvals: even(shares.tickvals),
    ticktext: even(shares.ticktext) } : shares;
  const counts = { meta: "counts", y, x: points.map(() => shares.range[1]),
    text: points.map((each) => each.counts) };
  return { data: [rates, counts], layout: { ...layout, xaxis } };
};

/** The figure of a view, with colours as roles.
 * @param {View} view @param {Part} part @param {Screen} screen
 * @param {{ [mark: string]: any }} looks @returns {Figure} */
export const plot = (view, part, screen, looks) => {
  const { mark = "" } = part, { isNarrow } = screen;
  const isRates = mark === "interval" && view.axis === "time";
  const name = isRates ? "rates" : mark === "bar" && part.stack ? "stack" : mark;
  const { data, layout } = isRates ? ratesOverTime(view, part)
    : mark === "interval" ? rateRows(view, part, isNarrow)
    : name === "stack" ? stackedBars(view, tracesOf(part)[0], isNarrow)
    : mark === "bar" ? barsOf(view, tracesOf(part), isNarrow)
    : overTime(view, part, screen, mark === "line");
  const look = looks[name];
  const slots = new Map(look.data.map((/** @type {Layout} */ each) => [each.meta, each]));
  return { data: data.map((each) => merged(slots.get(each.meta), each)),
    layout: { ...merged(merged(look.layout, layout), part.look ?? {}), template: looks.template } };
};
/** The first with what the second has beside it, or in place of it.
 * @param {Layout} base @param {Layout} change @returns {Layout} */
const merged = (base, change) => ({ ...base, ...Object.fromEntries(Object.entries(change)
  .map(([name, each]) => [name, base[name]?.constructor === Object && each?.constructor === Object
    ? merged(base[name], each) : each])) });
