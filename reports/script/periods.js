// The periods that a reader may choose: the last days, months by name, or any two days.
"use strict";

const periods = (() => {
  const today = document.body.dataset.today;
  const MONTHS = 13; // as many as pages hold
  const LAST = [["7", "Last 7 days"], ["30", "Last 30 days"], ["92", "Last 92 days"], ["396", "Last 13 months"]];

  const monthBefore = (month, count) => {
    const [year, number] = month.split("-").map(Number);
    return new Date(Date.UTC(year, number - 1 - count)).toISOString().slice(0, 7);
  };
  const lastOf = (month) => facts.isoOf(`${monthBefore(month, -1)}-01`, -1);
  const months = Array.from({ length: MONTHS }, (_, index) => monthBefore(today.slice(0, 7), index));

  // The first and the last day of a choice.
  const of = (value) => {
    if (months.includes(value)) return [`${value}-01`, value === months[0] ? today : lastOf(value)];
    if (value === "396") return [facts.isoOf(today, -395), today];
    return [facts.isoOf(today, -Number(value)), facts.isoOf(today, -1)];
  };
  // Which choice two days are; "own" where they are none of those that have a name.
  const nameOf = (from, to) => {
    if (!from) return "";
    const known = [...LAST.map(([value]) => value), ...months].find((value) => String(of(value)) === `${from},${to}`);
    return known ?? "own";
  };

  // Fills a select; `first` is the first day that holds anything.
  const offer = (select, first) => {
    const option = ([value, text]) => tables.element("option", text, { value });
    const group = tables.element("optgroup", "", { label: "Months" });
    const held = months.filter((month, index) => !index || month >= first.slice(0, 7));
    group.append(...held.map((month) => option([month, facts.monthInWords(month)])));
    select.append(option(["", "Latest days"]), ...LAST.map(option), group, option(["own", "From … to …"]));
  };

  return { of, nameOf, offer };
})();
