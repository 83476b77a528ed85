// Parts of one's own: the view of the rows that a SELECT answered, which are in one shard. They
// follow a choice by their columns `date`, of months the first day, and `member`.
import { cellsOf, columnHeads } from "./cells.js";
import { group, rowsOf } from "./cube.js";
import { lastDayOf, monthInShort, periodInWords } from "./days.js";
import { figure, fill } from "./format.js";
import { drawnOf, hasMark, reasonOf } from "./part.js";
import { calendarOf, stateOf } from "./period.js";
import { HUES, keyRows, limited, ordered, stackOf } from "./view.js";

/** @typedef {import("./period.js").Data} Data */
/** @typedef {import("./period.js").Choice} Choice */
/** @typedef {import("./view.js").Part} Part */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./view.js").Series} Series */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./cube.js").Query & { where: any }} Query */

const ALL = "(all)", MOST_ROWS = 20;
const OF_ALL = `\n${ALL}`; // ends the identifier of a workspace as a whole
/** @param {Part} part @param {Data} data @returns {{ [name: string]: any }} */
const columnsOf = ({ data: relation }, { shards }) => shards.get("")?.[relation]?.columns ?? {};

/** The days of the rows that a choice leaves, of months whole ones; else those of all rows.
 * @param {Part} part @param {Choice} choice @param {string} today @returns {[string, string]} */
const daysHeld = ({ span, monthly }, { from, to }, today) => {
  /** @param {string} first @param {string} last @returns {[string, string]} */
  const whole = (first, last) => (monthly
    ? [`${first.slice(0, 7)}-01`, lastDayOf(last.slice(0, 7))] : [first, last]);
  const chosen = from && to ? whole(from, to) : null;
  if (!span) return chosen ?? [today, today];
  const [first, last] = whole(span[0], span[1]);
  if (!chosen || chosen[0] > last || chosen[1] < first) return chosen ?? [first, last];
  return [chosen[0] > first ? chosen[0] : first, chosen[1] < last ? chosen[1] : last];
};

/** The members that rows may be of; null if those chosen say nothing of such rows.
 * @param {string[]} keys "workspace\nagent" of the rows, either of which may be all
 * @param {ReadonlySet<string>} members @param {Data["site"]} site */
const allowedOf = (keys, members, site) => {
  const chosen = [...members].map((each) => each.split("\n"));
  const wholes = new Set(chosen.filter(([, id]) => id === ALL).map(([of]) => of));
  if (!wholes.size && keys.every((key) => key.endsWith(OF_ALL))) return null;
  const agents = site.workspaces.filter(({ id }) => wholes.has(id)).flatMap((each) => each.agents);
  const allowed = new Set([...members, ...[...chosen.map(([, id]) => id),
    ...agents.map(({ id }) => id)].filter((id) => id !== ALL).map((id) => `${ALL}\n${id}`)]);
  return { has: (/** @type {string} */ key) =>
    allowed.has(key) || wholes.has(key.split("\n")[0]) };
};
/** The keys that a choice leaves, by column. @param {Part} part @param {Data} data
 * @param {Choice} choice @param {[string, string]} days @returns {{ [column: string]: any }} */
const heldWhere = (part, data, { from, members }, [first, last]) => {
  const { date, member } = columnsOf(part, data);
  const allowed = member && members ? allowedOf(member.keys, members, data.site) : null;
  return { ...(allowed && { member: allowed }), ...(date && from && {
    date: { has: (/** @type {string | null} */ iso) => iso && iso >= first && iso <= last } }) };
};
/** What a part says of a choice. @param {Part} part @param {{ [column: string]: any }} where
 * @param {Choice} choice @returns {string[]} */
const heldRemarks = ({ span, monthly, subtitle = "" }, where, { from, members }) => [
  span ? "{span}." : "", subtitle,
  from && !where.date ? "It does not follow the chosen period." : "",
  where.date && monthly ? "Months are whole." : "",
  members && !where.member ? "It does not follow the agents chosen." : ""];

/** The rows by time: those of the days or months that there are.
 * @param {Part} part @param {Data} data @param {Query} query @returns {Row[]} */
