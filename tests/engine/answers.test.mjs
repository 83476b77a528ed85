import assert from "node:assert/strict";
import { test } from "node:test";
import { answersView, membersOf } from "../../reports/engine/answers.js";
import { plot } from "../../reports/engine/plot.js";
import { USD, chosen, data, nothing, tables, looks } from "./given.mjs";

const REMARK = "It does not follow the agents chosen.";
const coded = (keys) => ({ keys: [...new Set(keys)], codes: keys.map((key) => [...new Set(keys)].indexOf(key)) });
/** Data of one part, whose texts are coded. */
const held = (columns) => ({ ...data, workspace: undefined, shards: new Map([["", tables({ p: Object.fromEntries(Object.entries(columns)
  .map(([name, values]) => [name, values.some((each) => typeof each === "string") ? coded(values) : values])) })]]) });
const part = { key: "p", data: "p", chosen: true, label: "Rows {a|usd}" };
const texts = ({ table }) => table.rows.map((row) => row.map((cell) => cell.text));

test("rows follow the days and months chosen, and say which they are", () => {
  const days = held({ date: ["2026-11-03", "2026-10-02", null], c1_count: [2, 3, 4] });
  const of = { ...part, span: ["2026-10-02", "2026-11-03"], columns: ["date|day|Day", "c1_count|count|Runs"] };
  const all = answersView(of, days, nothing);
  assert.deepEqual([texts(all), all.title, all.subtitle], [[["3 November 2026", "2"], ["2 October 2026", "3"], ["\u2013", "4"]],
    "Rows {a|usd}", "2 October\u20133 November 2026."]);
  assert.deepEqual(texts(answersView(of, days, chosen("2026-11-01", "2026-11-30"))), [["3 November 2026", "2"]]);
  assert.equal(answersView(of, days, chosen("2026-09-01", "2026-09-30")).subtitle.split(".")[0], "Nothing to show");
  const months = held({ date: ["2026-10-01", "2026-11-01"], c1_count: [2, 3] });
  const shown = answersView({ ...of, monthly: true, span: ["2026-10-01", "2026-11-01"] }, months, chosen("2026-10-20", "2026-10-21"));
  assert.deepEqual([shown.table.rows.length, shown.subtitle], [1, "1\u201331 October 2026. Months are whole."]);
  const fixed = answersView({ ...part, columns: [] }, held({ c1_count: [2] }), chosen("2026-10-20", "2026-10-21"));
  assert.equal(fixed.subtitle, "It does not follow the chosen period.");
});

test("rows follow the members chosen by what they are of, and say where they do not", () => {
  const shown = (member, ...members) => {
    const { table, subtitle } = answersView({ ...part, columns: [] }, held({ member, c1_count: [1, 2] }), chosen(null, null, members));
    return [table.rows.length, subtitle];
  };
  assert.deepEqual(shown(["ws\n(all)", "other\n(all)"], "ws\na"), [2, REMARK]);
  assert.deepEqual(shown(["ws\n(all)", "other\n(all)"], "ws\n(all)"), [1, ""]);
  assert.deepEqual(shown(["(all)\na", "(all)\nz"], "ws\na"), [1, ""]);
  assert.deepEqual(shown(["(all)\na", "(all)\nz"], "ws\n(all)"), [1, ""]);
  assert.deepEqual(shown(["ws\na", "other\na"], "ws\na"), [1, ""]);
  assert.deepEqual(shown(["ws\n(none)", "other\nz"], "ws\n(all)"), [1, ""]);
  const site = { ...data.site, workspaces: [{ ...data.site.workspaces[0], entity: "w", agents: [{ id: "a", name: "A", entity: "x" }, { id: "b", name: "B", entity: "y" }] }] };
  assert.deepEqual(membersOf({ ...held({ member: ["(all)\na", "(all)\nz"] }), site }).map(({ id }) => id), ["ws\na"]);
});

test("a quotient is of sums, a line has gaps, and columns of months stand in the middle of theirs", () => {
  const of = { ...part, mark: "line", by: ["date"], stack: ["c2"], order: "-y0_count", span: ["2026-11-01", "2026-11-03"],
    draw: [{ value: "y0_count/y0_per_count|each", name: "Cost per run" }], columns: [] };
  const rows = held({ date: ["2026-11-01", "2026-11-01", "2026-11-03", "2026-11-03"], c2: ["x", "x", "x", "y"],
    y0_count: [4 * USD, null, 3 * USD, USD], y0_per_count: [2, null, 2, 1] });
  const view = answersView(of, rows, nothing), { data: [first, second] } = plot(view, of, { isNarrow: false }, looks);
  assert.deepEqual([first.y, second.y, first.type, second.customdata.at(-1)], [[2, 1.5], [null, 1], "scatter", "y: $1.0000"]);
  const monthly = { ...of, mark: "column", stack: undefined, monthly: true, draw: [{ value: "c1_count|count", name: "Runs" }] };
  const months = held({ date: ["2026-10-01", "2026-11-01"], c1_count: [2, 3] });
  const { data: [column], layout } = plot(answersView(monthly, months, nothing), monthly, { isNarrow: false }, looks);
  assert.deepEqual([column.x, column.y, layout.xaxis.dtick], [["2026-10-16", "2026-11-16"], [2, 3], "M1"]);
});

test("bars keep the order of the rows, the names beyond the limit are one, and `by` puts them on top of each other", () => {
  const of = { ...part, mark: "bar", by: ["c0"], limit: 2, draw: [{ value: "c1_count|decimal", name: "Hours" }], columns: ["c0|text|Name", "c1_count|decimal|Hours"] };
  const rows = { c0: ["b", "a", "d", "c", null], c1_count: [USD / 4, 2 * USD, USD, USD, USD], c2: ["x", "y", "x", "x", "x"] };
  const bars = answersView(of, held(rows), nothing), { data: [bar] } = plot(bars, of, { isNarrow: false }, looks);
  assert.deepEqual([bars.rows.map(({ label }) => label), bar.x, texts(bars)[0]], [["b", "a", "3 others"], [0.25, 2, 3], ["b", "0.25"]]);
  assert.equal(bars.table.rows[0][1].value, "0.2500000000");
  const split = { ...of, stack: ["c2"] }, stacked = plot(answersView(split, held(rows), nothing), split, { isNarrow: false }, looks);
  assert.deepEqual(stacked.data.map(({ name, x }) => [name, x]), [["x", [0.25, null]], ["y", [null, 2]], [undefined, [0.25, 2]]]);
});
