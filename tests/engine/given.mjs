// A workspace of two agents, the platform, and three weeks up to Wednesday, 18 November 2026.
import { env } from "node:process";
import { decodeTable } from "../../reports/engine/cube.js";

/** Looks of charts, as the bundle of the engine has them. */
export const looks = JSON.parse(env.LOOKS);

/** Tables of columns by name. */
export const tables = (document) => Object.fromEntries(
  Object.entries(document).map(([relation, columns]) => [relation, decodeTable(columns)]));

const agents = ["a", "b", "(platform)"];
export const USD = 10_000_000_000;
const calendar = { today: "2026-11-18", yesterday: "2026-11-17", first: "2026-10-29", last: "2026-11-18", months: ["2026-10", "2026-11"],
  states: "ccccccccciccccccccccp" };

const days = (first, last, of) => {
  const columns = {};
  for (let day = first; day <= last; day++) {
    agents.forEach((agent, code) => {
      for (const [name, value] of Object.entries({ date: day, ...of(agent, day) })) (columns[name] ??= []).push(value);
      ((columns.agent_id ??= { keys: agents, codes: [] }).codes).push(code);
    });
  }
  return columns;
};
const runs = (agent, day) => (agent === "(platform)"
  ? { run_count: 0, succeeded_count: 0, failed_count: 0, finished_count: 0, unknown_cost_count: 0, cost_usd: USD / 8, judged_cost_usd: null,
    tokens_in: 10, tokens_out: 1, failed_cost_usd: 0, failed_cost_more_usd: 0, failed_cost_open_count: 0 }
  : { run_count: 4, succeeded_count: agent === "a" ? 3 : 4, failed_count: agent === "a" ? 1 : 0, finished_count: 4,
    unknown_cost_count: day === 5 && agent === "b" ? 1 : 0, cost_usd: agent === "a" ? 2 * USD : 3_333_333_333,
    judged_cost_usd: agent === "a" ? 2 * USD : 3_333_333_333, tokens_in: 1000, tokens_out: 100,
    failed_cost_usd: agent === "a" ? USD / 2 : 0, failed_cost_more_usd: agent === "a" && day === 10 ? USD : 0, failed_cost_open_count: 0 });
const models = (day) => ({ utc_date: [day, day, day], model: { keys: ["opus", "mini"], codes: [0, 0, 1] },
  provider: { keys: ["x", "y"], codes: [0, 1, 0] }, agent_id: { keys: ["a"], codes: [0, 0, 0] }, cost_usd: [4 * USD, 3 * USD, USD] });
const weeks = { week: [2, 9, 16], agent_id: { keys: ["(all)"], codes: [0, 0, 0] }, tokens_in_median: [900, 1000, 1100],
  duration_seconds_median: [1.5, 2.5, null] };
const bills = { utc_date: [1, 2], agent_id: { keys: ["a"], codes: [0, 0] }, billed_usd: [USD, 2 * USD] };

const lines = [{ id: "a", name: "Alpha <b>", path: "agents/alpha.html" }, { id: "b", name: "Beta", path: "agents/beta.html" },
  { id: "(platform)", name: "Platform", path: null }].map((each) => ({ ...each, months: calendar.months, last: calendar.last }));
export const data = {
  site: { ...calendar, timezone: "Europe/Berlin", workspaces: [{ ...calendar, id: "ws", name: "Work", path: "workspaces/ws.html", agents: lines }] },
  workspace: "ws", root: "../",
  shards: new Map([["2026-10", tables({ rpt_days: days(29, 31, runs) })],
    ["2026-11", tables({ rpt_days: days(1, 18, runs), rpt_models: models(3), rpt_run_weeks: weeks, rpt_bill_days: bills })]]),
};
/** The same, with every day read whole. */
const [ws] = data.site.workspaces, states = calendar.states.replace("i", "c");
export const whole = { ...data, site: { ...data.site, states, workspaces: [{ ...ws, states }] } };
export const nothing = { from: null, to: null, isMonth: false, members: null, isChosen: false };
export const chosen = (from, to, members = null) => ({ from, to, isMonth: false, members: members && new Set(members), isChosen: true });
