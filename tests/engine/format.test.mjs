import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { figure, fill, plain } from "../../reports/engine/format.js";

const file = new URL("format.cases.json", import.meta.url);
const RANGE = ["failed_cost_usd", "failed_cost_more_usd", "failed_cost_open_count"];
const TWO = ["percent", "rate", "interval", "each", "per_million", "change"];
const isText = (unit) => ["", "text", "name", "instant"].includes(unit) || /^(day|month)/.test(unit);

test("figures are written as the cases say", () => {
  for (const { unit, values, text, plain: digits } of JSON.parse(readFileSync(file, "utf8"))) {
    const names = unit.startsWith("range") ? RANGE : ["a", "b"];
    const given = values.map((each) => (typeof each === "string" && !isText(unit) ? BigInt(each) : each));
    const row = Object.fromEntries(given.map((each, index) => [names[index], each]));
    const name = TWO.includes(unit) ? "a/b" : names[0];
    assert.equal(figure(name, unit, row), text, `${unit} of ${values}`);
    assert.equal(plain(name, unit, row), digits, `plain ${unit} of ${values}`);
  }
});

test("a template names figures of rows within its row", () => {
  const row = { cost_usd: 40_000_000_000, first: { name: "a", cost_usd: 10_000_000_000n } };
  assert.equal(fill("{first.name} makes {first.cost_usd/cost_usd|percent} of {cost_usd|usd}.", row), "a makes 25.0% of $4.00.");
});

test("no line of a text ends between a sign and its amount", () => {
  const row = { a: -10_000_000_000, b: 10_000_000_000, c: -1 };
  const text = fill("{a|usd_signed} ({b|usd_signed}, {c|usd_signed})", row);
  assert.equal(text, "\u2212\u2060$1.00 (+\u2060$1.00, under a cent)");
});

test("a plain figure is exact", () => {
  const row = { cost_usd: 12_000_000_000, run_count: 3, failed_count: 1, name: "a" };
  const plains = [["cost_usd", "usd"], ["cost_usd/run_count", "each"], ["run_count", "count"],
    ["failed_count/run_count", "rate"], ["absent", "usd"], ["name", "name"]].map((each) => plain(...each, row));
  assert.deepEqual(plains, ["1.2000000000", "0.4000000000", "3", "0.333333", "", null]);
});
