// The period that a page shows, and the one that it is compared with.
import { daysBetween, daysOf, lastDayOf, monthShifted, monthsOf, shifted } from "./days.js";

/** @typedef {{ id: string, name: string, path: string | null, entity?: string, owner?: string,
 *   line_type?: string, months: string[] }} Line */
/** @typedef {{ today: string, yesterday: string, timezone: string, first: string, states: string,
 *   months: string[] }} Calendar */
/** @typedef {Line & { today: string, yesterday: string, first: string, states: string,
 *   agents: Line[] }} Workspace */
/** What a page holds: the site's index, its own shards, and the rows of parts without a choice;
 * `marked` are the agents of which there is a finding, `events` what stands on axes of time.
 * @typedef {{ site: Calendar & { workspaces: Workspace[] }, workspace?: string, agent?: string,
 *   shards: Map<string, import("./cube.js").Document>, root?: string,
 *   now?: { [part: string]: import("./cube.js").Table },
 *   marked?: ReadonlySet<string>, events?: Event[] }} Data */
/** A day on which something began: what a finding is of, or a version.
 * @typedef {{ day: string, label: string, is_finding: boolean }} Event */
/** `from` and `to` are ISO days or null; `members` the ids that are chosen, or null.
 * @typedef {{ from: string | null, to: string | null, members: ReadonlySet<string> | null,
 *   isChosen: boolean }} Choice */
/** `end` is the last day of the axis, `compared` the days of the period that are over; `before` is
 * what they are compared with, and `isRead` whether every day of both was read whole. `base` is
 * the period before as a whole: of days of a month the month before.
 * @typedef {{ days: [string, string], end: string, compared: [string, string],
 *   before: [string, string], isRead: boolean, base: [string, string] }} Period */

/** @param {Data} data The days of a page's entity, as the site's index has them: up to `last`, of
 * which `lastOver` is the last that is over. */
export const calendarOf = ({ site, workspace, agent }) => {
  const whole = site.workspaces.find((each) => each.id === workspace);
  const line = whole?.agents.find((each) => each.id === agent);
  const { first, states, today: last, yesterday: lastOver } = whole ?? site;
  return { first, states, last, lastOver, months: (line ?? whole ?? site).months };
};
/** @param {{ first: string, states: string }} calendar @param {string} iso */
export const stateOf = ({ first, states }, iso) => states[daysBetween(first, iso)] ?? "n";

/** The period that another is compared with: of days of one month from its first on, the same days
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
/** The days that are shown: those chosen, else the newest month, which may still run.
 * @param {Data} data @param {Choice} choice @returns {[string, string]} */
export const daysFor = (data, choice) => {
  if (choice.from && choice.to) return [choice.from, choice.to];
  const { last, months } = calendarOf(data), month = months.at(-1) ?? last;
  const [from, to] = [`${month.slice(0, 7)}-01`, lastDayOf(month)];
  return [from, to > last && from <= last ? last : to];
};
/** @param {Data} data @param {Choice} choice @returns {Period} */
export const periodOf = (data, choice) => {
  const calendar = calendarOf(data), days = daysFor(data, choice), [from, to] = days;
  const open = daysOf(from, to).filter((iso) => stateOf(calendar, iso) === "p").length;
  const isOpen = open > 0 && open <= daysBetween(from, to);
  /** @type {[string, string]} */
  const compared = isOpen ? [from, shifted(to, -open)] : days; // today is in no comparison
  const before = daysBefore(...compared, isOpen ? compared[1] : calendar.last);
  const isMonth = from.endsWith("-01") && from.slice(0, 7) === to.slice(0, 7);
  const month = monthShifted(from, -1), isOfMonth = isMonth && before[0] === `${month}-01`;
  return { days, compared, before,
    end: isOfMonth && to === calendar.last ? lastDayOf(to) : to,
    base: isOfMonth ? [before[0], lastDayOf(month)] : before,
    isRead: [...daysOf(...compared), ...daysOf(...before)]
      .every((iso) => stateOf(calendar, iso) === "c") };
};
/** The months of data that a period needs. @param {Data} data @param {Choice} choice */
export const monthsFor = (data, choice) => {
  const { days, before } = periodOf(data, choice), held = new Set(calendarOf(data).months);
  return monthsOf(before[0] < days[0] ? before[0] : days[0], days[1])
    .filter((month) => held.has(month));
};

/** @typedef {import("./format.js").Values} Values */
/** True if more than one in five costs of the runs are unknown. @param {Values} sums */
const isUncovered = ({ run_count, unknown_cost_count }) =>
  5 * Number(unknown_cost_count ?? 0) > Number(run_count ?? 0);
/** Sums of the days that are over beside those of the period before. Costs are alike only where
 * they are known, and the platform's own is unknown of the same share of the days.
 * @param {Period} period @param {Values} now @param {Values} then @returns {Values} */
export const withBefore = ({ compared, before, isRead }, now, then) => {
  if (!isRead) return { compared: null, before: null };
  /** @param {Values} sums @param {[string, string]} of */
  const share = (sums, of) => Number(sums.unknown_platform_count ?? 0) / (daysBetween(...of) + 1);
  const isAlike = share(now, compared) === share(then, before)
    && ![now, then].some(isUncovered);
  return { compared: now, before: isAlike ? then : { ...then, cost_usd: null } };
};
