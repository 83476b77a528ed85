// The figures at the top of a page: of its period, beside those of the period before.
import { namedOf } from "./cells.js";
import { group } from "./cube.js";
import { daysOf, periodInWords } from "./days.js";
import { MINUS, SMALL_SAMPLE, UNKNOWN, figure, fill, quantityOf } from "./format.js";
import { calendarOf, withBefore, periodOf, stateOf } from "./period.js";
import { queryOf } from "./view.js";

/** @typedef {import("./period.js").Data} Data */
/** @typedef {import("./period.js").Choice} Choice */
/** @typedef {import("./format.js").Values} Values */
/** @typedef {{ key: string, value: string, change: string, note: string }} Card */

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
/** The failure rate with the mix of agents held: that of each agent, weighted by its share of the
 * finished runs of the period before, over the agents that finished runs in both; unknown where
 * these are less than half of all. `mover` is the agent that moved it most.
 * @param {Data} data @param {Choice} choice
 * @returns {{ rate: number, before: number, mover: Values } | null} */
export const heldRate = (data, choice) => {
  const { days, base } = periodOf(data, choice), keys = ["workspace_id", "agent_id"];
  /** @param {[string, string]} of */
  const byAgent = (of) => new Map(group({
    ...queryOf({ key: "", data: "rpt_days" }, data, choice, of), by: keys,
    measures: ["failed_count", "finished_count", "unknown_outcome_count"] })
    .filter(({ sums }) => Number(sums.finished_count ?? 0) > 0)
    .map((each) => [Object.values(each.keys).join("\n"), each]));
  const now = byAgent(days), then = byAgent(base);
  const finished = (/** @type {Values} */ sums) => Number(sums.finished_count);
  const all = [...then.values()].reduce((sum, { sums }) => sum + finished(sums), 0);
  const both = [...then].filter(([key]) => now.has(key)).map(([key, { keys: of, sums }]) => {
    const [weight, latest] = [finished(sums), /** @type {any} */ (now.get(key)).sums];
    return { of, weight, before: Number(sums.failed_count) / weight,
      rate: Number(latest.failed_count) / finished(latest) };
  });
  const weight = both.reduce((sum, each) => sum + each.weight, 0);
  if (!weight || 2 * weight < all) return null;
  /** @param {"rate" | "before"} name */
  const mean = (name) => both.reduce((sum, each) => sum + each.weight * each[name], 0) / weight;
  const moved = (/** @type {typeof both[0]} */ each) =>
    each.weight * Math.abs(each.rate - each.before);
  const [most] = both.toSorted((a, b) => moved(b) - moved(a));
  return { rate: mean("rate"), before: mean("before"), mover: moved(most) ? {
    name: namedOf("agent_id", most.of, data).text, rate: percentOf(most.rate),
    before: percentOf(most.before), sign: most.rate > most.before ? "↑" : "↓" } : {} };
};
/** A share as text. @param {number} share */
const percentOf = (share) =>
  figure("a/b", "percent", { a: BigInt(Math.round(share * 1e9)), b: 10n ** 9n });
/** The change of a count. @param {string} name @param {Values} values */
const shift = (name, values) => {
  const [a, b] = ["compared", "before"].map((of) => Number(quantityOf(`${of}.${name}`, values)));
  const share = b ? Math.round(100 * (a / b - 1)) : NaN;
  if (Number.isNaN(share)) return "";
  if (!share) return a === b ? "no change" : "under 1%";
  return `${share < 0 ? MINUS : "+"}${Math.abs(share)}%`;
};
/** The cards of a page. @param {Data} data @param {Choice} choice @returns {Card[]} */
export const cards = (data, choice) => {
  const period = periodOf(data, choice), { days, compared, before } = period;
  const values = { ...totalsOf(data, choice, days), ...withBefore(period,
    totalsOf(data, choice, compared), totalsOf(data, choice, before)) };
  /** @param {string} template Nothing where its first figure is unknown. */
  const known = (template) => {
    const text = fill(template, values);
    return text.startsWith(UNKNOWN) ? "" : text;
  };
  const change = known("{compared.cost_usd/before.cost_usd|usd_change}");
  /** @type {Card} */
  const cost = { key: "cost", value: fill("{cost_usd|usd_headline}", values), change, note: "" };
  const each = known("{judged_cost_usd/succeeded_count|each}");
  const tokens = { key: "tokens", value: fill("{tokens_in|tokens} in", values),
    note: fill("{tokens_out|tokens} out", values), change: shift("tokens", values) };
  if (data.agent) {
    return [cost,
      { key: "runs", value: fill("{run_count|count}", values), change: shift("run_count", values),
        note: "" },
      { key: "rate", change: "", ...(Number(values.finished_count) < SMALL_SAMPLE
        ? { value: fill("{failed_count/finished_count|rate}", values), note: "finished runs" }
        : { value: fill("{failed_count/finished_count|percent}", values),
          note: known("{failed_count|count} of {finished_count|count} finished") }) },
      { key: "each", value: each, note: known("{run_cost_usd/run_count|each} a run"),
        change: known("{before.judged_cost_usd/before.succeeded_count|each} before") }, tokens];
  }
  const held = heldRate(data, choice), { mover } = held ?? {};
  return [cost,
    { key: "failed", value: fill("{failed_cost_usd|range}", values),
      note: known("{failed_cost_usd/cost_usd|range_percent} of the cost"),
      change: known("{before.failed_cost_usd|range} before") },
    { key: "rate", value: held ? percentOf(held.rate) : UNKNOWN,
      change: held ? `${percentOf(held.before)} before` : "too few agents ran in both periods",
      note: mover?.name ? fill("{name|name} {sign} {before} to {rate}", mover) : "" }, tokens];
};
/** The period of a page in words, and what its changes are against.
 * @param {Data} data @param {Choice} choice */
export const periodWords = (data, choice) => {
  const { days, compared, before, isRead } = periodOf(data, choice);
  const isWhole = compared[1] === days[1];
  const shown = `${periodInWords(...days)}${isWhole ? "" : " so far"}`;
  const changes = `changes${isWhole ? "" : ` of ${periodInWords(...compared)}`}`;
  return isRead ? `${shown}, ${changes} against ${periodInWords(...before)}`
    : `${shown}; days of it or before it were not read whole`;
};
