import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cards, heldRate, periodWords } from "../../reports/engine/cards.js";
import { daysBefore, monthsFor, periodOf } from "../../reports/engine/period.js";
import { switched, view } from "../../reports/engine/view.js";
import { USD, chosen, data, nothing, tables } from "./given.mjs";

const texts = (row) => row.map((cell) => cell.text);
for (const { name, part, choice, expected } of JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"))) {
  test(name, () => {
    const made = view(part, data, choice ? chosen(...choice) : nothing);
    const shown = { ...made, heads: made.table.heads.map((each) => each.text), rows: made.table.rows.map(texts),
      foot: made.table.foot.map(texts), first: made.table.rows.map(texts)[0], last: made.table.rows.map(texts).at(-1),
      count: made.table.rows.length, marks: made.rows.map((row) => row.label), hrefs: made.table.rows.map(([cell]) => cell.href) };
    for (const [what, value] of Object.entries(expected)) assert.deepEqual(shown[what], value, what);
  });
}

test("values behind cells are exact", () => {
  const part = { key: "a", data: "rpt_days", chosen: true, by: ["agent_id"], columns: ["agent_id", "cost_usd", "failed_count/finished_count|rate"] };
  const [, beta] = view(part, data, nothing).table.rows;
  assert.deepEqual(beta.map((cell) => cell.value), [null, "5.9999999994", "0.000000"]);
});

test("with a run of unknown outcome, no rate is known: neither of its line nor in all", () => {
  const counts = { run_count: [4, 4], succeeded_count: [3, 2], failed_count: [1, 1], finished_count: [4, 3], unknown_outcome_count: [0, 1] };
  const document = tables({ rpt_days: { date: [3, 3], agent_id: { keys: ["a", "b"], codes: [0, 1] }, judged_cost_usd: [6 * USD, null], ...counts } });
  const part = { key: "a", data: "rpt_days", chosen: true, by: ["agent_id"], total: true, order: "agent_id",
    columns: ["agent_id", "run_count", "finished_count", "failed_count/finished_count|rate", "judged_cost_usd/succeeded_count|each"] };
  const choice = chosen("2026-11-03", "2026-11-03"), { table } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, choice);
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "4", "4", "1 of 4", "$2.0000"],
    ["Beta", "4", "\u2013", "\u2013", "\u2013"], ["Total", "8", "\u2013", "", ""]]);
  const rates = { key: "b", data: "rpt_days", chosen: true, mark: "interval", by: ["date"], label: "Failed", draw: [{ value: "failed_count/finished_count|rate" }] };
  const made = view(rates, { ...data, shards: new Map([["2026-11", document]]) }, choice);
  assert.deepEqual([made.isDrawn, made.title, made.subtitle], [false, "Failed", "Unknown in 3 November 2026: 1 run of unknown outcome."]);
});

test("with a run of unknown cost, what a run cost is not known", () => {
  const counts = { run_count: [4, 4], succeeded_count: [3, 2], finished_count: [4, 3], unknown_cost_count: [0, 1], run_cost_usd: [6 * USD, 2 * USD] };
  const document = tables({ rpt_days: { date: [3, 3], agent_id: { keys: ["a", "b"], codes: [0, 1] }, judged_cost_usd: [6 * USD, null], ...counts } });
  const part = { key: "a", data: "rpt_days", chosen: true, by: ["agent_id"], total: true, order: "agent_id",
    columns: ["agent_id", "run_cost_usd/run_count|each", "judged_cost_usd/succeeded_count|each"] };
  const { table } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-11-03", "2026-11-03"));
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "$1.5000", "$2.0000"],
    ["Beta", "\u2013", "\u2013"], ["Total", "", ""]]);
});

