// A view is a part of a page for a choice: its texts, its rows to draw, and its table.
import { cellsOf, footOf, columnHeads, namedOf } from "./cells.js";
import { TIME_COLUMNS, added, group, knownOf } from "./cube.js";
import { daysBetween, daysOf, mondayOf, monthInWords, periodInWords, shifted } from "./days.js";
import { figure, fill, quantityOf } from "./format.js";
import { drawnOf, hasMark, headOf, isKey, parsed } from "./part.js";
import { beside, calendarOf, periodOf, stateOf } from "./period.js";

/** @typedef {import("./format.js").Quantity} Quantity */
/** @typedef {import("./format.js").Values} Values */
/** @typedef {import("./period.js").Data} Data */
/** @typedef {import("./period.js").Choice} Choice */
/** @typedef {import("./period.js").Period} Period */
/** @typedef {{ value: string, name?: string, colour?: string, panel?: number,
 *   dash?: string }} Drawn */
/** What a chart may be switched to: columns that it is stacked by, of which relation, and which of
 * its values that has, and what these are; a value and its title.
 * @typedef {{ name: string, by?: string[], data?: string, time?: string,
 *   values?: string[], subtitle?: string }} Split */
/** @typedef {{ name: string, value: string, title: string }} Shown */
/** A part as a page declares it; `chosen` follows the choice, `panels` heads the panels, and with
 * `compare` a line is the period before.
 * @typedef {{ key: string, data: string, chosen?: boolean, mark?: string, by?: string[],
 *   draw?: Drawn[], stack?: string[], order?: string, limit?: number, panels?: string[],
 *   columns?: string[], total?: boolean, label?: string, title?: string, subtitle?: string,
 *   empty?: string, compare?: boolean, time?: string, split?: Split[], show?: Shown[],
 *   monthly?: boolean, span?: [string, string], look?: { [key: string]: any },
 *   lines?: [string, string][] }} Part */
/** One mark, or one line of a table. `state` is c, i, p or n, as in the site's index; `isFilled`
 * marks a day without any data row.
 * @typedef {{ label: string, href: string | null, values: Values, isOthers?: boolean,
 *   isFilled?: boolean, from?: string, to?: string, state?: string }} Row */
/** `share` is drawn as a bar, `trend` as a line with marks at `steps`; `hue` is the place among
 * the colours of a chart, and `urgency` that of its findings.
 * @typedef {{ text: string, value: string | null, href: string | null, share?: number | null,
 *   trend?: (number | null)[], steps?: number[], hue?: number, urgency?: string }} Cell */
/** `per` divides the values.
 * @typedef {{ label: string, colour: string, values: (Quantity | null)[],
 *   per?: (Quantity | null)[] }} Series */
/** `isEmpty` is a view without a data row, `isDrawn` one with something to draw; `before` are the
 * values of the period before, each at a day of this one.
 * @typedef {{ isEmpty: boolean, isDrawn: boolean, title: string, subtitle: string,
 *   caption: string, rows: Row[], axis: "time" | "key",
 *   from: string, to: string, series: Series[], end?: string,
 *   before?: { days: string[], values: (Quantity | null)[], label: string },
 *   events?: import("./period.js").Event[],
 *   table: { heads: { text: string, isText?: boolean, kind?: string }[], rows: Cell[][],
 *     foot: Cell[][], most?: number } }} View */

/** @type {{ [letter: string]: string }} */
const STATES = { c: "", i: "incomplete", p: "so far", n: "no data" };
const NOTES = [["p", "today so far"], ["i", "some days incomplete"], ["n", "some days not read"]];
export const HUES = 5;
const CHANGE = "change_usd|usd_signed|Change", BEFORE = "before_usd|usd|";
const STACKED_DAYS = 120, SHOWN_ROWS = 10;
const FEW_RUNS = 5; // have no course

/** The rows of cubes, with the members chosen.
 * @param {Part} part @param {Data} data @param {Choice} choice @param {[string, string]} days */
export const queryOf = (part, data, choice, [from, to]) => {
  /** @type {{ [column: string]: ReadonlySet<string | number> }} */
  const where = {};
  const member = data.agent ? null : data.workspace ? "agent_id" : "workspace_id";
  if (member && choice.members) where[member] = choice.members;
  const isWeekly = part.by?.[0] === "week";
  return { relation: part.data, shards: data.shards, from: isWeekly ? mondayOf(from) : from, to,
    where };
};
/** What a part is switched to, of what it offers: the way, the value, and the names of both where
 * they are not the first.
 * @param {Part} part @param {string | null} by @param {string | null} shown */
