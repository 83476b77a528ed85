import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cards, heldRates } from "../../reports/engine/cards.js";
import { periodOf } from "../../reports/engine/period.js";
import { switched, view, waysOf } from "../../reports/engine/view.js";
import { USD, chosen, data, nothing, tables, whole } from "./given.mjs";

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
  assert.deepEqual(beta.map((cell) => cell.value), [null, "6.6666666660", "0.000000"]);
});

test("with a run of unknown outcome, no rate is known: neither of its line nor in all", () => {
  const counts = { run_count: [4, 4], succeeded_count: [3, 2], failed_count: [1, 1], finished_count: [4, 3], unknown_outcome_count: [0, 1] };
  const document = tables({ rpt_days: { date: [3, 3], agent_id: { keys: ["a", "b"], codes: [0, 1] }, judged_cost_usd: [6 * USD, null], ...counts } });
  const part = { key: "a", data: "rpt_days", chosen: true, by: ["agent_id"], total: true, order: "agent_id",
    columns: ["agent_id", "run_count", "finished_count", "failed_count/finished_count|rate", "judged_cost_usd/succeeded_count|each"] };
  const choice = chosen("2026-11-03", "2026-11-03"), { table } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, choice);
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "4", "4", "1 of 4", "$2.0000"],
    ["Beta", "4", "\u2013", "\u2013", "\u2013"], ["Total", "8", "\u2013", "\u2013", ""]]);
  const rates = { key: "b", data: "rpt_days", chosen: true, mark: "interval", by: ["date"], label: "Failed", draw: [{ value: "failed_count/finished_count|rate" }] };
  const made = view(rates, { ...data, shards: new Map([["2026-11", document]]) }, choice);
  assert.deepEqual([made.isDrawn, made.title, made.subtitle], [false, "Failed", "Unknown in 3 November 2026: 1 run of unknown outcome."]);
});

test("with a run of unknown cost, what a success cost is not known", () => {
  const counts = { run_count: [4, 4], succeeded_count: [3, 2], finished_count: [4, 3], unknown_cost_count: [0, 1] };
  const document = tables({ rpt_days: { date: [3, 3], agent_id: { keys: ["a", "b"], codes: [0, 1] }, judged_cost_usd: [6 * USD, null], ...counts } });
  const part = { key: "a", data: "rpt_days", chosen: true, by: ["agent_id"], total: true, order: "agent_id",
    columns: ["agent_id", "judged_cost_usd/succeeded_count|each"] };
  const { table } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-11-03", "2026-11-03"));
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "$2.0000"], ["Beta", "\u2013"], ["Total", ""]]);
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
  assert.deepEqual(seen({ data: "rpt_models" }, [1, 1], [0, 0]), [true, false, "Label", "Nothing in 3\u20135 November 2026.", []]);
});

