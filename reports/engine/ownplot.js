// Figures of pages of one's own: columns, lines and bars over any column, a series each.
import { axis, timeAxis } from "./axes.js";
import { daysBetween, lastDayOf } from "./days.js";
import { HOVER, escaped, framed, legendOf, note, plot, rowsLayout } from "./plot.js";

/** @typedef {import("./plot.js").Layout} Layout */
/** @typedef {import("./plot.js").Figure} Figure */
/** @typedef {import("./own.js").Own} Own */
/** @typedef {import("./own.js").OwnView} OwnView */
/** @typedef {import("./view.js").Series} Series */
/** @typedef {import("./format.js").Quantity} Quantity */

const FEW_NAMES = 8, MANY_POINTS = 40, FEW_MONTHS = 12;

/** Money and counts become positions on the screen only here.
 * @param {Quantity | null} value @param {string} unit */
const positionOf = (value, unit) =>
  (value === null ? null : Number(value) / ({ usd: 1e10, milliseconds: 1000 }[unit] ?? 1));
/** @param {OwnView} view @param {Series} series @param {string} unit @param {boolean} isNarrow */
const traceOf = ({ rows, axis: kind, series: all }, { label, values, texts = [] }, unit,
  isNarrow) => ({ name: escaped(label, isNarrow), hovertemplate: HOVER,
  y: values.map((value) => positionOf(value, unit)),
  customdata: texts.map((text, index) => (kind === "time" && all.length === 1 ? text
    : [...(kind === "time" ? [] : [escaped(rows[index].label, false)]),
      ...(all.length > 1 ? [escaped(label, false)] : []), text].join(": "))) });

/** The x axis of days, months, numbers or names.
 * @param {OwnView} view @param {(string | number)[]} x @param {boolean} isNarrow */
const xaxisOf = ({ rows, axis: kind, isMonthly, from, to }, x, isNarrow) => {
  if (kind === "number") return {};
  const named = { type: "category", categoryorder: "array", categoryarray: x };
  if (kind === "name") {
    return { ...named, tickvals: x, ticktext: rows.map((row) => escaped(row.label, isNarrow)),
      tickangle: rows.length > (isNarrow ? FEW_NAMES / 2 : FEW_NAMES) ? -40 : 0 };
  }
  const step = Math.ceil(x.length / (isNarrow ? FEW_MONTHS / 3 : FEW_MONTHS));
  return isMonthly ? { ...named, tickvals: x.filter((_, index) => index % step === 0) }
    : timeAxis(from, to);
};
/** Days that the page marks. @param {OwnView} view @returns {Layout} */
const markedDays = ({ rows, lines, isMonthly, from, to }) => {
  /** @param {string} day */
  const placeOf = (day) => {
    const month = day.slice(0, 7), length = Number(lastDayOf(month).slice(8));
    return isMonthly ? rows.findIndex((row) => row.from?.startsWith(month))
      + (Number(day.slice(8)) - 1) / length - 0.5 : day;
  };
  const shown = lines.filter(([day]) => day >= from && day <= to);
  return {
    shapes: shown.map(([day]) => ({ type: "line", x0: placeOf(day), x1: placeOf(day),
      yref: "paper", y0: 0, y1: 1, line: { color: "@control", width: 1, dash: "dot" } })),
    annotations: shown.map(([day, text]) => note(escaped(text, true), { x: placeOf(day), y: 1,
      yref: "paper", xanchor: daysBetween(from, day) * 2 > daysBetween(from, to)
        ? "right" : "left" })) };
};
/** The values that the axis must hold: those of columns on top of each other are added up.
 * @param {(number | null)[][]} values @param {boolean} isStacked */
const reach = (values, isStacked) => (!isStacked ? values.flat()
  : (values[0] ?? []).flatMap((_, index) => [1, -1].map((sign) => values.reduce((sum, each) =>
    sum + (sign * (each[index] ?? 0) > 0 ? each[index] ?? 0 : 0), 0))));

/** Columns or lines. @param {OwnView} view @param {Own} part @param {boolean} isNarrow
 * @returns {Figure} */
