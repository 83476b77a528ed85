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

test("a row counts for a quotient if both of its parts are known, and the page says how many do not", () => {
  const values = [{ part: "c1", base: "c2", label: "Cost per run", unit: "usd" }];
  const drawn = (costs, runs) => {
    const part = { key: "p", label: "Rows", size: 3, columns: [], isMonthly: false, follow: {}, mark: "line", axis: "day", x: "c0", values,
      rows: { c0: ["2026-11-02", "2026-11-02", "2026-11-03"], c1: costs, c2: runs } };
    const { series: [{ texts }], subtitle } = ownView(part, data, chosen(null, null));
    return [texts, subtitle];
  };
  assert.deepEqual(drawn(["4.00", null, "1.50"], [2, 8, 3]), [["$2.00", "$0.50"], "Without 1 row of an unknown part."]);
  assert.deepEqual(drawn(["4.00", "1.00", "1.50"], [2, 8, null]), [["$0.50", "\u2013"], "Without 1 row of an unknown part."]);
  assert.deepEqual(drawn(["4.00", "1.00", "1.50"], [2, 8, 3]), [["$0.50", "$0.50"], ""]);
});

test("a query that shows all rows whatever members are chosen says so, and no other does", () => {
  const [workspace, agent] = ["c0", "c1"];
  assert.deepEqual(shown({}, "ws\na"), [2, REMARK]);
  assert.deepEqual(shown({ workspace }, "ws\na"), [2, REMARK]);
  assert.deepEqual(shown({ workspace }, "ws\n(all)"), [1, ""]);
  assert.deepEqual(shown({ agent }, "ws\na"), [1, ""]);
  assert.deepEqual(shown({ agent }, "ws\n(all)"), [1, ""]);
  assert.deepEqual(shown({ workspace, agent }, "ws\na"), [1, ""]);
});
