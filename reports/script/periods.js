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

  // What is known by month alone is shown of a month that is chosen, for all members, and of no
  // other choice.
  const showMonth = ({ from, to, members }) => {
    const month = from && !members.length && months.find((each) => String(of(each)) === `${from},${to}`);
    for (const section of document.querySelectorAll("[data-by-month]")) {
      const isOther = (text) => from !== null && (!month || !text.endsWith(facts.monthInWords(month)));
      for (const figure of section.querySelectorAll("figure")) figure.hidden = isOther(figure.querySelector("h3").textContent);
      const ends = /, (\w{3}\u00a0\d{4})$/;
      const isHidden = (text) => ends.test(text) && from !== null && ends.exec(text)[1] !== shortOf(month);
      const tables = [...section.querySelectorAll("table")];
      for (const table of tables) {
        [...table.tHead.rows[0].cells].forEach(({ textContent }, index) => {
          for (const row of table.rows) row.cells[index].hidden = isHidden(textContent);
        });
      }
      section.hidden = members.length > 0 || (from !== null && !tables.some((table) =>
        [...table.tHead.rows[0].cells].some(({ textContent, hidden }) => ends.test(textContent) && !hidden)));
    }
  };
  const shortOf = (month) => month && facts.monthInWords(month).replace(/^(\w{3})\w* /, "$1\u00a0");

  return { of, nameOf, offer, showMonth };
})();
