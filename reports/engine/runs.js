/** The runs of an agent that pages keep, as tables, and what happened in each of them. */
import { rowsOf } from "./cube.js";
import { monthsOf, periodInWords } from "./days.js";
import { figure, plain } from "./format.js";
import { element, newTable, write } from "./tables.js";

/** @typedef {{from: string, to: string}} Span */
/** @typedef {Record<string, any>} Run */

const SHOWN_RUNS = 20, SHORT_ID = 8;
const KEPT = "of each month the newest 10 and the 10 most expensive, of this month and the last"
  + " the newest 300 and the newest 20 that failed";
/** @type {string[]} */
let runMonths = [];
/** @type {(months: string[]) => Promise<Map<string, any>>} */
let readMonths = async () => new Map();
const runPart = (id) => document.getElementById(id);
/** Whether the page has runs to list. */
export const hasRuns = () => Boolean(runPart("listed-runs"));

/** The rows of a relation of a month's file, of some days and perhaps of one run.
 * @param {string} relation @param {Map<string, any>} shards @param {Span} [span]
 * @param {string} [id] @returns {Run[]} */
const runRows = (relation, shards, span = { from: "0000-01-01", to: "9999-12-31" }, id = "") =>
  rowsOf({ relation, shards, ...span, ...(id && { where: { run_id: new Set([id]) } }) });
const runsOf = async (span) => {
  const months = monthsOf(span.from, span.to).filter((month) => runMonths.includes(month));
  return runRows("rpt_runs", await readMonths(months), span);
};

const momentOfRun = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16)
  .replace("T", " ");
const versionOfRun = ({ agent_version: version }) =>
  (version === null || version < 0 ? "" : `v${version}`);
const figureCell = (name, unit, values) => (
  { text: figure(name, unit, values), value: plain(name, unit, values) });
const textCell = (text) => ({ text: text ?? "" });
const RUN_HEADS = [["Created (UTC)", "text"], ["Version", "text"], ["Cost"], ["Status", "text"],
  ["Message", "text"], ["Duration"], ["Run", "text"]].map(([text, kind]) => ({ text, kind }));
const runCells = (run) => [
  { text: momentOfRun(run.created_at), href: `#run=${encodeURIComponent(run.run_id)}` },
  { text: versionOfRun(run), value: run.agent_version }, figureCell("cost_usd", "usd_fine", run),
  textCell(isClassified(run) ? run.error_class.replaceAll("_", " ") : run.status),
  textCell(run.error_message), figureCell("duration_seconds", "seconds", run),
  { text: run.run_id.slice(0, SHORT_ID), value: run.run_id },
];
const isClassified = ({ error_class: of }) => of && !of.startsWith("(");

/** Lists the runs of some days, newest first, of the status that is chosen if there are any of it;
 * else of those that failed, if any did.
 * @param {Span} span @param {string | null} chosen
 * @returns {Promise<string | null>} the status that is shown, if it is chosen */
export const listRuns = async (span, chosen) => {
  const select = runPart("run-status"), all = await runsOf(span);
  const byStatus = new Map([["any", all], ...Map.groupBy(all, (run) => run.status)]);
  const usual = byStatus.has("failed") ? "failed" : "any";
  const status = byStatus.has(chosen) ? chosen : usual;
  select.replaceChildren(...[...byStatus].map(([each, { length }]) =>
    element("option", `${each} (${length})`, { value: each })));
  select.value = status;
  const runs = byStatus.get(status).toSorted((a, b) => b.created_at - a.created_at);
  const caption = `Runs, ${periodInWords(span.from, span.to)}, newest first`;
  write(runPart("listed-runs"), { caption, heads: RUN_HEADS, rows: runs.map(runCells),
    most: SHOWN_RUNS });
  runPart("kept-runs").textContent = `Pages keep ${KEPT}.`;
  runPart("no-runs").hidden = runs.length > 0;
  runPart("listed-runs").closest(".scroll").hidden = !runs.length;
  return status === usual ? null : status;
};

