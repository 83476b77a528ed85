import assert from "node:assert/strict";
import { test } from "node:test";
import { ownView } from "../../reports/engine/own.js";
import { chosen, data } from "./given.mjs";

const REMARK = "It does not follow the agents chosen.";
const rows = { c0: ["ws", "other"], c1: ["a", "z"] };
const shown = (follow, ...members) => {
  const part = { key: "p", label: "Rows", size: 2, rows, columns: [], isMonthly: false, follow };
  const { table, subtitle } = ownView(part, data, chosen(null, null, members));
  return [table.rows.length, subtitle];
};

test("a query that shows all rows whatever members are chosen says so, and no other does", () => {
  const [workspace, agent] = ["c0", "c1"];
  assert.deepEqual(shown({}, "ws\na"), [2, REMARK]);
  assert.deepEqual(shown({ workspace }, "ws\na"), [2, REMARK]);
  assert.deepEqual(shown({ workspace }, "ws\n(all)"), [1, ""]);
  assert.deepEqual(shown({ agent }, "ws\na"), [1, ""]);
  assert.deepEqual(shown({ agent }, "ws\n(all)"), [1, ""]);
  assert.deepEqual(shown({ workspace, agent }, "ws\na"), [1, ""]);
});
