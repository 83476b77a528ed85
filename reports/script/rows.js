// The rows of a chart's table for a view: a document, and the first and last of its days.
"use strict";

const rows = (() => {
  const STATES = { s: "so far", i: "incomplete", n: "no data", c: "" };
  const of = {
    days: (spec, view) => {
      const start = [...view.document.states].findIndex((each) => each !== "n");
      const rows = [];
      for (let day = view.to; day >= Math.max(view.from, start, 0); day--) {
        const values = facts.on(view.document, day), iso = telling.dayOf(view, day);
        const unknown = values?.unknown_cost_count ? `${numbers.count(values.unknown_cost_count)} of unknown cost` : "";
        rows.push([{ text: iso, href: `#from=${iso}&to=${iso}` },
          ...spec.figures.map(([name, unit]) => (values ? tables.cell(name, unit, values) : { text: numbers.UNKNOWN, v: "" })),
          { text: [STATES[view.document.states[day]], unknown].filter(Boolean).join(", ") }]);
      }
      return { rows };
    },
    rates: (spec, view) => ({ rows: rates.byTime(view).reverse().map((group) => [
      { text: facts.periodInWords(group.iso, group.last) },
      ...spec.figures.map(([name, unit]) => tables.cell(name, unit, group.values))]) }),
    spreads: (spec, view) => {
      const { day, ...columns } = view.document.splits.spreads?.columns ?? {};
      return { rows: facts.weeks(view.document, view.from, view.to).reverse().map((row) => [{ text: telling.dayOf(view, day[row]) }, ...spec.figures.map(([name, unit]) => {
        const value = columns[name][row];
        return { text: numbers.figure("v", unit, { v: value !== null && unit === "tokens" ? BigInt(value) : value }), v: String(value ?? "") };
      })]) };
    },
    grid: (spec, view) => {
      const costs = new Map(facts.split(view.document, "hours", view.from, view.to).map((each) => [each.key.join(), each.values]));
      return { rows: Array.from({ length: 24 }, (_, hour) => [{ text: `${String(hour).padStart(2, "0")}:00` },
        ...Array.from({ length: 7 }, (__, day) => {
          const values = costs.get(`${day + 1},${hour}`);
          return values && values.cost_usd !== null ? tables.cell("cost_usd", "usd", values) : { text: "" };
        })]) };
    },
    split: (table, view, spec) => {
      const whole = facts.over(view.document, view.from, view.to);
      const groups = charts.ordered(facts.split(view.document, spec.split, view.from, view.to), spec.order, spec.smallLast);
      const lines = groups.slice(0, spec.most).map(({ key, values }) => ({ key: key[0], note: key.at(-1), href: spec.linked && key[1], ...values }));
      const sum = (name) => lines.reduce((all, each) => all + (each[name] ?? 0n), 0n);
      const sums = telling.sumsOf(groups);
      const total = whole[spec.total] ?? null;
      const totals = spec.total ? { ...whole, [spec.order]: total }
        : Object.fromEntries(Object.entries(sums).map(([name, value]) => [name.slice(4), value]));
      const rest = spec.rest && total !== null ? total - sum(spec.order) : 0n;
      if (rest) lines.push({ key: spec.rest, [spec.order]: rest });
      const context = { ...sums, ...Object.fromEntries(Object.entries(whole).map(([name, value]) => [`@${name}`, value])) };
      const has = (line, name) => name.split("/")[0] in line;
      const { figures } = table;
      const rows = lines.map((line) => figures.map(([name, unit], index) => ({
        ...(has(line, name) ? tables.cell(name, unit, { ...context, ...line }) : { text: "" }), href: index ? null : line.href })));
      return { rows, foot: footOf(figures, lines, totals) };
    },
  };
  const footOf = (figures, lines, totals) => {
    const cents = (amount) => numbers.divided(amount, 10n ** 8n);
    const kinds = figures.slice(1).map(([name, unit]) => {
      if (unit === "range" && totals.unlisted_failed_count) return [numbers.figure(name, unit, totals), 0n];
      if ((unit === "usd" || unit === "range") && name in totals) {
        const total = totals[name];
        if (total === null) return [numbers.UNKNOWN, 0n];
        const printed = lines.reduce((all, line) => all + cents(line[name] ?? 0n), 0n);
        return [numbers.usd(total), cents(total) - printed];
      }
      const values = lines.map((line) => line[name]).filter((each) => each !== undefined);
      if (values.length && (unit === "count" || unit === "tokens")) {
        return [numbers.figure("sum", unit, { sum: facts.knownSum(values) }), 0n];
      }
      return ["", 0n];
    });
    const rounding = kinds.some(([, each]) => each)
      ? [["Rounding", ...kinds.map(([, each]) => (each ? numbers.usd(each * 10n ** 8n) : ""))]] : [];
    return [...rounding, ["Total", ...kinds.map(([text]) => text)]].map((row) => row.map((text) => ({ text })));
  };

  return { of };
})();
