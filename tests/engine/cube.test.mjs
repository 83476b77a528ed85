import assert from "node:assert/strict";
import { test } from "node:test";
import { added, decode, group, rowsOf } from "../../reports/engine/cube.js";
import { tables } from "./given.mjs";

const shards = new Map([
  ["2026-10", tables({ days: { date: [30, 31, 31], agent_id: { keys: ["a", "b"], codes: [0, 0, 1] },
    cost_usd: [5, null, "9007199254740993"], run_count: [1, 2, 3] } })],
  ["2026-11", tables({ days: { date: [1, 2], agent_id: { keys: ["b", "c"], codes: [0, 1] },
    cost_usd: [4503599627370495, null], run_count: [4, 5] } })],
]);
const query = { relation: "days", shards, from: "2026-10-31", to: "2026-11-30" };
const byKey = (found) => Object.fromEntries(found.map(({ keys, sums }) => [Object.values(keys).join(), sums]));

test("sums are exact beyond what a number holds, and null where no value is known", () => {
  assert.deepEqual(byKey(group({ ...query, by: ["agent_id"] })), {
    a: { cost_usd: null, run_count: 2 },
    b: { cost_usd: 13510798882111488n, run_count: 7 },
    c: { cost_usd: null, run_count: 5 },
  });
  assert.equal(added([2 ** 52 - 1, 2 ** 52 - 1, null]), 9007199254740990n);
  assert.equal(added([null, undefined]), null);
});

test("rows are those of the days and keys that are asked for", () => {
  const of = { ...query, where: { agent_id: new Set(["b"]) } };
  assert.deepEqual(rowsOf(of).map((row) => [row.date, row.run_count]), [["2026-10-31", 3], ["2026-11-01", 4]]);
  assert.deepEqual(group({ ...query, from: "2026-12-01", to: "2026-12-02" }), []);
});

test("days are grouped by the bucket they fall into, and by several keys", () => {
  const bucketOf = (iso) => iso.slice(0, 7);
  assert.deepEqual(byKey(group({ ...query, by: ["date", "agent_id"], bucketOf })), {
    "2026-10,a": { cost_usd: null, run_count: 2 },
    "2026-10,b": { cost_usd: 9007199254740993n, run_count: 3 },
    "2026-11,b": { cost_usd: 4503599627370495, run_count: 4 },
    "2026-11,c": { cost_usd: null, run_count: 5 },
  });
});

test("many small parts spill into an exact sum", () => {
  const values = Array(5).fill(4503599627370495);
  const many = new Map([["2026-10", tables({ days: { date: [1, 1, 1, 1, 1], cost_usd: values } })]]);
  const [{ sums }] = group({ relation: "days", shards: many, from: "2026-10-01", to: "2026-10-31" });
  assert.equal(sums.cost_usd, 5n * 4503599627370495n);
});

test("columns of a file have the names, days and values that they had", () => {
  const file = { runs: [[3, 0, 2], { keys: ["x", "y", "z"] }, [7, null, "9007199254740993"], { but: { 1: 5 } }] };
  const decoded = new Map([["2026-10", decode(file, { runs: ["date", "run_id", "cost_usd", "run_cost_usd"] })]]);
  assert.deepEqual(rowsOf({ relation: "runs", shards: decoded, from: "2026-10-01", to: "2026-10-31" }), [
    { date: "2026-10-03", run_id: "x", cost_usd: 7, run_cost_usd: 7 },
    { date: "2026-10-03", run_id: "y", cost_usd: null, run_cost_usd: 5 },
    { date: "2026-10-05", run_id: "z", cost_usd: 9007199254740993n, run_cost_usd: 9007199254740993n },
  ]);
});
