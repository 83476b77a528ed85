// The figures at the top of a page: of its period, beside those of the period before.
import { group } from "./cube.js";
import { dayInShort, daysBetween, daysOf, lastDayOf, monthInWords, periodInWords, shifted }
  from "./days.js";
import { SMALL_SAMPLE, UNKNOWN, figure, fill, quantityOf } from "./format.js";
import { beside, calendarOf, periodOf, stateOf } from "./period.js";
import { queryOf } from "./view.js";

/** @typedef {import("./period.js").Data} Data */
/** @typedef {import("./period.js").Choice} Choice */
/** @typedef {import("./period.js").Period} Period */
/** @typedef {import("./format.js").Values} Values */
/** `more` stands small beside the value; `label` in place of the page's own.
 * @typedef {{ key: string, value: string, more?: string, note?: string, change?: string,
 *   label?: string }} Card */

const ENOUGH = 30; // finished runs, of each period, for rates with the mix held
/** The sums of days that were read, and have no rows. */
const NOTHING = { cost_usd: 0, run_count: 0, failed_cost_usd: 0, failed_cost_more_usd: 0,
  failed_cost_open_count: 0, tokens_in: 0, tokens_out: 0, tokens: 0 };
/** The sums of a page's days. @param {Data} data @param {Choice} choice
 * @param {[string, string]} days @returns {Values} */
const totalsOf = (data, choice, days) => {
  const [all] = group(queryOf({ key: "", data: "rpt_days" }, data, choice, days));
  const isRead = daysOf(...days).every((iso) => "cp".includes(stateOf(calendarOf(data), iso)));
  return all?.sums ?? (isRead ? NOTHING : {});
};
/** The failure rates of the period before and of this one of the agents that finished runs in both,
 * each with its share of the finished runs of the period before; null where these are less than
 * half of all, or finished few runs.
 * @param {Data} data @param {Choice} choice @param {Period} period @returns {number[] | null} */
