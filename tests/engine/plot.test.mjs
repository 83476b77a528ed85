import assert from "node:assert/strict";
import { test } from "node:test";
import { axis } from "../../reports/engine/axes.js";
import { decodeTable } from "../../reports/engine/cube.js";
import { escaped, eventsOf, painted, plot } from "../../reports/engine/plot.js";
import { view } from "../../reports/engine/view.js";
import { chosen, data, looks } from "./given.mjs";

const screen = { isNarrow: false, width: 1000, widthOf: (text) => 8 * text.length };
const COST = { value: "cost_usd|usd", name: "Cost", colour: "cost" };
const RATE = { value: "failed_count/finished_count|rate", colour: "failure" };
const days = (more) => ({ key: "days", data: "rpt_days", chosen: true, mark: "column", by: ["date"], draw: [COST], ...more });
const agents = (more) => ({ key: "agents", data: "rpt_days", chosen: true, mark: "bar", by: ["agent_id"], draw: [COST], ...more });
const drawn = (part, choice = chosen("2026-11-05", "2026-11-18"), of = data) => plot(view(part, of, choice), part, screen, looks);

test("axes have few round ticks in one scale, with the decimals of their step", () => {
  const texts = (values, unit) => axis(values, unit).ticktext;
  assert.deepEqual(texts([7.3], "usd"), ["$0", "$2", "$4", "$6", "$8"]);
  assert.deepEqual(texts([3_400_000], "usd"), ["$0", "$1\u00a0M", "$2\u00a0M", "$3\u00a0M", "$4\u00a0M"]);
  assert.deepEqual(texts([2], "count"), ["0", "1", "2"]);
  assert.deepEqual(texts([0.9], "rate"), ["0%", "25%", "50%", "75%", "100%"]);
  assert.deepEqual(texts([200], "seconds"), ["0\u00a0s", "1\u00a0min", "2\u00a0min", "3\u00a0min", "4\u00a0min"]);
  assert.deepEqual(texts([null], "tokens"), ["0", "1"]);
  assert.deepEqual(texts([12.1], "usd"), ["$0", "$2.50", "$5.00", "$7.50", "$10.00", "$12.50"]);
  assert.deepEqual(texts([0.0021], "usd"), ["$0", "$0.0005", "$0.0010", "$0.0015", "$0.0020", "$0.0025"]);
  assert.deepEqual(texts([0.01, -0.02], "usd"), ["\u2212$0.020", "\u2212$0.015", "\u2212$0.010", "\u2212$0.005", "$0", "$0.005", "$0.010"]);
  assert.deepEqual(texts([1_600_000], "usd"), ["$0", "$0.5\u00a0M", "$1.0\u00a0M", "$1.5\u00a0M", "$2.0\u00a0M"]);
  assert.deepEqual(texts([0.121], "rate"), ["0%", "2.5%", "5.0%", "7.5%", "10.0%", "12.5%"]);
  assert.deepEqual(axis([160], "seconds", 2).tickvals, [0, 60, 120, 180]);
  assert.deepEqual(axis([590], "count", 2).tickvals, [0, 250, 500, 750]);
  assert.deepEqual(texts([1_050_000], "tokens"), ["0", ...["0.25", "0.50", "0.75", "1.00", "1.25"].map((each) => `${each}\u00a0M`)]);
});

test("a day that is not whole is pale within an outline, and says so", () => {
  const { data: [columns], layout } = drawn(days());
  assert.deepEqual(columns.marker.color.slice(-2), ["@cost", "@cost~"]);
  assert.deepEqual(columns.marker.line.color.slice(-2), ["@page", "@cost"]);
  assert.equal(columns.customdata.at(-1), "Cost $2.46 (so far)");
  const [{ text, x, y }] = layout.annotations;
  assert.deepEqual([text, x, y.toFixed(2)], ["so far", "2026-11-18", "2.46"]);
  const { data: [stacked] } = drawn(days({ stack: ["agent_id"] }));
  assert.deepEqual(stacked.customdata.slice(-2), ["Alpha &lt;b&gt;: $2.00", "Alpha &lt;b&gt;: $2.00 (so far)"]);
});

test("the column of a day alone is most of a day wide", () => {
  const widths = (part) => drawn(part, chosen("2026-11-05", "2026-11-05")).data.filter(({ x }) => x[0]).map((each) => each.width);
  for (const part of [days(), days({ stack: ["agent_id"] })]) assert.deepEqual([...new Set(widths(part).flat())], [69_120_000]);
  assert.equal(drawn(days()).data[0].width, undefined);
});

