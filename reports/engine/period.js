// The period that a page shows, and the one that it is compared with.
import { daysBetween, daysOf, lastDayOf, monthShifted, monthsOf, shifted } from "./days.js";

/** @typedef {{ id: string, name: string, path: string | null, entity?: string, owner?: string,
 *   months: string[], last?: string | null }} Line */
/** @typedef {{ today: string, yesterday: string, timezone: string, first: string, states: string,
 *   months: string[], last?: string | null }} Calendar */
/** @typedef {Line & { today: string, yesterday: string, first: string, states: string,
 *   agents: Line[] }} Workspace */
/** What a page holds: the site's index and its own shards; `marked` has the urgency of each agent
 * with findings, `events` what stands on axes of time.
 * @typedef {{ site: Calendar & { workspaces: Workspace[] }, workspace?: string, agent?: string,
 *   shards: Map<string, import("./cube.js").Document>, root?: string,
 *   marked?: { [agent: string]: string }, events?: Event[] }} Data */
/** A day on which something began: what a finding is of, or a version.
 * @typedef {{ day: string, label: string, is_finding: boolean }} Event */
/** `from` and `to` are ISO days or null, of a month by its name with `isMonth`; `members` the ids
 * that are chosen, or null.
 * @typedef {{ from: string | null, to: string | null, isMonth?: boolean,
 *   members: ReadonlySet<string> | null, isChosen: boolean }} Choice */
/** All figures are of `days`; later ones up to `end` are drawn, and in no sum. The days have ended
 * unless `isOpen`: the current month and today alone include today, and stand beside nothing.
 * `before` are as many days of the same weekdays, or of a month the month before; null where there
 * are none. `isRead` if each day that has ended was read whole, `isCompared` if also each before.
 * @typedef {{ days: [string, string], end: string, before: [string, string] | null,
 *   isMonth: boolean, isOpen: boolean, isRead: boolean, isCompared: boolean }} Period */

export const DEFAULT_DAYS = 28;
const WEEK = 7;

/** @param {Data} data The days of a page's entity, as the site's index has them: up to `last`, of
 * which `lastOver` is the last that is over; `newest` is the last with a figure. */
export const calendarOf = ({ site, workspace, agent }) => {
  const whole = site.workspaces.find((each) => each.id === workspace);
  const line = whole?.agents.find((each) => each.id === agent);
  const { first, states, today: last, yesterday: lastOver } = whole ?? site;
  const { months, last: newest } = line ?? whole ?? site;
  return { first, states, last, lastOver, months, newest };
};
/** @param {{ first: string, states: string }} calendar @param {string} iso */
export const stateOf = ({ first, states }, iso) => states[daysBetween(first, iso)] ?? "n";
/** True of an entity that did nothing in the last 28 days. @param {Data} data */
export const isQuiet = (data) => {
  const { lastOver, newest } = calendarOf(data);
  return Boolean(newest && newest <= shifted(lastOver, -DEFAULT_DAYS));
};
/** The days that are shown, later ones included: those chosen, else the last 28 that are over, of
 * an entity that is quiet its newest month. @param {Data} data @param {Choice} choice
 * @returns {[string, string]} */
export const daysFor = (data, choice) => {
  if (choice.from && choice.to) return [choice.from, choice.to];
  const { last, lastOver, newest } = calendarOf(data);
  return isQuiet(data) && newest ? [`${newest.slice(0, 7)}-01`, lastDayOf(newest)]
    : [shifted(lastOver, 1 - DEFAULT_DAYS), last];
};
/** @param {Data} data @param {Choice} choice @returns {Period} */
export const periodOf = (data, choice) => {
  const calendar = calendarOf(data), [from, end] = daysFor(data, choice), { lastOver } = calendar;
  const isMonth = choice.from ? Boolean(choice.isMonth) : isQuiet(data);
  const isOpen = from > lastOver || (isMonth && end > lastOver);
  const to = isOpen || end < lastOver ? end : lastOver, length = daysBetween(from, to) + 1;
  const month = monthShifted(from, -1);
  /** @type {[string, string] | null} */
  const before = isOpen ? null : isMonth ? [`${month}-01`, lastDayOf(month)]
    : length % WEEK ? null : [shifted(from, -length), shifted(from, -1)];
  /** @param {[string, string]} days */
  const isWhole = (days) => daysOf(...days).every((iso) => stateOf(calendar, iso) === "c");
  const isRead = isWhole([from, to < lastOver ? to : lastOver]);
  return { days: [from, to], end, before, isMonth, isOpen, isRead,
    isCompared: isRead && before !== null && isWhole(before) };
};
/** The months of data that a period needs. @param {Data} data @param {Choice} choice */
export const monthsFor = (data, choice) => {
  const { days: [from], end, before } = periodOf(data, choice);
  const held = new Set(calendarOf(data).months);
  return monthsOf(before?.[0] ?? from, end).filter((month) => held.has(month));
};

/** @typedef {import("./format.js").Values} Values */
/** True if more than one in five costs of the runs are unknown. @param {Values} sums */
const isUncovered = ({ run_count, unknown_cost_count }) =>
  5 * Number(unknown_cost_count ?? 0) > Number(run_count ?? 0);
/** The sums of the period before, to stand beside those of this one; null where the days of either
 * were not read whole. Costs are alike only where they are known, and the platform's own is
 * unknown of the same share of the days.
 * @param {Period} period @param {Values} now @param {Values} then @returns {Values | null} */
export const beside = ({ days, before, isCompared }, now, then) => {
  if (!isCompared || !before) return null;
  /** @param {Values} sums @param {[string, string]} of */
  const share = (sums, of) => Number(sums.unknown_platform_count ?? 0) / (daysBetween(...of) + 1);
  const isAlike = share(now, days) === share(then, before) && ![now, then].some(isUncovered);
  return isAlike ? then : { ...then, cost_usd: null };
};
