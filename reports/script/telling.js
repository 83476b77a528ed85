// What a chart tells of a view: its days in words, its title and its text, or why it shows nothing.
"use strict";

const telling = (() => {
  const dayOf = (view, index) => facts.isoOf(view.document.first, index);
  const periodOf = (view) => facts.periodInWords(dayOf(view, view.from), dayOf(view, view.to));
  const spanOf = (view) => {
    const text = periodOf(view);
    if (!view.isChosen) return text;
    const states = view.document.states.slice(view.from, view.to + 1);
    const notes = [["s", "today so far"], ["i", "some days incomplete"], ["n", "some days not read"]]
      .filter(([each]) => states.includes(each)).map(([, words]) => words);
    return notes.length ? `${text} (${notes.join(", ")})` : text;
  };

  // What the templates of a chart's texts may name, for what was chosen; null where there is nothing.
  const sumsOf = (groups) => {
    const names = Object.keys(groups[0]?.values ?? {});
    return Object.fromEntries(names.map((name) => [`sum_${name}`, facts.knownSum(groups.map((each) => each.values[name]))]));
  };
  const ISOLATED = (name) => `\u2068${name}\u2069`;
  const contextOf = (spec, view) => {
    const span = spanOf(view), whole = facts.over(view.document, view.from, view.to);
    const context = { ...whole, span, period: periodOf(view), detail: document.body.dataset.detail };
    if (spec.kind === "days" || spec.kind === "rates") return whole.run_count || whole.cost_usd !== 0n ? context : null;
    if (spec.kind === "spreads") return withWeek(spec, view, context);
    if (!(spec.split in view.document.splits)) return null;
    const groups = charts.ordered(facts.split(view.document, spec.split, view.from, view.to), spec.order ?? spec.measure, spec.smallLast);
    if (!groups.length) return null;
    Object.assign(context, sumsOf(groups));
    const apart = charts.apartOf(spec, groups);
    for (const [index, place] of ["first", "second"].slice(0, groups.length).entries()) {
      for (const [name, value] of Object.entries(groups[index].values)) context[`${place}_${name}`] = value;
      const [name, hour] = groups[index].key;
      context[place] = spec.kind === "heat" ? `${spec.days[name - 1]}, ${hour}:00` : ISOLATED(name + apart(groups[index]));
    }
    return context;
  };
  // Of the last whole week whose medians are known, else of the last known one.
  const withWeek = ({ panels }, { document, from, to }, context) => {
    const weeks = facts.weeks(document, from, to).reverse();
    if (!weeks.length) return null;
    const { day, ...columns } = document.splits.spreads.columns;
    const isWhole = (row) => day[row] >= from && day[row] + 6 <= to && document.states[day[row] + 6] !== "s";
    const known = weeks.filter((row) => panels.every(([, measure]) => columns[`${measure}_median`][row] !== null));
    const row = known.find(isWhole) ?? known[0] ?? weeks[0];
    const values = Object.fromEntries(Object.entries(columns).map(([name, each]) => [name,
      each[row] !== null && name.startsWith("tokens") ? BigInt(each[row]) : each[row]]));
    return { ...context, ...values, week: facts.inWords(facts.isoOf(document.first, day[row])) };
  };
  const titleOf = (spec, context) => {
    if (spec.smallLast && (context.first_finished_count < numbers.SMALL_SAMPLE || !context[`first_${spec.order}`])) return spec.unranked;
    return spec.compared && "second" in context ? spec.compared : spec.title;
  };
  // The title and the text of a chart that has nothing to show.
  const nothing = (spec, view) => {
    const whole = facts.over(view.document, view.from, view.to), span = spanOf(view);
    const title = spec.none ?? spec.label, { detail } = document.body.dataset;
    if (spec.kind === "spreads" && !("spreads" in view.document.splits)) return [title, "Medians are known for each agent, not for several together: open an agent's page."];
    if (whole.run_count) return [title, `None in ${span}.${spec.subtitle.includes("{detail}") ? detail : ""}`];
    return [title, `No runs in ${span}. Choose another period, or clear the choice.`];
  };

  return { dayOf, periodOf, spanOf, sumsOf, contextOf, titleOf, nothing };
})();