export const waysOf = ({ split = [], show = [] }, by, shown) => {
  const way = split.find(({ name }) => name === by) ?? split[0], values = way?.values;
  const offered = show.filter(({ name }) => !values || values.includes(name));
  const what = offered.find(({ name }) => name === shown) ?? offered[0];
  return { way, what, by: way === split[0] ? null : way.name,
    show: what === offered[0] ? null : what.name };
};
/** The part as it is switched: what it shows, and by what.
 * @param {Part} part @param {string | null} by @param {string | null} shown @returns {Part} */
export const switched = (part, by, shown) => {
  const { way, what } = waysOf(part, by, shown);
  if (!way || !what) return part;
  const { value, title, name } = what;
  const time = way.time ?? part.by?.[0] ?? "date";
  return { ...part, data: way.data ?? part.data, by: [time], stack: way.by, draw: [{ value }],
    title: way.by ? title : "", label: `${name[0].toUpperCase()}${name.slice(1)} by day`,
    subtitle: way.subtitle ?? part.subtitle,
    columns: way.by ? [...way.by, value, ...(value === "cost_usd" ? [CHANGE] : []),
      `${value}/total.${value}|percent|Share`] : [time, value] };
};

/** Groups of days: each day, or each week, cut to the days of the view.
 * @param {string} from @param {string} to @param {boolean} isWeekly
 * @param {{ first: string, states: string }} calendar */
const bucketsOf = (from, to, isWeekly, calendar) => {
  /** @type {Map<string, { from: string, to: string, state: string }>} */
  const buckets = new Map();
  for (const iso of daysOf(from, to)) {
    const key = isWeekly ? mondayOf(iso) : iso, state = stateOf(calendar, iso);
    const bucket = buckets.get(key) ?? { from: iso, to: iso, state };
    bucket.to = iso;
    if ("ncip".indexOf(state) > "ncip".indexOf(bucket.state)) bucket.state = state;
    buckets.set(key, bucket);
  }
  return buckets;
};
/** The rows by time, oldest first: columns have one for each day, a line where there are values.
 * @param {Part} part @param {Data} data @param {ReturnType<typeof queryOf>} query
 * @param {[string, string]} days @param {boolean} isWeekly @returns {Row[]} */
const timeRows = (part, data, query, [from, to], isWeekly) => {
  const column = (part.by ?? [])[0], calendar = calendarOf(data);
  const sums = new Map(group({ ...query, by: [column], bucketOf: isWeekly ? mondayOf : undefined,
    ...(part.stack && { measures: [] }) }).map((each) => [each.keys[column], each.sums]));
  const zero = Object.fromEntries([...sums.values()].flatMap(Object.keys).map((name) => [name, 0]));
  return [...bucketsOf(from, to, isWeekly, calendar)].flatMap(([key, bucket]) => {
    const found = sums.get(key);
    if (column === "week" && !found) return [];
    const values = found ?? (bucket.state === "n" ? {} : zero);
    const label = isWeekly && column !== "week" ? periodInWords(bucket.from, bucket.to)
      : bucket.state === "p" ? `${key} so far` : key;
    const href = isWeekly ? null : `#from=${key}&to=${key}`;
    return [{ ...bucket, label, href, isFilled: !found,
      values: { ...values, [column]: key, state: stateText(bucket.state, values) } }];
  });
};
/** @param {string} state @param {Values} values */
const stateText = (state, values) => {
  const unknown = quantityOf("unknown_cost_count", values)
    && fill("{unknown_cost_count|count} of unknown cost", values);
  return [STATES[state], unknown].filter(Boolean).join(", ");
};

/** Compares figures, the unknown ones last. @param {Quantity | null} a
 * @param {Quantity | null} b */
const compared = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1);
/** The rows by key, in the order of the part. @param {Part} part @param {Row[]} rows */
export const ordered = (part, rows) => {
  const [leading] = drawnOf(part)[0] ?? (part.columns ?? []).map(parsed)
    .find(([name]) => !isKey(name)) ?? [""];
  const given = part.order ?? `-${leading}`, isDown = given[0] === "-";
  const name = given.replace(/^-/, "");
  const size = (/** @type {Row} */ row) => quantityOf(name, row.values);
  return rows.toSorted((a, b) => {
    const [first, second] = isDown && size(a) !== null && size(b) !== null ? [b, a] : [a, b];
    return compared(size(first), size(second))
      || a.label.toLowerCase().localeCompare(b.label.toLowerCase(), "en");
  });
};
/** @param {string[]} by @param {Data} data @param {Values[]} all @returns {Row[]} */
export const keyRows = (by, data, all) => {
  const names = all.map((values) => by.map((column) => namedOf(column, values, data)));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const [{ text }] of names) counts.set(text, (counts.get(text) ?? 0) + 1);
  return all.map((values, index) => {
    const [first, ...others] = names[index];
    const apart = others.length && Number(counts.get(first.text)) > 1
      ? ` (${others.map((each) => each.text).join(", ")})` : "";
    const found = names[index].find((each) => each.href);
    return { label: first.text + apart, href: found?.href ?? null, values };
  });
};
/** The measures that a part names, with what tells whether they are known: to add up all of them
 * takes several times as long.
 * @param {Part} part @param {ReturnType<typeof queryOf>} query @returns {string[]} */