test("zero is a figure of title and table, unknown is none, and neither is drawn", () => {
  const counts = { run_count: [2, 1], succeeded_count: [2, 1], tokens_in: [0, 0] }, of = { keys: ["a", "b"], codes: [0, 1] };
  const seen = (more, costs, unknown) => {
    const document = tables({ rpt_days: { date: [3, 4], agent_id: of, ...counts, cost_usd: costs, unknown_cost_count: unknown } });
    const part = { key: "a", data: "rpt_days", chosen: true, mark: "column", by: ["date"], label: "Label", subtitle: "Text", total: true,
      draw: [{ value: "cost_usd" }], title: "Cost: {cost_usd|usd}", columns: ["date", "cost_usd"], ...more };
    const { table, ...made } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-11-03", "2026-11-05"));
    return [made.isEmpty, made.isDrawn, made.title, made.subtitle, [...table.rows, ...table.foot].map((row) => row[1].text)];
  };
  const first = { by: ["agent_id"], mark: "bar", title: "{first.agent_id}: {first.cost_usd/cost_usd|percent}", columns: ["agent_id", "cost_usd"] };
  const perRun = { draw: [{ value: "cost_usd/run_count|each" }], title: "{first.cost_usd/first.run_count|each}" };
  const unknown = "Unknown in 3\u20135 November 2026: 3 runs of unknown cost.";
  assert.deepEqual(seen({}, [0, 0], [0, 0]), [false, false, "Cost: $0.00", "Text", ["$0.00", "$0.00", "$0.00", "$0.00"]]);
  assert.deepEqual(seen(first, [0, 0], [0, 0]), [false, false, "Label", "Zero in 3\u20135 November 2026.", ["$0.00", "$0.00", "$0.00"]]);
  assert.deepEqual(seen({}, [null, null], [2, 1]), [false, false, "Label", unknown, ["$0.00", "\u2013", "\u2013", "\u2013"]]);
  assert.deepEqual(seen(first, [null, 0], [2, 1]).slice(1, 4), [false, "Label", unknown]);
  assert.deepEqual(seen({ draw: [{ value: "tokens_in" }], title: "{tokens_in|tokens} tokens" }, [null, null], [2, 1]).slice(1, 4), [false, "0 tokens", "Text"]);
  assert.deepEqual(seen({ ...first, empty: "None." }, [null, null], [0, 0]).slice(0, 4), [false, false, "Label", "Unknown in 3\u20135 November 2026."]);
  assert.deepEqual(seen(perRun, [null, 1], [2, 0]).slice(0, 3), [false, true, "\u2013"]);
  assert.deepEqual(seen({ where: { agent_id: "z" } }, [1, 1], [0, 0]), [true, false, "Label", "Nothing in 3\u20135 November 2026.", []]);
});

test("stacks are by week when they are long, the largest keys first", () => {
  const part = { key: "stack", data: "rpt_days", chosen: true, mark: "column", by: ["date"], stack: ["agent_id"],
    draw: [{ value: "cost_usd|usd" }], columns: ["agent_id", "cost_usd"] };
  const short = view(part, data, chosen("2026-11-01", "2026-11-18")), long = view(part, data, chosen("2026-06-01", "2026-11-18"));
  assert.equal(short.rows.length, 18);
  assert.deepEqual(long.series.map((each) => [each.label, each.colour, each.values.at(-1)]),
    [["Alpha <b>", "hue-1", 60_000_000_000], ["Beta", "hue-2", 9_999_999_999], ["Platform", "hue-3", 3_750_000_000]]);
  assert.deepEqual([long.rows.length, long.rows.at(-1).from, long.rows.at(-1).state], [25, "2026-11-16", "p"]);
  assert.deepEqual(texts(short.table.rows[0]), ["Alpha <b>", "$36.00"]);
});

test("a day that was read has cost nothing of a key without a row, and one not read is unknown", () => {
  const document = tables({ rpt_models: { utc_date: [1, 2, 2], model: { keys: ["x", "y"], codes: [0, 0, 1] }, cost_usd: [USD, null, USD / 2] } });
  const part = { key: "m", data: "rpt_models", chosen: true, mark: "column", by: ["utc_date"], stack: ["model"], draw: [{ value: "cost_usd|usd" }] };
  const { series } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-10-28", "2026-11-02"));
  assert.deepEqual(series.map(({ values }) => values), [[null, 0, 0, 0, USD, null], [null, 0, 0, 0, 0, USD / 2]]);
});

test("keys beyond the colours of a stack are one series", () => {
  const keys = Array.from({ length: 7 }, (_, index) => `m${index}`);
  const document = tables({ rpt_models: { utc_date: keys.map(() => 3), model: { keys, codes: keys.map((_, index) => index) },
    cost_usd: keys.map((_, index) => 10 - index) } });
  const part = { key: "models", data: "rpt_models", chosen: true, mark: "column", by: ["utc_date"], stack: ["model"], draw: [{ value: "cost_usd|usd" }] };
  const made = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-11-03", "2026-11-03"));
  assert.deepEqual(made.series.slice(-2).map((each) => [each.label, each.colour, each.values]), [["m4", "hue-5", [6]], ["2 others", "others", [9]]]);
});

