import assert from "node:assert/strict";
import { test } from "node:test";
import { carried, readState } from "../../reports/engine/state.js";

test("an address names a month or a number of days, or the first and the last day", () => {
  const of = (hash) => { const { period, from, to } = readState(hash, () => true); return [period, from, to]; };
  assert.deepEqual(["period=28", "period=30", "period=2026-10"].map(of), [["28", null, null], ["30", null, null], ["2026-10", null, null]]);
  for (const each of ["period=0", "period=1000", "period=2026-13", "period=0002-01", "from=2026-02-30"]) assert.deepEqual(of(each), [null, null, null]);
  assert.deepEqual(of("from=2026-11-02&to=2026-10-01"), [null, "2026-10-01", "2026-11-02"]);
});

test("every link within the site carries the choice, also one within the page, with the order of its tables", () => {
  const isEntity = (name) => name !== "";
  const led = (href, hash = "#period=2026-10&only=a&sort=t:1:descending") => carried(href, readState(hash, isEntity), isEntity);
  assert.equal(led("months.html#period=2026-09"), "months.html#period=2026-09&only=a");
  assert.equal(led("#from=2026-11-02&to=2026-11-02"), "#from=2026-11-02&to=2026-11-02&only=a&sort=t:1:descending");
  assert.equal(led("agents/a.html#from=2026-11-02&to=2026-11-09&at=versions"), "agents/a.html#from=2026-11-02&to=2026-11-09&at=versions"); // of a finding, which is of all members
  assert.equal(led("#costs"), "#period=2026-10&only=a&sort=t:1:descending&at=costs");
  assert.equal(led("#run=r1"), "#period=2026-10&only=a&sort=t:1:descending&run=r1");
  assert.deepEqual(["#costs", "#", "", "https://example.org/#a"].map((href) => led(href, "")), ["#costs", "#", "", "https://example.org/#a"]);
});
