import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { daysBefore, summary } from "../../reports/engine/summary.js";
import { monthsFor, view } from "../../reports/engine/view.js";
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
  const part = { key: "a", data: "rpt_days", period: "recent", by: ["agent_id"], columns: ["agent_id", "cost_usd", "failed_count/finished_count|rate"] };
  const [, beta] = view(part, data, nothing).table.rows;
  assert.deepEqual(beta.map((cell) => cell.value), [null, "6.6666666660", "0.000000"]);
});

test("with a run of unknown outcome, no rate is known: neither of its line nor in all", () => {
  const counts = { run_count: [4, 4], succeeded_count: [3, 2], failed_count: [1, 1], finished_count: [4, 3], unknown_outcome_count: [0, 1] };
  const document = tables({ rpt_days: { date: [3, 3], agent_id: { keys: ["a", "b"], codes: [0, 1] }, judged_cost_usd: [6 * USD, null], ...counts } });
  const part = { key: "a", data: "rpt_days", period: "recent", by: ["agent_id"], total: true, order: "agent_id",
    columns: ["agent_id", "run_count", "finished_count", "failed_count/finished_count|rate", "judged_cost_usd/succeeded_count|each"] };
  const choice = chosen("2026-11-03", "2026-11-03"), { table } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, choice);
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "4", "4", "1 of 4", "$2.0000"],
    ["Beta", "4", "\u2013", "\u2013", "\u2013"], ["Total", "8", "\u2013", "\u2013", "\u2013"]]);
  const rates = { key: "b", data: "rpt_days", period: "charted", mark: "interval", by: ["date"], label: "Failed", draw: [{ value: "failed_count/finished_count|rate" }] };
  const made = view(rates, { ...data, shards: new Map([["2026-11", document]]) }, choice);
  assert.deepEqual([made.isDrawn, made.title, made.subtitle], [false, "Failed", "Unknown in 3 November 2026: 1 run of unknown outcome."]);
});

test("with a run of unknown cost, what a run cost is not known", () => {
  const counts = { run_count: [4, 4], succeeded_count: [3, 2], finished_count: [4, 3], unknown_cost_count: [0, 1], run_cost_usd: [6 * USD, 2 * USD] };
  const document = tables({ rpt_days: { date: [3, 3], agent_id: { keys: ["a", "b"], codes: [0, 1] }, judged_cost_usd: [6 * USD, null], ...counts } });
  const part = { key: "a", data: "rpt_days", period: "recent", by: ["agent_id"], total: true, order: "agent_id",
    columns: ["agent_id", "run_cost_usd/run_count|each", "judged_cost_usd/succeeded_count|each"] };
  const { table } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-11-03", "2026-11-03"));
  assert.deepEqual([...table.rows, ...table.foot].map(texts), [["Alpha <b>", "$1.5000", "$2.0000"],
    ["Beta", "\u2013", "\u2013"], ["Total", "\u2013", "\u2013"]]);
});

test("small samples are last in the order of a rate, and in their place in that of an amount", () => {
  const failing = (order, [small, large]) => {
    const document = tables({ rpt_days: { date: [3, 3], agent_id: { keys: ["a", "b"], codes: [0, 1] }, failed_count: [2, 3],
      finished_count: [5, 40], failed_cost_usd: [small * USD, large * USD], failed_cost_more_usd: [0, 0] } });
    const part = { key: "a", data: "rpt_days", period: "charted", mark: ["interval", "bar"], by: ["agent_id"], order, columns: ["agent_id"],
      draw: [{ value: "failed_count/finished_count|rate" }, { value: "failed_cost_usd" }],
      title: "{first.agent_id}: {first.failed_cost_usd|range}", title_small: "All: {failed_cost_usd|range}" };
    const made = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-11-03", "2026-11-05"));
    return [made.title, ...made.rows.map(({ label }) => label)];
  };
  assert.deepEqual(failing("-failed_cost_usd", [9, 1]), ["\u2068Alpha <b>\u2069: $9.00", "Alpha <b>", "Beta"]);
  assert.deepEqual(failing("-failed_cost_usd", [0, 0]), ["All: $0.00", "Alpha <b>", "Beta"]);
  assert.deepEqual(failing(undefined, [9, 1]), ["\u2068Beta\u2069: $1.00", "Beta", "Alpha <b>"]);
});