test("a part without a period takes its rows as they are", () => {
  const now = { movers: { size: 2, columns: { agent_id: { keys: ["a", "b"], codes: [0, 1] }, cause: { keys: ["new", "gone"], codes: [0, 1] },
    change_usd: { numbers: Float64Array.of(-30_000_000_000, 10_000_000_000), large: new Map() } } } };
  const part = { key: "movers", data: "rpt_movers", mark: "bar", by: ["agent_id"], draw: [{ value: "change_usd|usd_signed" }],
    columns: ["agent_id", "change_usd|usd_signed", "cause"] };
  const made = view(part, { ...data, now }, nothing);
  assert.deepEqual(made.table.rows.map(texts), [["Beta", "+$1.00", "gone"], ["Alpha <b>", "\u2212$3.00", "new"]]);
});

test("a period is compared with the month before, or with as many days", () => {
  const today = "2026-11-18";
  assert.deepEqual(daysBefore("2026-10-01", "2026-10-31", today), ["2026-09-01", "2026-09-30"]);
  assert.deepEqual(daysBefore("2026-11-01", "2026-11-18", today), ["2026-10-01", "2026-10-18"]);
  assert.deepEqual(daysBefore("2026-11-05", "2026-11-07", today), ["2026-11-02", "2026-11-04"]);
});

test("without a choice, a page is of the newest month, and of a line that rests of its last", () => {
  assert.deepEqual(periodOf(data, nothing).days, ["2026-11-01", "2026-11-18"]);
  const [workspace] = data.site.workspaces;
  const agents = workspace.agents.map((line) => (line.id === "b" ? { ...line, months: ["2026-10"] } : line));
  const of = { ...data, agent: "b", site: { ...data.site, workspaces: [{ ...workspace, agents }] } };
  assert.deepEqual(periodOf(of, nothing).days, ["2026-10-01", "2026-10-31"]);
  assert.deepEqual(monthsFor(data, nothing), ["2026-10", "2026-11"]);
  assert.deepEqual(monthsFor(data, chosen("2026-11-03", "2026-11-04")), ["2026-11"]);
});

test("today is in no comparison, and a running month is shown up to its end", () => {
  const { compared, before, base, end, isRead } = periodOf(data, nothing);
  assert.deepEqual([compared, before, base, end, isRead],
    [["2026-11-01", "2026-11-17"], ["2026-10-01", "2026-10-17"], ["2026-10-01", "2026-10-31"], "2026-11-30", false]);
  const days = chosen("2026-11-14", "2026-11-18");
  assert.deepEqual([periodOf(data, days).before, periodOf(data, days).end], [["2026-11-10", "2026-11-13"], "2026-11-18"]);
  assert.equal(periodWords(data, days), "14\u201318 November 2026 so far, changes of 14\u201317 November 2026 against 10\u201313 November 2026");
  assert.equal(periodWords(data, nothing), "1\u201318 November 2026 so far; days of it or before it were not read whole");
});

const of = (made) => Object.fromEntries(made.map(({ key, value, change, note }) => [key, [value, change, note]]));
test("cards have the figures of the period beside those of the period before", () => {
  const made = of(cards(data, chosen("2026-11-02", "2026-11-04")));
  assert.deepEqual([made.cost, made.failed, made.tokens], [["$7.37", "no change", ""],
    ["$1.50", "$1.50 before", "20.3% of the cost"], ["6.0\u00a0k in", "no change", "603 out"]]);
  assert.equal(of(cards(data, chosen("2026-11-10", "2026-11-11"))).failed[0], "$1.00 to $2.00");
  const [each, rate, runs] = ["each", "rate", "runs"].map((key) => of(cards({ ...data, agent: "a" }, chosen("2026-11-02", "2026-11-04")))[key]);
  assert.deepEqual([each, rate, runs], [["$0.3333", "$0.3333 before", "$0.2917 a run"], ["12.5%", "", "3 of 24 finished"], ["24", "no change", ""]]);
});

test("what was not read whole is compared with nothing, and days without rows are zero", () => {
  assert.deepEqual(of(cards(data, chosen("2026-11-06", "2026-11-08"))).cost, ["$7.37", "", ""]);
  const empty = { ...data, shards: new Map([["2026-11", {}], ["2026-10", {}]]) };
  assert.deepEqual(of(cards(empty, chosen("2026-11-12", "2026-11-13"))).cost, ["$0.00", "no change", ""]);
  assert.deepEqual(of(cards(empty, chosen("2026-10-01", "2026-10-12"))).cost, ["\u2013", "", ""]);
});