const measuresOf = ({ columns, draw, title, subtitle, order, lines }, { shards, relation }) => {
  const text = JSON.stringify([columns, draw, title, subtitle, order, lines]);
  const named = new Set(text.match(/[a-z_]+/g));
  const table = [...shards.values()].map((document) => document[relation]).find(Boolean);
  return Object.keys(table?.columns ?? {}).filter((name) => named.has(name) ||
    name.startsWith("unknown_") || (named.has("tokens") && name.startsWith("tokens_")) ||
    (named.has("failed_cost_usd") && name.startsWith("failed_cost_")) ||
    (named.has("change_usd") && name === "run_count"));
};
/** The sums of each combination of keys; where columns compare, with the cost of the period before,
 * whose keys are there, too, as are those of later days.
 * @param {Part} part @param {string[]} by @param {ReturnType<typeof queryOf>} query
 * @param {Period} period @returns {Values[]} */
const sumsByKey = (part, by, query, period) => {
  const measures = measuresOf(part, query).filter((name) => !by.includes(name));
  /** @param {{ from?: string, to?: string }} days @returns {Map<string, Values>} */
  const grouped = (days) => new Map(group({ ...query, ...days, by, measures })
    .map(({ keys, sums }) => [Object.values(keys).join("\n"), { ...sums, ...keys }]));
  const now = grouped({});
  if (!part.stack && !part.columns?.includes(CHANGE)) return [...now.values()];
  const { before, isCompared, end } = period;
  const then = isCompared && before ? grouped({ from: before[0], to: before[1] }) : new Map();
  const later = end > query.to ? grouped({ from: shifted(query.to, 1), to: end }) : new Map();
  return [...new Set([...now.keys(), ...then.keys(), ...later.keys()])].map((key) => {
    const [latest, past, soon] = [now, then, later].map((each) => each.get(key));
    const nothing = zeroOf(latest ?? past ?? soon), sums = latest ?? nothing;
    const old = quantityOf("cost_usd", beside(period, sums, past ?? nothing) ?? {});
    const cost = quantityOf("cost_usd", sums);
    const change = old === null || cost === null ? null : cost - old;
    return { ...sums, before_usd: old, change_usd: change };
  });
};
/** @param {Values} values The same keys, each measure zero. @returns {Values} */
const zeroOf = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) =>
  [name, isKey(name) ? value : 0]));
/** The sums of rows; what is compared is unknown in all if it is of one of them.
 * @param {Row[]} rows @returns {Values} */
const summed = (rows) => {
  const all = rows.map(({ values }) => values);
  const names = new Set(all.flatMap(Object.keys).filter((name) => !isKey(name)));
  return knownOf(Object.fromEntries([...names].map((name) => {
    const of = all.map((each) => quantityOf(name, each));
    return [name, /^(change|before)_/.test(name) && of.includes(null) ? null : added(of)];
  })));
};
/** The name of all others together; one alone has its own. @param {{ label: string }[]} others */
export const othersName = (others) => (others.length === 1 ? others[0].label
  : figure("n", "plural:other", { n: others.length }));
/** The rows to draw: as many as the part shows, then the others together.
 * @param {Part} part @param {Row[]} rows @returns {Row[]} */
export const limited = (part, rows) => {
  const limit = part.limit || SHOWN_ROWS, others = rows.slice(limit);
  const isAdded = part.mark === "bar" && !part.stack;
  if (!others.length || (isAdded && others.length === 1)) return rows;
  const label = othersName(others);
  return [...rows.slice(0, limit),
    ...(isAdded ? [{ label, href: null, values: summed(others), isOthers: true }] : [])];
};
/** The series of stacked columns: the largest keys by time, then the others together.
 * @param {Part} part @param {ReturnType<typeof queryOf>} query @param {Row[]} ranked
 * @param {Row[]} times @returns {Series[]} */
