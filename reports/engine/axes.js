// Value axes from zero and axes of days, with their ticks.
import { daysBetween, shifted } from "./days.js";
import { MINUS, duration } from "./format.js";

export const PLOT_DAY = 86_400_000;

/** @param {number} limit */
const roundStep = (limit) => {
  const power = 10 ** Math.floor(Math.log10(limit));
  return (/** @type {number[]} */ ([10, 5, 2.5, 2, 1])
      .find((each) => each * power <= limit * (1 + 1e-9)) ?? 1) * power;
};
const SECONDS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18_000, 36_000,
  86_400];
/** @type {{ [unit: string]: [number, string][] }} */
const SCALES = { usd: [[1e6, "\u00a0M"]],
  tokens: [[1e9, "\u00a0bn"], [1e6, "\u00a0M"], [1e3, "\u00a0k"]] };
/** Ticks in one scale, with as many decimals as their step needs.
 * @param {number[]} ticks @param {number} step @param {string} unit */
const tickTexts = (ticks, step, unit) => {
  const top = Math.max(...ticks.map(Math.abs)), sign = unit === "usd" ? "$" : "";
  const [size, name] = unit === "share" ? [0.01, "%"]
    : SCALES[unit]?.find(([least]) => top >= least) ?? [1, ""];
  const needed = (step / size).toFixed(10).replace(/0+$/, "").split(".")[1]?.length ?? 0;
  const places = needed && sign && !name ? Math.max(needed, 2) : needed; // cents
  const form = { minimumFractionDigits: places, maximumFractionDigits: places };
  return ticks.map((tick) => {
    const text = unit === "seconds" ? duration(Math.abs(tick)).replace(/ 00.s| 00.min|\.0/, "")
      : Math.abs(tick / size).toLocaleString("en-US", form) + name;
    const zero = `0${{ share: "%", seconds: "\u00a0s" }[unit] ?? ""}`;
    return `${tick < 0 ? MINUS : ""}${sign}${tick ? text : zero}`;
  });
};
/** A value axis that shows zero, with few round ticks in the words of the unit.
 * @param {(number | null)[]} values @param {string} figureUnit @param {number} least of steps */
export const axis = (values, figureUnit, least = 3) => {
  const unit = /^(count|tokens|share|number)$/.test(figureUnit) ? figureUnit
    : figureUnit.endsWith("seconds") ? "seconds" : /^(rate|interval|percent)$/.test(figureUnit)
    ? "share" : "usd";
  const known = values.map((each) => each ?? 0);
  const low = known.reduce((so, each) => Math.min(so, each), 0);
  const top = known.reduce((most, each) => Math.max(most, each), 0) || (low ? 0 : 1);
  const largest = Math.max(top, -low);
  let step = roundStep(largest / least);
  if (unit === "count" || unit === "tokens") step = Math.max(Math.floor(step), 1);
  if (unit === "seconds" && largest / least >= 1) {
    step = SECONDS.findLast((each) => each <= largest / least) ?? step;
    if (step === SECONDS.at(-1)) step *= roundStep(largest / least / step); // whole days
  }
  if (unit === "share" && largest > 0.8) step = 0.25;
  const below = Math.ceil(-low / step - 1e-9);
  const ticks = Array.from({ length: below + Math.ceil(top / step - 1e-9) + 1 },
    (_, index) => Number(((index - below) * step).toPrecision(12)));
  return { range: [ticks[0], ticks.at(-1) ?? 1], tickvals: ticks,
    ticktext: tickTexts(ticks, step, unit) };
};
/** @param {string} from @param {string} to @param {boolean} isNarrow */
export const monthAxis = (from, to, isNarrow) => ({ type: "date", tickformat: "%b %Y",
  hoverformat: "%b %Y", ticklabelmode: "period", range: [from, shifted(to, 1)],
  dtick: `M${Math.ceil(daysBetween(from, to) / (isNarrow ? 120 : 360)) || 1}` });
/** @param {string} from @param {string} to */
export const timeAxis = (from, to) => {
  const days = daysBetween(from, to) + 1;
  return { type: "date", tickformat: days > 200 ? "%b %Y" : "%-d %b", hoverformat: "%-d %b %Y",
    ...(days < 21 && { dtick: PLOT_DAY * Math.ceil(days / 5) }),
    range: [`${shifted(from, -1)} 12:00`, `${to} 12:00`] };
};
