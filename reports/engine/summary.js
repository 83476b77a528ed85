// The figures of a chosen period, beside those of the period before.
import { group } from "./cube.js";
import {
  daysBetween, daysOf, lastDayOf, monthShifted, monthsOf, periodInWords, shifted,
} from "./days.js";
import { MINUS, SMALL_SAMPLE, figure, quantityOf } from "./format.js";
import { NO_KEY, calendarOf, daysFor, isUnbilled, queryOf, stateOf } from "./view.js";

/** @typedef {import("./view.js").Data} Data */
/** @typedef {import("./view.js").Part} Part */
/** @typedef {import("./view.js").Choice} Choice */
/** @typedef {import("./format.js").Values} Values */

/** The period that a choice is compared with: of days of one month from its first on, the same days
 * of the month before (of a whole month, that whole month); else as many days before it.
 * @param {string} from @param {string} to @param {string} today @returns {[string, string]} */
export const daysBefore = (from, to, today) => {
  const month = to.slice(0, 7), before = monthShifted(month, -1);
  if (from !== `${month}-01` || (to !== lastDayOf(month) && to !== today)) {
    return [shifted(from, daysBetween(to, from) - 1), shifted(from, -1)];
  }
  const last = lastDayOf(before), day = `${before}-${to.slice(8)}`;
  return [`${before}-01`, to === lastDayOf(month) || day > last ? last : day];
};
/** @type {[string, string, string, string][]} Label, figure, unit, and kind of change. */
const SUMMARY = [["Cost", "cost_usd", "usd_headline", "usd_change"],
  ["Runs", "run_count", "count", "count"],
  ["Failure rate", "failed_count/finished_count", "rate", "points"],
  ["Failed cost", "failed_cost_usd", "range", ""],
  ["Cost per successful run", "judged_cost_usd/succeeded_count", "each", ""],
  ["Tokens in", "tokens_in", "tokens", "count"], ["Tokens out", "tokens_out", "tokens", "count"],
  ["Billed", "billed_usd", "usd_headline", "usd_change"]];
/** The sums of days that were read, and have no rows. */
const NOTHING = { cost_usd: 0, run_count: 0, failed_cost_usd: 0, failed_cost_more_usd: 0,
  failed_cost_open_count: 0, tokens_in: 0, tokens_out: 0, billed_usd: 0 };
/** The days of a period that are compared: what is not over is in no comparison.
 * @param {ReturnType<typeof calendarOf>} calendar @param {[string, string]} days
 * @returns {{ compared: [string, string], before: [string, string] }} */
const comparedOf = (calendar, days) => {
  const open = daysOf(...days).filter((iso) => stateOf(calendar, iso) === "p").length;
  const isOpen = open > 0 && open <= daysBetween(...days);
  /** @type {[string, string]} */
  const compared = isOpen ? [days[0], shifted(days[1], -open)] : days;
  return { compared, before: daysBefore(...compared, isOpen ? compared[1] : calendar.last) };
};
/** The figures of a chosen period beside those of the period before, unknown unless every day of
 * that was read whole. Nothing changed unless every day that is compared was.
 * @param {Data} data @param {Choice} choice
 * @returns {{ period: string, previousPeriod: string, changePeriod: string,
 *   figures: { label: string, text: string, previous: string, change: string }[] }} */
export const summary = (data, choice) => {
  const calendar = calendarOf(data);
  /** @type {Part} */
  const part = { key: "", data: data.workspace ? "rpt_days" : "rpt_workspace_days" };
  const days = daysFor(part, data, { ...choice, isChosen: true });
  const { compared, before } = comparedOf(calendar, days);
  /** @param {[string, string]} of @param {string} states */
  const isRead = (of, states = "c") =>
    daysOf(...of).every((iso) => states.includes(stateOf(calendar, iso)));
  /** @param {[string, string]} of @returns {Values} */
  const sumsOf = (of) => {
    const [all, bill] = [part, { ...part, data: "rpt_bill_days" }].map((each) =>
        group(queryOf(each, data, choice, of))[0]?.sums);
    /** @type {Values} */
    const nothing = isRead(of, "cp") ? NOTHING : {};
    const { billed_usd, unknown_bill_count } = bill ?? (isBilled(data, choice, of) ? nothing : {});
    return { ...(all ?? nothing), billed_usd, unknown_bill_count };
  };
  const now = sumsOf(days), then = isRead(before) ? sumsOf(before) : {};
  const whole = isRead(compared) ? sumsOf(compared) : {};
  if (then.unknown_bill_count || !isBilled(data, choice, before)) then.billed_usd = null;
  if (whole.unknown_bill_count || !isBilled(data, choice, compared)) whole.billed_usd = null;
  if (unknownOf(whole, compared) !== unknownOf(then, before)
    || [whole, then].some(isUncovered)) then.cost_usd = null;
  return { period: periodInWords(...days), previousPeriod: periodInWords(...before),
    changePeriod: compared[1] === days[1] ? "" : periodInWords(...compared),
    figures: SUMMARY.filter(([, name]) => data.workspace || name !== "billed_usd")
      .map(([label, name, unit, kind]) => ({ label, text: figure(name, unit, now),
        previous: figure(name, unit, then), change: changeOf(name, kind, whole, then) })) };
};
/** True if the API gives the bill of each day, and one that names the lines: runs without an agent
 * are billed on the platform's. @param {Data} data @param {Choice} choice
 * @param {[string, string]} days */
const isBilled = (data, choice, days) =>
  !(data.agent ? [data.agent] : [...choice.members ?? [""]]).every((id) => id === NO_KEY)
    && !daysOf(...days).some((iso) => isUnbilled(data, iso));
/** The share of days of which it is unknown what the platform itself cost: costs are alike only
 * where it is equal. @param {Values} sums @param {[string, string]} days */
const unknownOf = (sums, days) =>
  Number(sums.unknown_platform_count ?? 0) / (daysBetween(...days) + 1);
/** True if the cost of more than one in five runs is unknown. @param {Values} sums */
const isUncovered = ({ run_count, unknown_cost_count }) =>
  5 * Number(unknown_cost_count ?? 0) > Number(run_count ?? 0);
/** The months of data that a summary needs. @param {Data} data @param {Choice} choice */
export const monthsForSummary = (data, choice) => {
  const calendar = calendarOf(data), held = new Set(calendar.months);
  const days = daysFor({ key: "", data: "" }, data, { ...choice, isChosen: true });
  return monthsOf(comparedOf(calendar, days).before[0], days[1])
    .filter((month) => held.has(month));
};
/** @param {string} name @param {string} kind @param {Values} now @param {Values} then */
const changeOf = (name, kind, now, then) => {
  const [first, base] = name.split("/");
  const [a, b] = [now, then].map((each) => quantityOf(first, each));
  if (!kind || a === null || b === null) return "";
  if (kind === "usd_change") return figure("a/b", kind, { a, b });
  if (kind === "points") {
    const [n, m] = [now, then].map((each) => Number(quantityOf(base, each)));
    if (n < SMALL_SAMPLE || m < SMALL_SAMPLE) return "";
    const points = Math.round(1000 * (Number(a) / n - Number(b) / m)) / 10;
    return points ? `${points > 0 ? "+" : MINUS}${Math.abs(points).toFixed(1)} points`
      : "no change";
  }
  const share = b ? Math.round(100 * (Number(a) / Number(b) - 1)) : NaN;
  if (a === b) return "no change";
  if (!share) return share === 0 ? "under 1%" : "";
  return `${share > 0 ? "+" : MINUS}${figure("n", "count", { n: Math.abs(share) })}%`;
};