const heldOverTime = ({ monthly }, data, query) => {
  const calendar = calendarOf(data);
  return group({ ...query, by: ["date"] }).filter(({ keys }) => keys.date)
    .map(({ keys, sums }) => {
      const from = String(keys.date), month = from.slice(0, 7);
      const isOpen = monthly ? calendar.last.startsWith(month) : stateOf(calendar, from) === "p";
      return { from, to: monthly ? lastDayOf(month) : from, state: isOpen ? "p" : "c",
        label: monthly ? monthInShort(from) : from, values: { ...sums, date: from },
        href: monthly ? `#period=${month}` : `#from=${from}&to=${from}` };
    }).toSorted((a, b) => (a.from < b.from ? -1 : 1));
};
/** The series of a chart that has them, a quotient with both of its parts.
 * @param {Part} part @param {Query} query @param {Row[]} ranked @param {Row[]} places
 * @returns {Series[]} */
const heldSeries = (part, query, ranked, places) => {
  const [[name]] = drawnOf(part), rows = places.map((row) => ({ ...row, state: "n" }));
  const [values, per] = name.split("/").map((value) =>
    stackOf({ ...part, draw: [{ value }] }, query, ranked, rows));
  return per ? values.slice(0, HUES).map((each, at) => ({ ...each, per: per[at].values })) : values;
};
/** A part for a choice. @param {Part} part @param {Data} data @param {Choice} choice
 * @returns {View} */
export const answersView = (part, data, choice) => {
  const { by = [], stack = [], mark, label = "", lines = [] } = part, isTime = by[0] === "date";
  const days = daysHeld(part, choice, data.site.today), where = heldWhere(part, data, choice, days);
  const query = { relation: part.data, shards: data.shards, from: days[0], to: days[1], where };
  /** @param {string[]} names */
  const grouped = (names) => keyRows(names, data,
    group({ ...query, by: names }).map(({ sums, keys }) => ({ ...sums, ...keys })));
  const listed = rowsOf(query).map((values) => ({ label: "", href: null, values }));
  const all = !mark ? [] : isTime ? heldOverTime(part, data, query) : grouped(by);
  const shown = mark === "interval" ? all.filter((row) => hasMark(part, row)) : all;
  const rows = isTime ? shown : limited(part, shown);
  const ranked = stack.length ? ordered(part, grouped(stack)) : [];
  const isEmpty = !listed.length;
  const isDrawn = mark ? rows.some((row) => hasMark(part, row)) : !isEmpty;
  const span = periodInWords(...days);
  const reason = isEmpty ? "Nothing to show." : isDrawn ? "" : reasonOf(part, rows, {});
  const left = drawnOf(part)[0]?.[0].includes("/") && ranked.length > HUES
    ? `${HUES} of ${ranked.length} are drawn.` : "";
  return { isEmpty, isDrawn, title: label, from: days[0], to: days[1],
    subtitle: fill([reason, ...heldRemarks(part, where, choice), left].filter(Boolean).join(" "),
      { span }),
    caption: figure("n", "plural:row", { n: listed.length }), axis: isTime ? "time" : "key", rows,
    series: ranked.length && isDrawn ? heldSeries(part, query, ranked, rows) : [],
    events: lines.map(([day, text]) => ({ day, label: text, is_finding: false })),
    table: { heads: columnHeads(part), rows: listed.map((row) => cellsOf(part, data, row, {})),
      foot: [], most: MOST_ROWS } };
};

/** The agents and workspaces that rows of the page are of, to choose from.
 * @param {Data} data
 * @returns {{ id: string, name: string, entity?: string, owner?: string, isWhole?: boolean }[]} */
export const membersOf = ({ site, shards }) => {
  const keys = new Set(Object.values(shards.get("") ?? {})
    .flatMap(({ columns: { member } }) => (member && "keys" in member ? member.keys : [])));
  const ids = new Set([...keys].map((key) => key.split("\n")[0]));
  const isOne = site.workspaces.length < 2;
  return site.workspaces.flatMap((whole) => [
    ...(ids.has(whole.id) && !isOne
      ? [{ id: whole.id + OF_ALL, name: whole.name, entity: whole.entity, isWhole: true }] : []),
    ...whole.agents.filter(({ id, entity }) =>
      entity && (keys.has(`${whole.id}\n${id}`) || keys.has(`${ALL}\n${id}`)))
      .map(({ id, name, entity, owner }) => ({ id: `${whole.id}\n${id}`, entity, owner,
        name: isOne ? name : `${name} \u00b7 ${whole.name}` }))]);
};