test("days that were not read are hatched", () => {
  const { data: [, gap], layout } = drawn(days(), chosen("2026-10-20", "2026-11-18"));
  const hatched = gap.x.filter((_, at) => gap.y[at] !== null);
  assert.deepEqual([hatched[0], hatched.at(-1), gap.yaxis], ["2026-10-20", "2026-10-28", "y9"]);
  assert.equal(layout.annotations[1].text, "no data");
});

test("a point of a hatched day has the place of its day, which a click on it chooses", () => {
  const calendar = { ...data.site, states: "ccccccnniccccccccccccp" };
  const [workspace] = data.site.workspaces;
  const site = { ...calendar, workspaces: [{ ...workspace, states: calendar.states }] };
  const { data: [columns, gap] } = drawn(days(), chosen("2026-10-29", "2026-11-18"), { ...data, site });
  assert.deepEqual(gap.x, columns.x);
  assert.deepEqual(gap.x.filter((_, at) => gap.y[at] !== null), ["2026-11-04", "2026-11-05"]);
});

test("panels stand above each other, on scales of their own", () => {
  const part = days({ draw: [{ value: "tokens_in|tokens", name: "Tokens in" }, { value: "tokens_out|tokens", name: "Tokens out", panel: 2 }] });
  const { data: traces, layout } = drawn(part, chosen("2026-11-08", "2026-11-17"));
  assert.deepEqual(traces.map((each) => each.yaxis), ["y", "y2"]);
  const domain = (each) => each.domain.map((end) => Number(end.toFixed(2)));
  assert.deepEqual([layout.yaxis, layout.yaxis2].map(domain), [[0.57, 1], [0, 0.43]]);
  assert.deepEqual(layout.annotations.map((each) => each.text), ["Tokens in", "Tokens out"]);
});

test("stacks have a legend of names, which are data", () => {
  const { data: traces, layout } = drawn(days({ stack: ["agent_id"] }));
  assert.deepEqual(traces.slice(0, 3).map((each) => each.name), ["Alpha &lt;b&gt;", "Beta", "Platform"]);
  assert.equal(traces[0].customdata[0], "Alpha &lt;b&gt;: $2.00");
  assert.equal(layout.showlegend, true);
});

test("a long name is cut between characters, on a phone sooner", () => {
  const name = `${"a".repeat(18)}${"😀".repeat(20)}`;
  assert.deepEqual([escaped(name, true), escaped(name, false)], [`${"a".repeat(18)}😀…`, `${"a".repeat(18)}${"😀".repeat(13)}…`]);
  assert.equal(escaped(`${"a".repeat(18)}😀😀`, true), `${"a".repeat(18)}😀😀`);
});

test("names of rows that would be cut to the same keep their ends", () => {
  const names = ["claude-sonnet-5-5 (anthropic)", "claude-sonnet-5-5 (bedrock)", "claude-opus-4-8"];
  const rows = names.map((label) => ({ label, href: null, values: { cost_usd: 1 } }));
  const { layout } = plot({ rows }, agents(), { ...screen, isNarrow: true }, looks);
  assert.deepEqual(layout.yaxis.ticktext, ["claude-so…nthropic)", "claude-so…(bedrock)", "claude-opus-4-8"]);
});

test("a chart of one's own changes its layout, and leaves the rest of it", () => {
  const { layout: { bargap, margin, yaxis } } = drawn(agents({ look: { bargap: 0.1, margin: { l: 99 }, yaxis: { showgrid: true } } }));
  assert.deepEqual([bargap, margin.l, margin.t, yaxis.showgrid, yaxis.type], [0.1, 99, 8, true, "category"]);
});

test("bars are rows, and the others are grey and last", () => {
  const { data: [bars], layout } = drawn(agents({ limit: 1 }));
  assert.deepEqual(layout.yaxis.ticktext, ["Alpha &lt;b&gt;", "2 others"]);
  assert.deepEqual(bars.marker.color, ["@cost", "@others"]);
  assert.deepEqual(bars.text, ["$26.00", "$5.96"]);
});

