/**
 * What the reader chose. It stands in the fragment of the address, so that a link shows the same,
 * and every link within the site carries the period and the members along.
 *
 * @typedef {object} State
 * @property {string | null} period a month ("2026-10") or a number of days that are over ("28")
 * @property {string | null} from the first day chosen, where no period by name is
 * @property {string | null} to the last day, included
 * @property {string[]} only entities chosen, on whichever page
 * @property {string[][]} sort table, column and direction of each table sorted
 * @property {string | null} by what the large chart is stacked by
 * @property {string | null} show what it shows
 * @property {string | null} status of the runs that are listed
 * @property {string | null} run the run whose details are shown
 * @property {string | null} at the part of the page to go to
 */
import { lastDayOf, shifted } from "./days.js";

const STATE_MONTH = /^[1-9]\d{3}-(0[1-9]|1[0-2])$/; // a Date takes year 2 for 1902
const STATE_DAY = /^\d{4}-\d\d-\d\d$/;
const STATE_COUNT = /^[1-9]\d{0,2}$/;

/** @returns {State} */
export const noState = () => (
  { period: null, from: null, to: null, only: [], sort: [], by: null, show: null, status: null,
    run: null, at: null });

/** Reads a fragment; what it cannot mean is ignored.
 * @param {string} hash with or without "#" @param {(entity: string) => boolean} isEntity
 * @returns {State} */
export const readState = (hash, isEntity) => {
  const text = hash.replace(/^#/, "");
  const given = new URLSearchParams(text);
  const period = given.get("period") ?? "";
  const day = (name) => {
    const iso = given.get(name) ?? "";
    return STATE_DAY.test(iso) && new Date(`${iso}T00:00Z`).toJSON()?.startsWith(iso) ? iso : null;
  };
  const isNamed = STATE_MONTH.test(period) || STATE_COUNT.test(period);
  const [from, to] = isNamed ? [null, null]
    : [day("from") ?? day("to"), day("to") ?? day("from")].toSorted();
  return {
    period: isNamed ? period : null, from, to,
    only: [...new Set((given.get("only") ?? "").split(",").filter(isEntity))],
    sort: given.getAll("sort").map((each) => each.split(":")),
    by: given.get("by"), show: given.get("show"), status: given.get("status"),
    run: given.get("run"),
    at: given.get("at") ?? (text.includes("=") ? null : text || null),
  };
};

/** The first and the last day that a state chooses, within those of the data, and whether they are
 * a month; nulls where it chooses no period, or one of which no day is. To the last days that are
 * over belong those since then.
 * @param {State} state
 * @param {{ first: string | null, last: string, lastOver: string }} calendar
 * @returns {{ from: string | null, to: string | null, isMonth: boolean }} */
export const daysChosen = ({ period, from, to }, { first, last, lastOver }) => {
  if (STATE_COUNT.test(period)) {
    return { from: shifted(lastOver, 1 - Number(period)), to: last, isMonth: false };
  }
  const [least, begin, end] = period ? ["", `${period}-01`, lastDayOf(period)]
    : [first ?? last, from, to];
  const isNone = !begin || !end || begin > last || end < least;
  return isNone ? { from: null, to: null, isMonth: false }
    : { from: begin < least ? least : begin, to: end > last ? last : end,
      isMonth: Boolean(period) };
};

/** The fragment of a state, without "#"; empty where nothing is chosen.
 * @param {State} state */
export const fragmentOf = (state) => {
  const kept = new URLSearchParams();
  if (state.period) kept.set("period", state.period);
  else if (state.from && state.to) {
    kept.set("from", state.from);
    kept.set("to", state.to);
  }
  if (state.only.length) kept.set("only", state.only.join(","));
  for (const each of state.sort) kept.append("sort", each.join(":"));
  for (const name of ["by", "show", "status", "run"]) if (state[name]) kept.set(name, state[name]);
  if (state.at && String(kept)) kept.set("at", state.at);
  return (String(kept) || state.at || "").replaceAll("%2C", ",").replaceAll("%3A", ":");
};

/** The address of a page of the site, or of a part of this page, with the choice carried along;
 * what the link itself chooses outranks it, and one that leads to days of its own on another page
 * shows all members. Addresses outside the site come back as they are.
 * @param {string} href as written in the page @param {State} state
 * @param {(entity: string) => boolean} isEntity */
export const carried = (href, state, isEntity) => {
  if (/^([a-z][a-z0-9+.-]*:|$)/i.test(href)) return href;
  const [path, hash = ""] = href.split("#");
  const own = readState(hash, isEntity);
  const { period, from, to } = own.period || own.from ? own : state;
  const isOfItsOwn = own.only.length || (path && own.from);
  const only = isOfItsOwn ? own.only : state.only;
  const { sort, by, show, status } = path ? own : state; // of the page itself
  const fragment = fragmentOf({ ...own, period, from, to, only, sort, by, show, status });
  return fragment ? `${path}#${fragment}` : path || href;
};