const upright = (view, part, isNarrow) => {
  const { rows, series } = view, [{ unit }] = part.values ?? [{ unit: "number" }];
  const isLine = part.mark === "line", isStacked = Boolean(part.isStacked);
  const x = rows.map((row, index) => (view.axis === "name" ? `row ${index}`
    : view.axis === "number" ? Number(row.from) : view.isMonthly ? row.label : row.from ?? ""));
  const pale = rows.map((row) => /[pi]/.test(row.state ?? ""));
  const data = series.map((each, index) => {
    const role = `@${each.colour}`, trace = { ...traceOf(view, each, unit, isNarrow), x };
    return isLine ? { ...trace, type: "scatter", connectgaps: false, cliponaxis: false,
      mode: rows.length > MANY_POINTS && !each.values.includes(null) ? "lines" : "lines+markers",
      line: { color: role, width: 1.5 }, marker: { color: role, size: 5 } }
      : { ...trace, type: "bar", ...(!isStacked && { offsetgroup: String(index) }), marker: {
        color: pale.map((each_) => (each_ ? `${role}~` : role)),
        line: { color: pale.map((each_) => (each_ ? role : "@page")), width: 0.5 } } };
  });
  const names = data.map((each) => each.name);
  return { data, layout: { ...markedDays(view), ...legendOf(names, isNarrow),
    ...(!isLine && { barmode: isStacked ? "relative" : "group", bargap: 0.2 }),
    ...(view.axis === "name" && { hovermode: "closest" }),
    xaxis: xaxisOf(view, x, isNarrow),
    yaxis: axis(reach(data.map((each) => each.y), isStacked), unit) } };
};
/** Bars by name, one below the other. @param {OwnView} view @param {Own} part
 * @param {boolean} isNarrow @returns {Figure} */
const lying = (view, part, isNarrow) => {
  const { rows, series } = view, [{ unit }] = part.values ?? [{ unit: "number" }];
  const isStacked = Boolean(part.isStacked), lines = isStacked ? 1 : series.length;
  const layout = rowsLayout(rows, lines, isNarrow), places = layout.yaxis.tickvals;
  const data = series.map((each, index) => {
    const { y: x, ...trace } = traceOf(view, each, unit, isNarrow), isLabelled = !isStacked;
    return { ...trace, type: "bar", orientation: "h", y: places, x,
      ...(!isStacked && { offsetgroup: String(index) }), marker: { color: `@${each.colour}` },
      ...(isLabelled && { text: each.texts, textposition: "outside", cliponaxis: false,
        textfont: { color: "@text" }, constraintext: "none" }) };
  });
  const values = reach(data.map((each) => each.x), isStacked).map((each) => each ?? 0);
  const isBelow = values.some((value) => value < 0);
  const before = series.flatMap((each) => (each.texts ?? [])
    .filter((_, index) => Number(each.values[index] ?? 0) < 0).map((text) => text.length + 2));
  return { data, layout: { ...layout, barmode: isStacked ? "relative" : "group", bargap: 0.35,
    hovermode: "closest",
    xaxis: { visible: false, range: [Math.min(0, ...values), Math.max(0, ...values)
      || (isBelow ? 0 : 1)] },
    yaxis: { ...layout.yaxis, showline: false,
      ticklabelstandoff: 4 + 7 * Math.max(0, ...before) },
    ...(series.length > 1 && { showlegend: true,
      legend: { ...legendOf([], isNarrow).legend, y: 1.02, yanchor: "bottom" } }) } };
};

/** The figure of a view, with colours as roles. @param {OwnView} view @param {Own} part
 * @param {{ isNarrow: boolean }} screen @returns {Figure} */
export const ownPlot = (view, part, { isNarrow }) => {
  if (part.mark === "interval") {
    const [{ label }] = part.values ?? [{ label: "" }];
    return plot(view, { key: part.key, data: "", mark: "interval", by: ["place"],
      draw: [{ value: "sum/base|rate", name: escaped(label, isNarrow), colour: "failure" }] },
    { isNarrow });
  }
  const { data, layout } = (part.mark === "bar" ? lying : upright)(view, part, isNarrow);
  return framed(data, layout);
};