export const heldRates = (data, choice, { days, before, isCompared }) => {
  if (!isCompared || !before) return null;
  const by = ["workspace_id", "agent_id"];
  /** @param {[string, string]} of @returns {Map<string, number[]>} */
  const byAgent = (of) => new Map(group({
    ...queryOf({ key: "", data: "rpt_days" }, data, choice, of), by,
    measures: ["failed_count", "finished_count", "unknown_outcome_count"] })
    .map(({ keys, sums }) => [Object.values(keys).join("\n"),
      [Number(sums.failed_count), Number(sums.finished_count ?? 0)]]));
  const now = byAgent(days), then = byAgent(before);
  const both = [...then].flatMap(([key, [old, weight]]) => {
    const [failed, finished] = now.get(key) ?? [0, 0];
    return weight && finished ? [[old, weight * failed / finished, weight, finished]] : [];
  });
  const [old, latest, weight, finished] = [0, 1, 2, 3]
    .map((place) => both.reduce((sum, each) => sum + each[place], 0));
  const all = [...then.values()].reduce((sum, each) => sum + each[1], 0);
  if (weight < ENOUGH || finished < ENOUGH || 2 * weight < all) return null;
  return [old / weight, latest / weight];
};
/** A rate as `5.6%`. @param {number} rate */
const rateOf = (rate) => figure("rate/all", "percent", { rate: rate * 1e6, all: 1e6 });
/** A period by its length, or its name. @param {Period} period */
const nameOf = ({ days, isMonth, isOpen }) => {
  if (isMonth) return monthInWords(days[0]) + (isOpen ? " so far" : "");
  const length = daysBetween(...days) + 1;
  return length === 1 || isOpen ? periodInWords(...days) : `${length} days`;
};
/** The cards of a page. @param {Data} data @param {Choice} choice @returns {Card[]} */
export const cards = (data, choice) => {
  const period = periodOf(data, choice), { days, end, before, isMonth } = period;
  const now = totalsOf(data, choice, days);
  const then = before && beside(period, now, totalsOf(data, choice, before));
  /** @type {Values} */
  const values = { ...now, before: then, of: isMonth && before ? { month: before[0] } : null };
  /** @param {string} template Nothing where one of its figures is unknown. */
  const known = (template) => {
    const text = fill(template, values);
    return text.split(/[ (]/).includes(UNKNOWN) ? "" : text;
  };
  const cost = { key: "cost", value: fill("{cost_usd|usd_headline}", values),
    more: isMonth ? "" : known("{cost_usd/before.cost_usd|change}"),
    change: isMonth ? known("{of.month|month}: {before.cost_usd|usd_headline}") : "" };
  const isFew = Number(values.finished_count) < SMALL_SAMPLE;
  const rate = isFew ? fill("{failed_count/finished_count|rate}", values)
    : fill("{failed_count/finished_count|percent}", values);
  const counts = isFew ? "finished runs" : known("{failed_count|count} of {finished_count|count}");
  if (data.agent) {
    const { last, lastOver } = calendarOf(data), isNow = days[1] === lastOver && last === end;
    return [cost, { key: "each", value: known("{judged_cost_usd/succeeded_count|each}"),
      change: known("{before.judged_cost_usd/before.succeeded_count|each} before") },
    { key: "rate", value: rate, more: counts },
    { key: "tokens", value: fill("{tokens_in|tokens} in", values),
      more: fill("{tokens_out|tokens} out", values) },
    { key: "today", value: isNow && last > lastOver
      ? fill("{cost_usd|usd_headline}", totalsOf(data, choice, [last, last])) : "" }];
  }
  const held = heldRates(data, choice, period);
  const more = quantityOf("failed_cost_more_usd", values);
  const high = (quantityOf("failed_cost_usd", values) ?? 0n) + (more ?? 0n);
  return [{ ...cost, label: nameOf(period),
    note: known("{run_count|plural:run} \u00b7 {tokens|tokens} tokens") },
  { key: "failed", value: fill("{failed_cost_usd|usd_headline}", values),
    more: values.failed_cost_open_count ? "or more"
      : more ? `at most ${figure("high", "usd_headline", { high })}` : "",
    note: known("{failed_cost_usd/cost_usd|percent} of the cost"),
    change: known("{before.failed_cost_usd|range} before") },
  { key: "rate", value: rate, more: counts,
    note: Number(then?.finished_count) < SMALL_SAMPLE ? ""
      : known("{before.failed_count/before.finished_count|percent} before"),
    change: held ? `same agents, same mix: ${held.map(rateOf).join(" \u2192 ")}` : "" }];
};
/** Days, as `30 Nov 2026`. @param {[string, string]} days */
const shortly = (days) => periodInWords(...days)
  .replace(/[A-Z]\w+/g, (name) => name.slice(0, 3));
/** The days of a page in words, what they stand beside, and which of them were read.
 * @param {Data} data @param {Choice} choice */
export const periodWords = (data, choice) => {
  const { days, before, isMonth, isOpen, isRead, isCompared } = periodOf(data, choice);
  const calendar = calendarOf(data);
  const states = daysOf(...days).filter((iso) => iso <= calendar.lastOver)
    .map((iso) => stateOf(calendar, iso));
  const isWhole = isMonth && days[1] === lastDayOf(days[0]);
  const shown = (isWhole ? monthInWords(days[0]) : shortly(days)) + (isOpen ? " so far" : "");
  if (!isRead) {
    const first = states.indexOf("c"), count = states.filter((state) => state === "c").length;
    const since = first > 0 && count === states.length - first
      ? `, from ${dayInShort(shifted(days[0], first))} on` : "";
    return `${shown}; ${count} of ${states.length} days read in full${since}`;
  }
  if (!before) return shown;
  const month = isMonth ? monthInWords(before[0]) : "";
  if (isCompared) return `${shown} beside ${month || shortly(before)}`;
  return `${shown}; ${month || `the ${states.length} days before`} read only in part`;
};
