// Parts as a page declares them: their figures, and the templates of their headings.
import { quantityOf } from "./format.js";

/** @typedef {import("./format.js").Values} Values */
/** @typedef {import("./view.js").Part} Part */
/** @typedef {import("./view.js").Row} Row */

const UNKNOWN_RUNS = [
  { count: "unknown_outcome_count", of: /^(finished_count|judged_cost_usd)$/, what: "outcome" },
  { count: "unknown_cost_count", of: /^(?!failed).*_usd$/, what: "cost" }];

/** @param {string} expression @returns {[string, string, string]} "figure|unit|label" */
export const parsed = (expression) => {
  const [name, unit, label] = expression.split("|");
  const known = unit || (name.endsWith("_usd") ? "usd" : name.endsWith("_count") ? "count"
      : name.startsWith("tokens") ? "tokens" : name.endsWith("_ms") ? "milliseconds"
      : name.includes("_seconds") ? "seconds" : "text");
  const words = name.replace(/_(usd|count|id|ms|seconds)$/, "").replaceAll("_", " ");
  return [name, known, label || words[0].toUpperCase() + words.slice(1)];
};
/** @param {string} column */
export const isKey = (column) =>
  !/_(usd|count|ms|seconds)$|^tokens|^(trend|steps)$/.test(column);
/** @param {Part} part The figures drawn. */
export const drawnOf = (part) => (part.draw ?? []).map((each) => parsed(each.value));
/** True if a row has something to draw. @param {Part} part @param {Row} row */
export const hasMark = (part, row) => drawnOf(part).some(([name]) => {
  const [first, base] = name.split("/").map((each) => quantityOf(each, row.values));
  if (base === null || base === 0n) return false;
  return /line|interval/.test(part.mark ?? "") ? first !== null : first;
});

/** Why a part draws nothing; no text where its title says that all is zero.
 * @param {Part} part @param {Row[]} rows those with data @param {Values} sums */
export const reasonOf = (part, rows, sums) => {
  const names = drawnOf(part).map(([name]) => name.split("/"));
  const unknown = UNKNOWN_RUNS.find(({ count, of }) =>
    sums[count] && names.flat().some((name) => of.test(name)));
  if (unknown) {
    return `Unknown in {span}: {${unknown.count}|plural:run} of unknown ${unknown.what}.`;
  }
  const values = rows.flatMap((row) =>
    names.map((each) => each.map((name) => quantityOf(name, row.values))));
  if (values.every(([, base]) => base === 0n)) return "Nothing in {span}.";
  if (values.some(([first]) => first === null)) return "Unknown in {span}.";
  const isOfRow = !part.title || /\{(first|second|last)\./.test(part.title);
  return isOfRow ? "Zero in {span}." : "";
};
/** The templates of title and subtitle.
 * @param {Part} part @param {Row[]} rows @param {Values} sums @param {boolean} isDrawn
 * @returns {[string, string]} */
export const headOf = (part, rows, sums, isDrawn) => {
  const { label = "", subtitle = "", title } = part, known = rows.filter((row) => !row.isFilled);
  if (isDrawn) return [title || label, subtitle];
  if (!known.length && part.empty) return [label, part.empty];
  const reason = reasonOf(part, known, sums);
  return reason ? [label, reason] : [title || label, subtitle];
};