test("stacks are by week when they are long, the largest keys first", () => {
  const part = { key: "stack", data: "rpt_days", chosen: true, mark: "column", by: ["date"], stack: ["agent_id"],
    draw: [{ value: "cost_usd|usd" }], columns: ["agent_id", "cost_usd"] };
  const short = view(part, data, chosen("2026-11-01", "2026-11-18")), long = view(part, data, chosen("2026-06-01", "2026-11-18"));
  assert.equal(short.rows.length, 18);
  assert.deepEqual(long.series.map((each) => [each.label, each.colour, each.values.at(-1)]),
    [["Alpha <b>", "hue-1", 40_000_000_000], ["Beta", "hue-2", 6_666_666_666], ["Platform", "hue-3", 2_500_000_000]]);
  assert.deepEqual([long.rows.length, long.rows.at(-1).from, long.rows.at(-1).state], [25, "2026-11-16", "c"]);
  assert.deepEqual(texts(short.table.rows[0]), ["Alpha <b>", "$34.00"]);
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

const of = (made) => Object.fromEntries(made.map(({ key, ...card }) => [key, card]));
const week = chosen("2026-11-11", "2026-11-17");
const rows = (columns, calendar = whole) => ({ ...calendar, shards: new Map([["2026-11", tables({ rpt_days: columns })]]) });
test("cards have the figures of the period beside those of the period before", () => {
  assert.deepEqual(cards(whole, week), [
    { key: "cost", label: "7 days", value: "$17.21", more: "no change", note: "56 runs \u00b7 15.5\u00a0k tokens", change: "" },
    { key: "failed", value: "$3.50", more: "", note: "20.3% of the cost", change: "$3.50 to $4.50 before" },
    { key: "rate", value: "12.5%", more: "7 of 56", note: "12.5% before", change: "same agents, same mix: 12.5% \u2192 12.5%" }]);
  const before = of(cards(whole, chosen("2026-11-04", "2026-11-10")));
  assert.deepEqual([before.failed.value, before.failed.more, before.failed.note], ["$3.50", "at most $4.50", "20.3% of the cost"]);
  const agent = of(cards({ ...whole, agent: "a" }, week));
  assert.deepEqual([agent.each, agent.rate, agent.today.value], [{ value: "$0.3333", change: "" }, { value: "12.5%", more: "7 of 56" }, ""]);
  assert.equal(of(cards({ ...whole, agent: "a" }, nothing)).today.value, "$2.46");
});

test("a month has the total of the month before in place of a change, and no line of its days", () => {
  const days = { date: [1, 2], agent_id: { keys: ["a"], codes: [0, 0] }, cost_usd: [USD, 3 * USD], run_count: [1, 1] };
  const shards = new Map(["2026-09", "2026-10"].map((month, n) => [month, tables({ rpt_days: { ...days, run_count: [n, n] } })]));
  const states = "c".repeat(80), [ws] = data.site.workspaces;
  const made = { ...data, shards, site: { ...data.site, first: "2026-09-01", states, workspaces: [{ ...ws, first: "2026-09-01", states }] } };
  const month = { ...chosen("2026-10-01", "2026-10-31"), isMonth: true };
  const { cost } = of(cards(made, month));
  assert.deepEqual([cost.label, cost.value, cost.more, cost.change], ["October 2026", "$4.00", "", "September 2026: $4.00"]);
  const part = { key: "t", data: "rpt_days", chosen: true, mark: "column", by: ["date"], stack: ["agent_id"], draw: [{ value: "cost_usd" }],
    compare: true, total: true, columns: ["agent_id", "cost_usd", "change_usd|usd_signed|Change"] };
  const { table, before } = view(part, made, month);
  assert.deepEqual([table.heads.map(({ text }) => text), ...table.foot.map(texts), before],
    [["Agent", "Cost", "September 2026"], ["Total", "$4.00", "$4.00"], undefined]);
});

test("what was not read whole is compared with nothing, and days without rows are zero", () => {
  assert.equal(of(cards(data, week)).cost.more, "");
  const empty = { ...whole, shards: new Map([["2026-11", {}], ["2026-10", {}]]) };
  assert.deepEqual([of(cards(empty, week)).cost.value, of(cards(empty, week)).cost.more], ["$0.00", "no change"]);
  assert.equal(of(cards(empty, chosen("2026-10-01", "2026-10-12"))).cost.value, "\u2013");
});

const unknownIn = (name, from) => {
  const { columns, size } = data.shards.get("2026-11").rpt_days;
  const numbers = Float64Array.from({ length: size }, (_, row) => Number(columns.date.numbers[row] < from ? 0 : 4));
  return { ...whole, shards: new Map([["2026-11", { rpt_days: { size, columns: { ...columns, [name]: { numbers, large: new Map() } } } }]]) };
};
test("a cost that is unknown in part, or without the platform's, is compared with none", () => {
  const change = (made) => of(cards(made, week)).cost.more;
  assert.equal(change(whole), "no change");
  assert.equal(change(unknownIn("unknown_cost_count", 12)), "");
  assert.equal(change(unknownIn("unknown_platform_count", 12)), "");
});

test("rates of the same agents weigh each by its runs of the period before, where enough of both finished", () => {
  const days = { date: [4, 11, 4, 11], agent_id: { keys: ["a", "b"], codes: [0, 0, 1, 1] }, workspace_id: { keys: ["ws"], codes: [0, 0, 0, 0] },
    failed_count: [2, 0, 8, 20], finished_count: [40, 80, 40, 40], run_count: [40, 80, 40, 40] };
  const shown = (finished) => of(cards(rows({ ...days, finished_count: finished }), week)).rate;
  assert.deepEqual(shown([40, 80, 40, 40]), { value: "16.7%", more: "20 of 120", note: "12.5% before", change: "same agents, same mix: 12.5% \u2192 25.0%" });
  assert.deepEqual(heldRates(rows(days), week, periodOf(rows(days), week)), [0.125, 0.25]);
  assert.equal(shown([40, 14, 40, 15]).change, ""); // 29 of this period
  assert.equal(shown([14, 80, 15, 40]).change, ""); // 29 of the one before
  assert.equal(shown([60, 0, 40, 40]).change, ""); // agents of both periods are a minority
});

test("a table compares rows with the period before, whose keys it has, too, as of later days", () => {
  const days = { date: [4, 11, 4, 18], agent_id: { keys: ["a", "b", "(platform)"], codes: [0, 0, 1, 2] },
    cost_usd: [USD, 3 * USD, 2 * USD, USD], run_count: [1, 5, 1, 1] };
  const part = { key: "t", data: "rpt_days", chosen: true, by: ["agent_id"], total: true, columns: ["agent_id", "cost_usd", "run_count", "change_usd|usd_signed|Change", "cost_usd|trend"] };
  const marked = { "ws b": "act now" };
  assert.equal(view(part, { ...rows(days), marked }, nothing).table.heads.length, 4); // of 28 days nothing is known before
  const { table } = view(part, { ...rows(days), marked }, chosen("2026-11-11", "2026-11-18"));
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "$3.00", "5", "+$2.00", ""], ["Beta", "$0.00", "0", "\u2212$2.00", ""],
    ["Platform", "$0.00", "0", "$0.00", ""], ["Total", "$3.00", "5", "$0.00", ""]]);
  assert.deepEqual(table.rows.map(([cell]) => [cell.hue, cell.urgency]), [[1, undefined], [2, "act now"], [3, undefined]]);
});