export const stackOf = (part, query, ranked, times) => {
  const [column] = part.by ?? [], stack = part.stack ?? [], [name] = drawnOf(part)[0];
  const bucketOf = times.some((row) => !row.href) ? mondayOf : undefined;
  const keyOf = (/** @type {Values} */ values) => stack.map((each) => values[each]).join("\n");
  const places = new Map(ranked.map((row, index) => [keyOf(row.values), Math.min(index, HUES)]));
  const days = new Map(times.map((row, index) => [row.values[column], index]));
  const shown = ranked.slice(0, HUES), drawn = new Set();
  /** @type {(Quantity | null)[][][]} */
  const held = Array.from({ length: HUES + 1 }, () => times.map(() => []));
  for (const { keys, sums } of group({ ...query, by: [column, ...stack], bucketOf,
    measures: [name] })) {
    const key = keyOf(keys), place = places.get(key), day = days.get(keys[column]);
    if (place === undefined || day === undefined) continue;
    held[place][day].push(sums[name]);
    if (sums[name]) drawn.add(key);
  }
  /** @param {number} place Days that were read lack no row. */
  const over = (place) => times.map((row, day) => (!held[place][day].length && row.state !== "n"
    ? 0 : added(held[place][day])));
  const series = shown.map((row, index) => ({ label: row.label, colour: `hue-${index + 1}`,
    values: over(index) }));
  const others = ranked.slice(HUES).filter((row) => drawn.has(keyOf(row.values)));
  return others.length
    ? [...series, { colour: "others", values: over(HUES), label: othersName(others) }] : series;
};
/** The values of the period before, at the same weekdays of this one.
 * @param {Part} part @param {Data} data @param {ReturnType<typeof queryOf>} query
 * @param {Row[]} times @param {Period} period @returns {View["before"]} */
const beforeOf = (part, data, query, times, { days: [from, to], before, isMonth }) => {
  if (!before || isMonth) return undefined;
  const [name] = drawnOf(part)[0], [column] = part.by ?? [], calendar = calendarOf(data);
  const sums = new Map(group({ ...query, from: before[0], to: before[1], by: [column],
    measures: [name] }).map((each) => [each.keys[column], each.sums[name]]));
  const shown = times.filter((row) => (row.to ?? "") <= to);
  const values = shown.map((row) => {
    const of = daysOf(row.from ?? "", row.to ?? "")
      .map((iso) => shifted(before[0], daysBetween(from, iso)));
    const isRead = of.every((iso) => stateOf(calendar, iso) === "c");
    return isRead ? added(of.map((iso) => sums.get(iso) ?? 0)) : null;
  });
  const label = `${daysBetween(...before) + 1} days before`;
  return { days: shown.map((row) => row.from ?? ""), values, label };
};

/** What templates may name: sums, the first rows, the days in words.
 * @param {Row[]} rows @param {Values} sums @param {Data} data @param {Choice} choice
 * @param {[string, string]} days @param {string[]} by @returns {Values} */
const contextOf = (rows, sums, data, choice, [from, to], by) => {
  const calendar = calendarOf(data), period = periodInWords(from, to);
  const states = daysOf(from, to).map((iso) => stateOf(calendar, iso));
  const notes = NOTES.filter(([state]) => choice.isChosen && states.includes(state))
    .map(([, words]) => words);
  /** @param {Row | undefined} row @returns {Values | null} */
  const named = (row) => (row ? { ...row.values, label: isolated(row.label),
    ...Object.fromEntries(by.filter((column) => !TIME_COLUMNS.includes(column))
      .map((column) => [column, isolated(namedOf(column, row.values, data).text)])) } : null);
  const whole = rows.filter((row) => "ci".includes(row.state ?? "n")
      && (row.href || daysBetween(row.from ?? "", row.to ?? "") === 6));
  return { ...sums, total: sums, period, timezone: data.site.timezone,
    span: notes.length ? `${period} (${notes.join(", ")})` : period, row_count: rows.length,
    first: named(rows[0]), last: named(whole.at(-1) ?? rows.at(-1)) };
};
/** @param {string} name */
const isolated = (name) => figure("name", "name", { name });
/** The rows from the first day that was read on. @param {Row[]} rows */
const sinceRead = (rows) => rows.slice(Math.max(rows.findIndex((row) => row.state !== "n"), 0));

/** Gives each row the course of a value over the days, unless it has few runs or requests, and of
 * a model the places of its price steps.
 * @param {Values[]} all @param {Part} part @param {string[]} by
 * @param {ReturnType<typeof queryOf>} query @param {Data} data @returns {Values[]} */
