// Rates of failure with their intervals, as charts show them: hollow where the runs are few.
"use strict";

const rates = (() => {
  const RUNS_FOR_DAILY = 100; // with fewer a day, the intervals are wider than any change

  const of = (label, { failed_count: failed, finished_count: finished }) => {
    const [low, high] = numbers.wilson(failed, finished);
    return { label, low, high, rate: Number(failed) / Number(finished), isSmall: finished < numbers.SMALL_SAMPLE,
      counts: `${numbers.count(failed)} of ${numbers.count(finished)}`,
      hover: `${numbers.figure("f/n", "rate", { f: failed, n: finished })} ${numbers.figure("f/n", "interval", { f: failed, n: finished })}` };
  };

  // The past days of a view that hold finished runs, by week, or by day where days hold many.
  const byTime = (view) => {
    const { document } = view;
    const past = [];
    for (let day = view.from; day <= view.to; day++) {
      const values = "ci".includes(document.states[day]) && facts.on(document, day);
      if (values) past.push({ iso: facts.isoOf(document.first, day), values });
    }
    const known = past.map((day) => Number(day.values.finished_count)).filter(Boolean).sort((a, b) => a - b);
    const middle = known.length ? (known[(known.length - 1) >> 1] + known[known.length >> 1]) / 2 : 0;
    const isDaily = middle >= RUNS_FOR_DAILY;
    const groups = new Map();
    for (const day of past) {
      const key = isDaily ? day.iso : facts.mondayOf(day.iso);
      if (!groups.has(key)) groups.set(key, { iso: day.iso, last: day.iso, values: { failed_count: 0n, finished_count: 0n } });
      const group = groups.get(key);
      group.last = day.iso;
      group.values.failed_count += day.values.failed_count ?? 0n;
      group.values.finished_count += day.values.finished_count ?? 0n;
    }
    return [...groups.values()].filter((group) => group.values.finished_count);
  };

  const trace = (points) => ({ type: "scatter", mode: "markers", customdata: points.map((point) => point.hover),
    hovertemplate: "%{customdata}<extra></extra>", marker: { color: "@failure", size: 8,
      line: { color: "@failure", width: 1.5 }, symbol: points.map((point) => (point.isSmall ? "circle-open" : "circle")) } });
  const errorBars = (points) => ({ type: "data", symmetric: false, color: "@failure", thickness: 1.25, width: 3,
    array: points.map((point) => point.high - point.rate), arrayminus: points.map((point) => point.rate - point.low) });

  return { of, byTime, trace, errorBars };
})();