const unknownIn = (month, name, from) => {
  const { columns, size } = data.shards.get(month).rpt_days;
  const numbers = Float64Array.from({ length: size }, (_, row) => Number(columns.date.numbers[row] < from ? 0 : 4));
  return { ...data, shards: new Map([...data.shards, [month, { rpt_days: { size, columns: { ...columns, [name]: { numbers, large: new Map() } } } }]]) };
};
test("a cost that is unknown in part, or without the platform's, is compared with none", () => {
  const change = (made) => of(cards(made, chosen("2026-11-12", "2026-11-13"))).cost[1];
  assert.equal(change(data), "no change");
  assert.equal(change(unknownIn("2026-11", "unknown_cost_count", 12)), "");
  assert.equal(change(unknownIn("2026-11", "unknown_platform_count", 12)), "");
});

test("a rate with the mix held weighs each agent by its runs of the period before", () => {
  const days = { date: [1, 2, 3, 1, 2, 3], agent_id: { keys: ["a", "b"], codes: [0, 0, 0, 1, 1, 1] }, workspace_id: { keys: ["ws"], codes: [0, 0, 0, 0, 0, 0] },
    failed_count: [0, 1, 0, 10, 1, 9], finished_count: [10, 30, 90, 10, 10, 10] };
  const held = heldRate({ ...data, shards: new Map([["2026-11", tables({ rpt_days: days })]]) }, chosen("2026-11-03", "2026-11-03"));
  assert.deepEqual([held.rate.toFixed(4), held.before.toFixed(4)], ["0.2250", "0.0500"]);
  assert.deepEqual(held.mover, { name: "Beta", rate: "90.0%", before: "10.0%", sign: "\u2191" });
  const few = { ...days, finished_count: [10, 30, 0, 10, 10, 10] };
  assert.equal(heldRate({ ...data, shards: new Map([["2026-11", tables({ rpt_days: few })]]) }, chosen("2026-11-03", "2026-11-03")), null);
});

test("a table compares rows with the period before, whose keys it has, too", () => {
  const days = { date: [10, 11, 10], agent_id: { keys: ["a", "b"], codes: [0, 0, 1] }, cost_usd: [USD, 3 * USD, 2 * USD], run_count: [1, 1, 1] };
  const part = { key: "t", data: "rpt_days", chosen: true, by: ["agent_id"], total: true, columns: ["agent_id", "cost_usd", "compared.cost_usd/before.cost_usd|usd_change", "cost_usd|trend"] };
  const { table } = view(part, { ...data, marked: new Set(["ws b"]), shards: new Map([["2026-11", tables({ rpt_days: days })]]) }, chosen("2026-11-11", "2026-11-11"));
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "$3.00", "+$2.00 (+200%)", ""], ["Beta", "$0.00", "\u2212$2.00 (\u2212100%)", ""], ["Total", "$3.00", "no change", ""]]);
  assert.deepEqual(table.rows.map(([cell]) => [cell.hue, cell.isMarked ?? false]), [[1, false], [2, true]]);
  assert.deepEqual(table.rows.map((row) => row[3].trend), [[3 * USD], [0]]);
});

test("a chart is switched to what it is stacked by and what it shows, of what there is", () => {
  const part = { key: "c", data: "rpt_days", chosen: true, mark: "column", by: ["date"], compare: true,
    split: [{ name: "agent", by: ["agent_id"] }, { name: "model", by: ["model"], data: "rpt_models", time: "utc_date", values: ["cost"] }],
    show: [{ name: "cost", value: "cost_usd", title: "{first.label}" }, { name: "runs", value: "run_count", title: "Runs of {first.label}" }] };
  const shown = (by, show) => {
    const made = view(switched(part, by, show), data, chosen("2026-11-03", "2026-11-03"));
    return [made.title, ...made.series.map(({ label, values }) => [label, ...values])];
  };
  assert.deepEqual(shown(null, null).slice(0, 2), ["\u2068Alpha <b>\u2069", ["Alpha <b>", 2 * USD]]);
  assert.deepEqual(shown("agent", "runs").slice(0, 2), ["Runs of \u2068Alpha <b>\u2069", ["Alpha <b>", 4]]);
  assert.deepEqual(shown("model", "runs"), ["\u2068opus\u2069", ["opus", 7 * USD], ["mini", USD]]);
});

test("the period before stands at the days of this one, unknown where it was not read whole", () => {
  const part = { key: "c", data: "rpt_days", chosen: true, mark: "column", by: ["date"], draw: [{ value: "run_count" }], compare: true };
  const { before } = view(part, data, chosen("2026-11-08", "2026-11-10"));
  assert.deepEqual(before, { label: "5\u20137 November 2026", days: ["2026-11-08", "2026-11-09", "2026-11-10"], values: [8, 8, null] });
});
