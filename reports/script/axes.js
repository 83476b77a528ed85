// Axes: round ticks in the words of each unit, and days.
"use strict";

const axes = (() => {
  const DAY = 86_400_000;

  // Value axes: from zero, with few round ticks.
  const tickText = {
    usd: (tick) => (tick >= 1e6 ? `$${(tick / 1e6).toLocaleString("en-US")}\u00a0M`
      : `$${tick.toLocaleString("en-US", { minimumFractionDigits: tick % 1 && tick * 10 % 1 === 0 ? 2 : 0, maximumFractionDigits: 10 })}`),
    count: (tick) => tick.toLocaleString("en-US"),
    tokens: (tick) => numbers.tokens(BigInt(Math.round(tick))).replace(".0", ""),
    seconds: (tick) => numbers.duration(tick).replace(/ 00.s| 00.min/, "").replace(".0", ""),
    share: (tick) => `${Number((100 * tick).toPrecision(6))}%`,
  };
  tickText.usd_fine = tickText.usd;
  const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18_000, 36_000, 86_400];
  const axis = (values, unit) => {
    const largest = Math.max(0, ...values.filter((each) => each !== null)) || 1;
    let step = roundStep(largest / 3);
    if (unit === "count" || unit === "tokens") step = Math.max(Math.floor(step), 1);
    if (unit === "seconds") step = STEPS.findLast((each) => each <= largest / 3) ?? step;
    if (unit === "seconds" && step === STEPS.at(-1)) step *= roundStep(largest / 3 / step); // whole days
    if (unit === "share" && largest > 0.8) step = 0.25;
    const ticks = Array.from({ length: Math.ceil(largest / step - 1e-9) + 1 },
      (_, index) => Number((index * step).toPrecision(12)));
    return { range: [0, ticks.at(-1)], tickvals: ticks, ticktext: ticks.map(tickText[unit]) };
  };
  const everySecond = ({ tickvals, ticktext }) => ({ tickvals: tickvals.filter((_, index) => index % 2 === 0),
    ticktext: ticktext.filter((_, index) => index % 2 === 0) });
  const roundStep = (limit) => {
    const power = 10 ** Math.floor(Math.log10(limit));
    return [1, 2, 2.5, 5].findLast((each) => each * power <= limit * (1 + 1e-9)) * power;
  };

  const timeAxis = (first, last) => {
    const days = facts.indexOf(first, last) + 1;
    return { type: "date", tickformat: days > 200 ? "%b %Y" : "%-d %b", hoverformat: "%-d %b %Y",
      ...(days < 21 && { dtick: DAY * Math.ceil(days / 5) }),
      range: [facts.isoOf(first, -1), facts.isoOf(last, 1)] };
  };

  return { axis, everySecond, timeAxis };
})();
