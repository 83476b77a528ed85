import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { periodWords } from "../../reports/engine/cards.js";
import { daysBetween, daysOf, shifted } from "../../reports/engine/days.js";
import { calendarOf, monthsFor, periodOf } from "../../reports/engine/period.js";
import { daysChosen, readState } from "../../reports/engine/state.js";
import { chosen, data } from "./given.mjs";

for (const { name, today, later = 1, first = "2026-08-01", unread: [from, to] = [], newest = today, chosen: hash = "", ...expected }
  of JSON.parse(readFileSync(new URL("period.cases.json", import.meta.url), "utf8"))) {
  test(name, () => {
    const yesterday = shifted(today, -later);
    const states = daysOf(first, today).map((iso) => (iso > yesterday ? "p" : from <= iso && iso <= to ? "i" : "c")).join("");
    const of = { site: { today, yesterday, first, states, last: newest, months: [], workspaces: [] } };
    const days = daysChosen(readState(hash, () => true), calendarOf(of));
    const choice = { ...days, members: null, isChosen: Boolean(days.from) };
    const found = { ...periodOf(of, choice), words: periodWords(of, choice) };
    for (const [what, value] of Object.entries(expected)) assert.deepEqual(found[what], value, what);
    if (!found.before || found.isMonth) return;
    assert.equal(daysBetween(found.before[0], found.days[0]) % 7, 0); // the same weekdays
    assert.equal(daysBetween(...found.before), daysBetween(...found.days));
  });
}

test("the data of a period are of its months, and of those that it is compared with", () => {
  assert.deepEqual(monthsFor(data, chosen("2026-11-03", "2026-11-09")), ["2026-10", "2026-11"]);
  assert.deepEqual(monthsFor(data, chosen("2026-11-03", "2026-11-04")), ["2026-11"]);
});