test("the course of a value is drawn of five runs or more, and of several days", () => {
  const part = { key: "t", data: "rpt_days", chosen: true, by: ["agent_id"], columns: ["agent_id", "run_count", "cost_usd|trend"] };
  const days = { date: [11, 12, 11], agent_id: { keys: ["a", "b"], codes: [0, 0, 1] }, cost_usd: [USD, USD, USD], run_count: [2, 3, 4] };
  assert.deepEqual(view(part, rows(days), chosen("2026-11-11", "2026-11-12")).table.rows.map((row) => row[2].trend), [[USD, USD], []]);
  const alone = { ...days, date: [11, 11, 11], run_count: [5, 5, 5] };
  assert.deepEqual(view(part, rows(alone), chosen("2026-11-11", "2026-11-11")).table.rows.map((row) => row[2].trend), [[], []]);
});

test("the course of a model's price is marked where it rose", () => {
  const part = { key: "m", data: "rpt_models", chosen: true, by: ["model", "provider"], time: "utc_date", columns: ["model", "cost_usd|trend|Price"] };
  const made = { ...data, events: [{ day: "2026-11-03", label: "mini price", is_finding: true }, { day: "2026-11-09", label: "opus price", is_finding: true }] };
  assert.deepEqual(view(part, made, chosen("2026-11-02", "2026-11-04")).table.rows.map(([{ text }, { steps }]) => [text, steps]),
    [["opus (x)", []], ["opus (y)", []], ["mini", [1]]]);
});

test("later days are drawn, and in no total", () => {
  const days = { date: [17, 18], agent_id: { keys: ["a", "b"], codes: [0, 1] }, cost_usd: [USD, 3 * USD], run_count: [5, 5] };
  const part = { key: "c", data: "rpt_days", chosen: true, mark: "column", by: ["date"], stack: ["agent_id"], draw: [{ value: "cost_usd" }], label: "Cost",
    title: "{first.label}: {cost_usd|usd}", total: true, columns: ["agent_id", "cost_usd"] };
  const { series, table, title, end } = view(part, rows(days), chosen("2026-11-17", "2026-11-18"));
  assert.deepEqual([series.map(({ values }) => values), texts(table.foot[0]), title, end],
    [[[USD, 0], [0, 3 * USD]], ["Total", "$1.00"], "\u2068Alpha <b>\u2069: $1.00", "2026-11-18"]);
  const first = rows({ ...days, date: [18, 18] }, data), shown = view(part, first, nothing); // a first day
  assert.deepEqual([shown.isDrawn, shown.title], [true, "Cost"]);
  const many = { date: Array(6).fill(18), agent_id: { keys: [..."abcdef"], codes: [0, 1, 2, 3, 4, 5] }, cost_usd: [1, 2, 3, 4, 5, 6], run_count: Array(6).fill(1) };
  assert.deepEqual(view(part, rows(many, data), nothing).series.map(({ values }) => values.at(-1)), [1, 2, 3, 4, 5, 6]);
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
  const named = (...asked) => { const { by, show } = waysOf(part, ...asked); return [by, show]; };
  assert.deepEqual([named("model", "runs"), named("agent", "cost"), named(null, "runs"), named("x", "y")],
    [["model", null], [null, null], [null, "runs"], [null, null]]);
});

test("the period before stands at the same weekdays of this one, unknown where it was not read whole", () => {
  const part = { key: "c", data: "rpt_days", chosen: true, mark: "column", by: ["date"], draw: [{ value: "run_count" }], compare: true };
  const { before } = view(part, data, chosen("2026-11-11", "2026-11-18"));
  assert.deepEqual(before, { label: "7 days before", values: [8, 8, 8, null, 8, 8, 8],
    days: [11, 12, 13, 14, 15, 16, 17].map((day) => `2026-11-${day}`) });
  assert.equal(view(part, data, chosen("2026-11-08", "2026-11-10")).before, undefined);
});
