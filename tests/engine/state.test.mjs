import assert from "node:assert/strict";
import { test } from "node:test";
import { carried, daysChosen, readState } from "../../reports/engine/state.js";

const days = { first: "2026-08-29", last: "2026-11-18", lastOver: "2026-11-17" };
const followed = (hash, calendar = days) => daysChosen(readState(hash, () => true), calendar);

test("days of a choice begin with the first day that was read, and end with today", () => {
  assert.deepEqual(followed("#from=0002-10-10&to=2026-10-10"), ["2026-08-29", "2026-10-10"]);
  assert.deepEqual(followed("#from=2026-11-10&to=9999-12-31"), ["2026-11-10", "2026-11-18"]);
  assert.deepEqual(followed("#period=2026-11"), ["2026-11-01", "2026-11-18"]);
  assert.deepEqual(followed("#from=0002-10-10&to=2026-10-10", { ...days, first: null }), null);
});

test("a period before the first day, or yet to come, is followed by nothing", () => {
  assert.equal(followed("#from=2026-01-01&to=2026-02-01"), null);
  assert.equal(followed("#from=2026-12-01&to=2027-01-05"), null);
  assert.equal(followed("#period=2026-12"), null);
  assert.equal(followed("#period=0002-01"), null);
});

test("every link within the site carries the choice, also one within the page, with the order of its tables", () => {
  const isEntity = (name) => name !== "";
  const led = (href, hash = "#period=2026-10&only=a&sort=t:1:descending") => carried(href, readState(hash, isEntity), isEntity);
  assert.equal(led("months.html#period=2026-09"), "months.html#period=2026-09&only=a");
  assert.equal(led("#from=2026-11-02&to=2026-11-02"), "#from=2026-11-02&to=2026-11-02&only=a&sort=t:1:descending");
  assert.equal(led("#costs"), "#period=2026-10&only=a&sort=t:1:descending&at=costs");
  assert.equal(led("#run=r1"), "#period=2026-10&only=a&sort=t:1:descending&run=r1");
  assert.deepEqual(["#costs", "#", "", "https://example.org/#a"].map((href) => led(href, "")), ["#costs", "#", "", "https://example.org/#a"]);
});
