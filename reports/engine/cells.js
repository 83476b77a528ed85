// Cells of tables: names with their pages, figures in their units, bars and lines of rows.
import { TIME_COLUMNS } from "./cube.js";
import { SMALL_SAMPLE, figure, plain, quantityOf } from "./format.js";
import { isKey, parsed } from "./part.js";

/** @typedef {import("./format.js").Values} Values */
/** @typedef {import("./period.js").Data} Data */
/** @typedef {import("./view.js").Part} Part */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./view.js").Cell} Cell */

/** @type {{ [column: string]: string }} */
const NONE = { agent_id: "No agent" };
const NO_KEY = "(none)", PLATFORM = "(platform)";

/** @typedef {import("./period.js").Line} Line */
/** @type {WeakMap<Line[], Map<string, Line>>} */
const LINES = new WeakMap();
/** Lines by their id: there may be as many as rows. @param {Line[]} lines */
const byId = (lines) => {
  const found = LINES.get(lines) ?? new Map(lines.map((each) => [each.id, each]));
  LINES.set(lines, found);
  return found;
};
/** The name and the page of a key. @param {string} column @param {Values} values @param {Data} data
 * @returns {{ text: string, href: string | null }} */
export const namedOf = (column, values, { site, workspace, root = "" }) => {
  const key = values[column];
  if (column === "agent_id" || column === "workspace_id") {
    const id = column === "agent_id" ? values.workspace_id ?? workspace : key;
    const wholes = site.workspaces.filter((each) => id === undefined || each.id === id);
    const found = column === "agent_id"
      ? wholes.map(({ agents }) => byId(agents).get(String(key))).find(Boolean) : wholes[0];
    const text = key === PLATFORM ? "Platform" : key === NO_KEY ? NONE[column] : found?.name;
    const isLinked = key !== PLATFORM && found?.path;
    return { text: text ?? String(key), href: isLinked ? root + found.path : null };
  }
  if (column === "agent_version") {
    return { text: figure(column, "version", values), href: null };
  }
  const words = column.replaceAll("_", " ").replace(/ name$/, "");
  const text = column === "error_class" ? String(key).replaceAll("_", " ") : String(key ?? NO_KEY);
  return { text: key === NO_KEY ? NONE[column] ?? `no ${words}` : text, href: null };
};
/** True of a column of names. @param {string} name @param {string} unit */
const isName = (name, unit) => name !== "state" && isKey(name) && !/[/.]/.test(name)
  && ["text", "name"].includes(unit);
/** @param {Part} part */
export const columnHeads = ({ columns = [] }) => columns.map(parsed).map(([name, unit, text]) => ({
  text, ...(unit === "trend" && { kind: "drawing" }),
  isText: isKey(name) && !/[/.]/.test(name) && ["text", "name", "day"].includes(unit) }));
/** Cells of a row. Figures are written when they are read, as most rows of a long table are not.
 * @param {Part} part @param {Data} data @param {Row} row @param {Values} total
 * @param {number} [hue] @returns {Cell[]} */
export const cellsOf = ({ columns = [] }, data, row, total, hue) => columns.map((column, place) => {
  const [name, unit] = parsed(column), value = row.values[name];
  if (row.from && TIME_COLUMNS.includes(name)) {
    return { text: row.label, value: String(value), href: row.href };
  }
  if (unit === "trend") {
    return { text: "", value: null, href: null,
      trend: /** @type {any} */ (row.values.trend ?? []),
      steps: /** @type {any} */ (row.values.steps) };
  }
  if (isName(name, unit)) {
    const { workspace_id = data.workspace, agent_id } = row.values;
    const urgency = place === 0 && data.marked?.[`${workspace_id} ${agent_id}`];
    return value === undefined || value === null ? { text: "", value: null, href: null }
      : { ...namedOf(name, row.values, data), ...(urgency && { urgency }),
        ...(place === 0 && row.label && { text: row.label }),
        ...(place === 0 && hue !== undefined && { hue }),
        value: typeof value === "number" ? String(value) : null };
  }
  const values = { ...row.values, total };
  return { get text() { return figure(name, unit, values); },
    get value() { return plain(name, unit, values); }, href: null,
    ...(unit === "rate" && { share: shareOf(name, values) }) };
});
/** A rate as a fraction, of few unknown. @param {string} name @param {Values} values */
const shareOf = (name, values) => {
  const [part, whole] = name.split("/").map((each) => Number(quantityOf(each, values) ?? NaN));
  return whole >= SMALL_SAMPLE ? part / whole : null;
};
/** The total of a table; of agents together no cost of a success is given, and no price of models:
 * they would follow the mix.
 * @param {Part} part @param {Values} sums @returns {Cell[][]} */
export const footOf = (part, sums) => {
  const blank = { text: "", value: null, href: null };
  const isOfAgents = part.columns?.[0].startsWith("agent_id");
  const totals = (part.columns ?? []).slice(1).map((column) => {
    const [name, unit] = parsed(column);
    const isBlank = (isKey(name) && !name.includes("/")) || name.includes("total.")
      || /^(trend|per_million)$/.test(unit) || (isOfAgents && unit === "each");
    return isBlank ? blank
      : { text: figure(name, unit, sums), value: plain(name, unit, sums), href: null };
  });
  return [[{ ...blank, text: "Total" }, ...totals]];
};