test("zero is a figure of title and table, unknown is none, and neither is drawn", () => {
  const counts = { run_count: [2, 1], succeeded_count: [2, 1], tokens_in: [0, 0] }, of = { keys: ["a", "b"], codes: [0, 1] };
  const seen = (more, costs, unknown) => {
    const document = tables({ rpt_days: { date: [3, 4], agent_id: of, ...counts, cost_usd: costs, unknown_cost_count: unknown } });
    const part = { key: "a", data: "rpt_days", period: "charted", mark: "column", by: ["date"], label: "Label", subtitle: "Text", total: true,
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
  const part = { key: "stack", data: "rpt_days", period: "charted", mark: "column", by: ["date"], stack: "agent_id",
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
  const part = { key: "m", data: "rpt_models", period: "charted", mark: "column", by: ["utc_date"], stack: "model", draw: [{ value: "cost_usd|usd" }] };
  const { series } = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-10-28", "2026-11-02"));
  assert.deepEqual(series.map(({ values }) => values), [[null, 0, 0, 0, USD, null], [null, 0, 0, 0, 0, USD / 2]]);
});

test("keys beyond the colours of a stack are one series", () => {
  const keys = Array.from({ length: 7 }, (_, index) => `m${index}`);
  const document = tables({ rpt_models: { utc_date: keys.map(() => 3), model: { keys, codes: keys.map((_, index) => index) },
    cost_usd: keys.map((_, index) => 10 - index) } });
  const part = { key: "models", data: "rpt_models", period: "charted", mark: "column", by: ["utc_date"], stack: "model", draw: [{ value: "cost_usd|usd" }] };
  const made = view(part, { ...data, shards: new Map([["2026-11", document]]) }, chosen("2026-11-03", "2026-11-03"));
  assert.deepEqual(made.series.slice(-2).map((each) => [each.label, each.colour, each.values]), [["m4", "hue-5", [6]], ["2 others", "others", [9]]]);
});

test("of today alone there is no rate yet, and the part says so", () => {
  const part = { key: "f", data: "rpt_days", period: "charted", mark: "interval", by: ["date"], label: "Rate", draw: [{ value: "failed_count/finished_count|rate" }] };
  const { isEmpty, title, subtitle, caption } = view(part, data, chosen("2026-11-18", "2026-11-18"));
  assert.deepEqual([isEmpty, title, subtitle], [true, "Rate", "Today is not over: some of its runs may still fail."]);
  assert.equal(caption, "Rate, 18 November 2026 (today so far)");
});

test("medians are of one member, not of several together", () => {
  const part = { key: "w", data: "rpt_run_weeks", period: "charted", mark: "line", by: ["week"], draw: [{ value: "tokens_in_median|tokens" }] };
  const { isEmpty, subtitle } = view(part, data, chosen("2026-11-01", "2026-11-18", ["a", "b"]));
  assert.deepEqual([isEmpty, subtitle], [true, "Of several agents together, no median is known: choose one of them."]);
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

test("a summary shows figures beside those of the period before", () => {
  const made = summary(data, chosen("2026-11-02", "2026-11-04"));
  assert.equal(made.previousPeriod, "30 October\u20131 November 2026");
  const of = Object.fromEntries(made.figures.map(({ label, text, previous, change }) => [label, [text, previous, change]]));
  assert.deepEqual(of.Cost, ["$7.37", "$7.37", "no change"]);
  assert.deepEqual(of["Failure rate"], ["12.5% (3 of 24)", "12.5% (3 of 24)", "no change"]);
  assert.deepEqual(of["Failed cost"], ["$1.50", "$1.50", ""]);
  assert.deepEqual(of.Billed, ["$2.00", "$1.00", "+$1.00 (+100%)"]);
});

test("today, and what was not read, is in no comparison", () => {
  const month = summary(data, chosen("2026-11-16", "2026-11-18"));
  assert.deepEqual([month.period, month.previousPeriod, month.changePeriod],
    ["16\u201318 November 2026", "14\u201315 November 2026", "16\u201317 November 2026"]);
  assert.deepEqual([month.figures[0].text, month.figures[0].previous, month.figures[0].change], ["$7.37", "$4.92", "no change"]);
  const site = { ...data.site, states: `${data.site.states.slice(0, -2)}pp`, yesterday: "2026-11-16" };
  site.workspaces = site.workspaces.map((each) => ({ ...each, states: site.states, yesterday: site.yesterday }));
  const east = summary({ ...data, site }, chosen("2026-11-12", "2026-11-18"));
  assert.deepEqual([east.previousPeriod, east.changePeriod], ["7\u201311 November 2026", "12\u201316 November 2026"]);
  const today = summary(data, chosen("2026-11-18", "2026-11-18"));
  assert.deepEqual(new Set(today.figures.map((each) => each.change)), new Set([""]));
  const [unread] = summary(data, chosen("2026-11-06", "2026-11-08")).figures;
  assert.deepEqual([unread.previous, unread.change], ["$7.37", ""]);
});

test("where all days were read, what is not there is zero", () => {
  const of = { ...data, shards: new Map([["2026-11", {}], ["2026-10", {}]]) };
  const { figures } = summary(of, chosen("2026-11-10", "2026-11-12")), [cost, count, rate] = figures;
  assert.deepEqual([cost.text, count.text, rate.text, figures.at(-1).text], ["$0.00", "0", "\u2013", "$0.00"]);
  const unread = summary(of, chosen("2026-11-06", "2026-11-08")).figures;
  assert.deepEqual([unread[0].text, unread.at(-1).text], ["\u2013", "\u2013"]);
});

test("a bill that the API does not give is not zero, and is compared with none", () => {
  const without = (unbilled) => ({ ...data, site: { ...data.site, workspaces: data.site.workspaces.map((each) => ({ ...each, unbilled })) } });
  const billed = (of, ...choice) => {
    const { text, previous, change } = summary(of, chosen(...choice)).figures.at(-1);
    return [text, previous, change];
  };
  assert.deepEqual(billed(data, "2026-11-10", "2026-11-12"), ["$0.00", "\u2013", ""]);
  assert.deepEqual(billed(data, "2026-11-12", "2026-11-13"), ["$0.00", "$0.00", "no change"]);
  assert.deepEqual(billed(without(["2026-11-12"]), "2026-11-12", "2026-11-13"), ["\u2013", "$0.00", ""]);
  assert.deepEqual(billed(without(["2026-11-11"]), "2026-11-12", "2026-11-13"), ["$0.00", "\u2013", ""]);
  assert.deepEqual(billed(without(["2026-11-03"]), "2026-11-02", "2026-11-04"), ["$2.00", "$1.00", ""]);
  assert.deepEqual(billed(data, "2026-11-12", "2026-11-13", ["(none)"]), ["\u2013", "\u2013", ""]);
  const part = { key: "b", data: "rpt_bill_days", period: "charted", mark: "column", by: ["utc_date"], draw: [{ value: "billed_usd" }], columns: ["utc_date", "billed_usd"] };
  const { table } = view(part, without(["2026-11-03"]), chosen("2026-11-02", "2026-11-04"));
  assert.deepEqual(table.rows.map((row) => row[1].text), ["$0.00", "\u2013", "$2.00"]);
});

test("a bill with a line of unknown amount is compared with none", () => {
  const billed = (counts) => {
    const bills = { utc_date: [1, 2], agent_id: { keys: ["a"], codes: [0, 0] }, billed_usd: [USD, 2 * USD], unknown_bill_count: counts };
    const document = { ...data.shards.get("2026-11"), ...tables({ rpt_bill_days: bills }) };
    const { text, previous, change } = summary({ ...data, shards: new Map([...data.shards, ["2026-11", document]]) },
      chosen("2026-11-02", "2026-11-04")).figures.at(-1);
    return [text, previous, change];
  };
  assert.deepEqual(billed([0, 0]), ["$2.00", "$1.00", "+$1.00 (+100%)"]);
  assert.deepEqual(billed([0, 1]), ["$2.00", "$1.00", ""]);
  assert.deepEqual(billed([1, 0]), ["$2.00", "\u2013", ""]);
});

test("a period before that was not read whole is unknown", () => {
  const { figures } = summary(data, chosen("2026-10-30", "2026-11-04"));
  assert.deepEqual(new Set(figures.map((each) => each.previous)), new Set(["\u2013"]));
});

test("a cost without the platform's is not compared with one with it", () => {
  const { columns, size } = data.shards.get("2026-10").rpt_days;
  const unknown = { numbers: Float64Array.from({ length: size }, (_, row) => Number(row % 3 === 2)), large: new Map() };
  const shards = new Map([...data.shards, ["2026-10", { rpt_days: { size, columns: { ...columns, unknown_platform_count: unknown } } }]]);
  const [cost, count] = summary({ ...data, shards }, chosen("2026-11-02", "2026-11-04")).figures;
  assert.deepEqual([cost.previous, cost.change, count.change], ["\u2013", "", "no change"]);
});

test("a cost that is itself unknown in part is compared with none", () => {
  const { columns, size } = data.shards.get("2026-11").rpt_days;
  const unknown = { numbers: Float64Array.from({ length: size }, (_, row) => row < 3 ? 0 : 4), large: new Map() };
  const shards = new Map([...data.shards, ["2026-11", { rpt_days: { size, columns: { ...columns, unknown_cost_count: unknown } } }]]);
  const [cost, count] = summary({ ...data, shards }, chosen("2026-11-02", "2026-11-04")).figures;
  assert.deepEqual([cost.previous, cost.change, count.change], ["\u2013", "", "no change"]);
});

test("an agent that rests shows its own latest days, and any others that are chosen", () => {
  const [workspace] = data.site.workspaces;
  const agents = workspace.agents.map((line) => (line.id === "b" ? { ...line, today: "2026-11-04", yesterday: "2026-11-03" } : line));
  const of = { ...data, agent: "b", site: { ...data.site, workspaces: [{ ...workspace, agents }] } };
  const part = { key: "a", data: "rpt_days", period: "recent", mark: "bar", by: ["agent_id"], draw: [{ value: "cost_usd" }], subtitle: "{span}" };
  const spans = [nothing, chosen("2026-11-10", "2026-11-18")].map((choice) => view(part, of, choice).subtitle);
  assert.deepEqual(spans, ["5 October\u20133 November 2026", "10\u201318 November 2026 (today so far)"]);
  assert.equal(summary(of, chosen("2026-11-10", "2026-11-18")).period, "10\u201318 November 2026");
});

test("a part needs the months of its days, from the Monday on", () => {
  const part = { key: "a", data: "rpt_days", period: "recent" };
  assert.deepEqual(monthsFor(part, data, nothing), ["2026-10", "2026-11"]);
  assert.deepEqual(monthsFor(part, data, chosen("2026-11-02", "2026-11-03")), ["2026-11"]);
});