const withTrend = (all, part, by, query, { events = [] }) => {
  const [name] = (part.columns ?? []).map(parsed).find(([, unit]) => unit === "trend") ?? [];
  if (!name || query.from === query.to) return all;
  const [first, base] = name.split("/"), time = part.time ?? "date";
  const days = new Map(daysOf(query.from, query.to).map((iso, index) => [iso, index]));
  const keyOf = (/** @type {Values} */ values) => by.map((each) => values[each]).join("\n");
  const nothing = Array(days.size).fill(base ? null : 0);
  const trends = new Map(all.map((values) => [keyOf(values), [...nothing]]));
  for (const { keys, sums } of group({ ...query, by: [...by, time],
    measures: base ? [first, base] : [first] })) {
    const day = days.get(String(keys[time])), trend = trends.get(keyOf(keys));
    if (!trend || day === undefined) continue;
    const of = base ? Number(sums[base]) : 1;
    trend[day] = sums[first] === null || !of ? null : Number(sums[first]) / of;
  }
  /** @param {Values} values */
  const stepsOf = ({ model }) => events.filter(({ label }) => label === `${model} price`)
    .flatMap(({ day }) => days.get(day) ?? []);
  return all.map((values) => ({ ...values, steps: /** @type {any} */ (stepsOf(values)),
    trend: Number(values.run_count ?? values.request_count ?? FEW_RUNS) < FEW_RUNS ? null
      : /** @type {any} */ (trends.get(keyOf(values))) }));
};

/** The columns of a part for a period: of a month the cost of the month before stands in place of
 * its change, and where nothing is compared, neither.
 * @param {string[]} columns @param {Period} period */
const columnsFor = (columns, { isCompared, isMonth, before }) => columns.flatMap((each) =>
  (each !== CHANGE || (isCompared && !isMonth) ? [each]
    : isCompared && before ? [BEFORE + monthInWords(before[0])] : []));

/** A part of a page for a choice.
 * @param {Part} declared @param {Data} data @param {Choice} choice @returns {View} */
export const view = (declared, data, choice) => {
  const period = periodOf(data, choice), { days } = period;
  const part = { ...declared, columns: columnsFor(declared.columns ?? [], period) };
  const by = part.by ?? [], isTime = TIME_COLUMNS.includes(by[0]);
  const isStack = isTime && part.stack !== undefined, query = queryOf(part, data, choice, days);
  const isWeekly = by[0] === "week" || (isTime && daysBetween(...days) >= STACKED_DAYS);
  const end = isWeekly ? days[1] : period.end, drawn = { ...query, to: end };
  const times = isTime ? timeRows(part, data, drawn, [days[0], end], isWeekly) : [];
  const keys = isStack ? part.stack ?? [] : by;
  const found = isTime && !isStack ? times : keyRows(keys, data,
    withTrend(sumsByKey(declared, keys, query, period), part, keys, query, data));
  const rows = isTime && !isStack ? found : ordered(part, found);
  const sums = summed(found.filter((row) => !row.isFilled && (row.from ?? "") <= days[1]));
  const context = contextOf(rows, sums, data, choice, days, keys);
  const isEmpty = rows.every((row) => row.isFilled);
  const series = isStack && !isEmpty ? stackOf(part, drawn, rows, times) : [];
  const isDrawn = isStack ? series.some(({ values }) => values.some(Boolean))
    : part.draw ? rows.some((row) => hasMark(part, row)) : !isEmpty;
  const isTitled = !isStack || quantityOf(drawnOf(part)[0][0], sums); // later days alone have none
  const [title, subtitle] = headOf(isTitled ? part : { ...part, title: "" }, rows, sums, isDrawn);
  const isRanked = keys.includes("agent_id");
  const later = isTime && !isStack && end > days[1] ? "; days so far are in no total" : "";
  return {
    isEmpty, isDrawn, from: days[0], to: days[1], end,
    title: fill(title, context), subtitle: fill(subtitle, context),
    caption: fill(`${part.label ?? ""}, {span}${later}`, context),
    axis: isTime ? "time" : "key", rows: isTime ? times : limited(part, rows),
    series,
    ...(part.compare && isTime && { before: beforeOf(part, data, query, times, period) }),
    ...(isTime && { events: data.events ?? [] }),
    table: {
      heads: columnHeads(part),
      rows: isEmpty ? [] : (found === times ? sinceRead(rows).toReversed() : rows)
        .map((row, index) => cellsOf(part, data, row, sums,
          isRanked && !isTime && index < HUES ? index + 1 : undefined)),
      foot: part.total && !isEmpty ? footOf(part, { ...sums, total: sums }) : [],
      ...(part.limit && { most: part.limit }),
    },
  };
};
