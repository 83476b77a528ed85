import assert from "node:assert/strict";
import { test } from "node:test";
import { orderedRows } from "../../reports/engine/tables.js";

const ordered = (values, direction = "ascending") =>
  orderedRows(values.map((value) => [{ text: "shown", value }]), 0, direction).map(([cell]) => cell.value);

test("intervals sort by their low end", () => {
  const cells = ["[11.8\u201376.9]", "[7.3\u201338.5]", "\u2013", "[0.0\u20133.8]"].map((text) => [{ text, value: null }]);
  const texts = orderedRows(cells, 0, "ascending").map(([{ text }]) => text);
  assert.deepEqual(texts, ["[0.0\u20133.8]", "[7.3\u201338.5]", "[11.8\u201376.9]", "\u2013"]);
});

test("a range sorts by its low end among numbers, and what is unknown comes last", () => {
  const values = ["10.50", "", "9.25 to 12.75", "100", "9.20 or more"];
  assert.deepEqual(ordered(values), ["9.20 or more", "9.25 to 12.75", "10.50", "100", ""]);
  assert.deepEqual(ordered(values, "descending"), ["100", "10.50", "9.25 to 12.75", "9.20 or more", ""]);
});
