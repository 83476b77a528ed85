// The waterfall: from a first amount over what was added and taken away to a last one.
import { figure } from "./format.js";

/** @typedef {import("./view.js").Row} Row */
/** @typedef {{ [name: string]: any }} Layout */

const SLIVER = 0.5; // of the largest level: where all are above it, effects would be thin

/** Where the axis begins: at zero, or, where that would leave effects too thin to see, below all.
 * @param {number[]} levels */
const floorOf = (levels) => {
  const low = Math.min(...levels), high = Math.max(...levels);
  return low > SLIVER * high ? Math.max(low - (high - low), 0) : Math.min(low, 0);
};
/** Bars by row: the first and the last whole, the others from where the one before ended.
 * @param {Row[]} rows @param {(number | null)[]} amounts on the screen @param {string} name
 * @param {Layout} layout that of rows */
export const waterfall = (rows, amounts, name, layout) => {
  const last = rows.length - 1, y = layout.yaxis.tickvals;
  const isWhole = (/** @type {number} */ index) => index === 0 || index === last;
  let level = 0;
  const ends = amounts.map((amount, index) =>
    (level = (isWhole(index) ? 0 : level) + (amount ?? 0)));
  const floor = floorOf(ends), top = Math.max(...ends, 0) || 1;
  const from = ends.map((_, index) => (isWhole(index) ? floor : ends[index - 1]));
  const texts = rows.map(({ values }, index) =>
    figure(name, isWhole(index) ? "usd_headline" : "usd_signed", values));
  const isMore = (/** @type {number} */ index) => (amounts[index] ?? 0) > 0;
  const roles = rows.map((_, index) =>
    (isWhole(index) ? "@billed" : isMore(index) ? "@more" : "@less"));
  const shapes = rows.map((_, index) => (isMore(index) && !isWhole(index) ? "/" : ""));
  const steps = { type: "scatter", mode: "lines", hoverinfo: "skip", connectgaps: false,
    x: ends.slice(0, -1).flatMap((end) => [end, end, null]),
    y: y.slice(0, -1).flatMap((/** @type {string} */ each, /** @type {number} */ index) =>
      [each, y[index + 1], null]),
    line: { color: "@control", width: 1 } };
  const bars = { type: "bar", orientation: "h", y, base: from,
    x: ends.map((end, index) => end - from[index]),
    customdata: rows.map((row, index) => `${row.label}: ${texts[index]}`),
    hovertemplate: "%{customdata}<extra></extra>",
    marker: { color: roles, line: { color: roles, width: 1 },
      pattern: { shape: shapes, size: 5, solidity: 0.4 } } };
  const figures = { type: "scatter", mode: "text", y, x: y.map(() => top),
    text: texts.map((each) => `\u00a0${each}`),
    textposition: "middle right", textfont: { color: "@text" }, cliponaxis: false,
    hoverinfo: "skip" };
  return { data: [steps, bars, figures], layout: { ...layout, bargap: 0.35,
    xaxis: { visible: false, range: [floor, top] },
    yaxis: { ...layout.yaxis, showline: false },
    ...(floor > 0 && { annotations: [{ text: "scale begins above $0", showarrow: false,
      xref: "paper", x: 0, xanchor: "left", y: y[0], yshift: 18,
      font: { color: "@muted", size: 11 } }] }) } };
};