test("rates have intervals, hollow where the runs are few", () => {
  const failed = { date: [5, 6], agent_id: { keys: ["a"], codes: [0, 0] }, failed_count: [4, 1], finished_count: [32, 8] };
  const over = drawn(days({ mark: "interval", draw: [RATE] }), chosen("2026-11-05", "2026-11-06"),
    { ...data, shards: new Map([["2026-11", { rpt_days: decodeTable(failed) }]]) });
  assert.deepEqual(over.data[1].marker.symbol, ["circle", "circle-open"]);
  assert.deepEqual(over.data[0].y, [0.125, null]);
});

test("the period before is a thin line over the columns, up to the end of the axis", () => {
  const made = { rows: [], series: [], axis: "time", from: "2026-11-01", to: "2026-11-02", end: "2026-11-30",
    before: { label: "October 2026", days: ["2026-11-01", "2026-11-30"], values: [20_000_000_000, null] } };
  const { data: [, line], layout } = plot(made, days(), screen, looks);
  assert.deepEqual([line.name, line.x, line.y, line.customdata[0]], ["October 2026", ["2026-11-01", "2026-11-30"], [2, null], "Before: $2.00"]);
  assert.deepEqual(layout.xaxis.range, ["2026-10-31 12:00", "2026-11-30 12:00"]);
});

test("events are lines at the beginning of their day, with labels in rows above the plot", () => {
  const events = ["03", "04", "05", "29"].map((day) => ({ day: `2026-11-${day}`, label: `<b>${day}`, is_finding: day !== "05" }));
  const made = eventsOf(events, ["2026-10-31 12:00", "2026-11-30 12:00"], screen, 15);
  assert.deepEqual(made.annotations.map(({ text, xanchor, yshift }) => [text, xanchor, yshift]),
    [["&lt;b&gt;29", "right", 15], ["&lt;b&gt;05", "left", 15], ["&lt;b&gt;04", "left", 30], ["&lt;b&gt;03", "left", 45]]);
  assert.equal(made.top, 60);
  assert.deepEqual(made.shapes.map(({ x0, line }) => [x0, line.color]).slice(1, 3), [["2026-11-03 12:00", "@failure"], ["2026-11-04 12:00", "@control"]]);
});

test("a label without room in any row is counted at the one after it", () => {
  const events = ["03", "03", "04", "04", "05", "28"].map((day, at) => ({ day: `2026-11-${day}`, label: `event ${at}`, is_finding: true }));
  const made = eventsOf(events, ["2026-10-31 12:00", "2026-11-30 12:00"], screen);
  assert.deepEqual(made.annotations.map(({ text, hovertext }) => [text, hovertext]),
    [["event 5", undefined], ["event 4", undefined], ["event 3", undefined], ["event 2 +2", "event 2<br>event 1<br>event 0"]]);
  assert.deepEqual([made.shapes.length, made.top], [6, 45]);
});

test("on a phone, every other tick of a share has a text", () => {
  const part = agents({ mark: "interval", draw: [RATE] });
  const [wide, narrow] = [false, true].map((isNarrow) => plot(view(part, data, chosen("2026-11-05", "2026-11-18")), part, { ...screen, isNarrow }, looks).layout.xaxis.ticktext);
  assert.deepEqual(narrow, wide.filter((_, index) => index % 2 === 0));
});

test("a share that is not known, or is none, has no place", () => {
  const failed = [1, 0, null, 1, 5], finished = [2, 0, 4, null, 3];
  const columns = { date: [5, 6, 7, 8, 9], agent_id: { keys: ["a"], codes: [0, 0, 0, 0, 0] }, failed_count: failed, finished_count: finished };
  const shards = new Map([["2026-11", { rpt_days: decodeTable(columns) }]]);
  const over = drawn(days({ mark: "interval", draw: [RATE] }), chosen("2026-11-05", "2026-11-11"), { ...data, shards });
  assert.deepEqual(over.data[1].y.filter((each) => each !== null).length, 1);
  assert.deepEqual(over.data[1].error_y.array.filter((each) => each !== 0).length, 1);
});

test("roles become colours where colours stand, and nowhere else", () => {
  const figure = { marker: { color: ["@cost", "@cost~"] }, name: "@cost", colorscale: [[0, "@tokens-in"]] };
  assert.deepEqual(painted(figure, (role) => role.toUpperCase()),
    { marker: { color: ["@COST", "@COST~"] }, name: "@cost", colorscale: [[0, "@TOKENS-IN"]] });
});