const smallTable = (caption, heads, cells) => {
  const scroll = newTable(caption);
  write(scroll.firstChild, { caption, rows: cells, heads: heads.map((head) =>
    ({ text: head.replace("*", ""), kind: head.endsWith("*") ? "name" : "" })) });
  return scroll;
};
const factsOfRun = (run) => [
  ["Status", run.status], ["Error class", run.error_class?.replaceAll("_", " ")],
  ["Message", run.error_message], ["Created", `${momentOfRun(run.created_at)} UTC`],
  ["Version", versionOfRun(run)], ["Started by", run.trigger_type],
  ["Parent run", run.parent_run_id], ["Time in the queue", figure("queue_seconds", "seconds", run)],
  ["Duration", figure("duration_seconds", "seconds", run)],
  ["Cost", run.cost_usd === null ? "not known" : `$${plain("cost_usd", "usd", run)}`],
  ["Tokens in", figure("tokens_in", "count", run)],
  ["Tokens out", figure("tokens_out", "count", run)],
].filter(([, value]) => value && !value.startsWith("("));

// What a run's dialog holds.
const detailsOfRun = (shards, run) => {
  const of = (relation) => runRows(relation, shards, undefined, run.run_id);
  const facts = element("dl", "", { class: "facts" }, factsOfRun(run).flatMap(([term, value]) =>
    [element("dt", term), element("dd", value)]));
  const models = of("rpt_run_models").map((each) => [
    textCell(each.model), textCell(each.provider), figureCell("cost_usd", "usd_fine", each),
    ...["tokens_in", "tokens_out", "request_count"]
      .map((name) => figureCell(name, "count", each))]);
  const events = of("rpt_run_events").toSorted((a, b) => a.seq - b.seq).map((each) => [
    figureCell("after_ms", "milliseconds", each), textCell(each.event),
    textCell(each.is_error ? "error" : ""), textCell(each.node),
    each.elapsed_ms === null ? { text: "", value: "" }
      : figureCell("elapsed_ms", "milliseconds", each)]);
  return [facts,
    events.length ? smallTable("Log events, oldest first",
      ["After", "Event*", "Error*", "Node*", "Took"], events)
      : element("p", "No log events: pages keep those of the newest 10 and the 10 most expensive"
        + " runs of each month, of this month and the last of the newest 50 and the newest 20 that"
        + " failed."),
    models.length ? smallTable("Use of each model",
      ["Model*", "Provider*", "Cost", "Tokens in", "Tokens out", "Requests"], models)
      : element("p", "No model costs were read for this run.")];
};

/** Shows what is known of a run in a dialog. @param {string} id */
export const showRun = async (id) => {
  const dialog = runPart("run-detail"), body = dialog.querySelector(".body");
  dialog.querySelector("h2").textContent = `Run ${id}`;
  let found = null;
  for (const month of runMonths.toSorted().toReversed()) {
    const shards = await readMonths([month]);
    const [run] = runRows("rpt_runs", shards, undefined, id);
    if (run) {
      found = detailsOfRun(shards, run);
      break;
    }
  }
  body.replaceChildren(...(found ?? [element("p",
    `This run is not among those that pages keep: ${KEPT}.`, { class: "empty" })]));
  if (!dialog.open) dialog.showModal();
};
/** Closes the dialog of a run. */
export const hideRun = () => runPart("run-detail")?.close();

/** Gives the runs their controls.
 * @param {string[]} months those that have data
 * @param {(months: string[]) => Promise<Map<string, any>>} read reads the data of months
 * @param {(change: { status: string }) => void} choose
 * @param {() => void} closed hears that the dialog of a run was closed */
export const startRuns = (months, read, choose, closed) => {
  runMonths = months;
  readMonths = read;
  runPart("run-status").addEventListener("change", ({ target }) =>
    choose({ status: target.value }));
  runPart("close-run").addEventListener("click", hideRun);
  runPart("run-detail").addEventListener("close", closed);
  runPart("all-runs").hidden = false;
};
