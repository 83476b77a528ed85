// A view is a part of a page for a choice: its texts, its rows to draw, and its table.
import { TIME_COLUMNS, added, group, knownOf, rowsOf } from "./cube.js";
import { daysBetween, daysOf, mondayOf, monthsOf, periodInWords, shifted } from "./days.js";
import { SMALL_SAMPLE, figure, fill, plain, quantityOf } from "./format.js";
import { drawnOf, hasMark, headOf, isKey, marksOf, parsed } from "./part.js";

/** @typedef {import("./format.js").Quantity} Quantity */
/** @typedef {import("./format.js").Values} Values */
/** @typedef {import("./cube.js").Document} Document */
/** @typedef {import("./cube.js").Table} Table */
/** @typedef {{ id: string, name: string, path: string | null, entity?: string, owner?: string,
 *   line_type?: string, today?: string, yesterday?: string, months: string[] }} Line */
/** @typedef {{ today: string, yesterday: string, timezone: string, first: string, states: string,
 *   months: string[] }} Calendar */
/** @typedef {Line & { today: string, yesterday: string, first: string, states: string,
 *   unbilled?: string[], agents: Line[] }} Workspace */
/** What a page holds: the site's index, its own shards, and the rows of parts without a period.
 * @typedef {{ site: Calendar & { workspaces: Workspace[] }, workspace?: string, agent?: string,
 *   shards: Map<string, Document>, now?: { [part: string]: Table }, root?: string }} Data */
/** `from` and `to` are ISO days or null; `members` the ids that are chosen, or null.
 * @typedef {{ from: string | null, to: string | null, members: ReadonlySet<string> | null,
 *   isChosen: boolean }} Choice */
/** @typedef {{ value: string, name?: string, colour?: string, panel?: number, pattern?: string,
 *   dash?: string, to?: string }} Drawn */
/** A part as a page declares it; `panels` heads the panels.
 * @typedef {{ key: string, data: string, period?: string, mark?: string | string[], by?: string[],
 *   draw?: Drawn[], stack?: string, order?: string, limit?: number, panels?: string[],
 *   where?: { [column: string]: string | number | (string | number)[] }, columns?: string[],
 *   total?: boolean | string, label?: string, title?: string, title_two?: string,
 *   title_small?: string, subtitle?: string, empty?: string }} Part */
/** One mark, or one line of a table. `state` is c, i, p or n, as in the site's index; `isFilled`
 * marks a day without any data row.
 * @typedef {{ label: string, href: string | null, values: Values, isOthers?: boolean,
 *   isFilled?: boolean, from?: string, to?: string, state?: string }} Row */
/** @typedef {{ text: string, value: string | null, href: string | null }} Cell */
/** @typedef {{ label: string, colour: string, values: (Quantity | null)[], texts?: string[] }}
 * Series */
/** `isEmpty` is a view without a data row, `isDrawn` one with something to draw.
 * @typedef {{ isEmpty: boolean, isDrawn: boolean, title: string, subtitle: string,
 *   caption: string, rows: Row[], axis: "time" | "number" | "key" | "name",
 *   from: string, to: string, series: Series[],
 *   table: { heads: { text: string, isText?: boolean, kind?: string }[], rows: Cell[][],
 *     foot: Cell[][] } }} View */

/** @type {{ [letter: string]: string }} */
const STATES = { c: "", i: "incomplete", p: "so far", n: "no data" };
/** @type {{ [column: string]: string }} */
const NONE = { agent_id: "No agent" };
const NOTES = [["p", "today so far"], ["i", "some days incomplete"], ["n", "some days not read"]];
const OF_SEVERAL = "Of several agents together, no median is known: choose one of them.";
const TODAY = "Today is not over: some of its runs may still fail.";
export const NO_KEY = "(none)";
const ALL = "(all)", PLATFORM = "(platform)";
const HUES = 5, DAILY_RUNS = 100, STACKED_DAYS = 120, SHOWN_ROWS = 10;

/** @param {Data} data The days of a page's entity, as the site's index has them: up to `last`,
 * of which `lastOver` is the last that is over; those of a line that rests are shown up to its
 * `today`, and compared up to its `yesterday`. */
export const calendarOf = ({ site, workspace, agent }) => {
  const whole = site.workspaces.find((each) => each.id === workspace);
  const line = whole?.agents.find((each) => each.id === agent);
  const { first, states, today: last, yesterday: lastOver } = whole ?? site;
  return { first, states, last, lastOver, today: line?.today ?? last,
    yesterday: line?.yesterday ?? lastOver,
    months: (line ?? whole ?? site).months };
};
/** @param {{ first: string, states: string }} calendar @param {string} iso */
export const stateOf = ({ first, states }, iso) => states[daysBetween(first, iso)] ?? "n";
/** True of a UTC day of which the API refuses the bill by agent. @param {Data} data
 * @param {string} iso */
export const isUnbilled = ({ site, workspace }, iso) =>
  Boolean(site.workspaces.find((each) => each.id === workspace)?.unbilled?.includes(iso));
/** The days of a part: those chosen, else the 92 up to today, or the last 30 that are over.
 * @param {Part} part @param {Data} data @param {Choice} choice @returns {[string, string]} */
export const daysFor = ({ period }, data, choice) => {
  const { today, yesterday } = calendarOf(data);
  if (choice.from && choice.to) return [choice.from, choice.to];
  return period === "charted" || choice.isChosen
    ? [shifted(today, -91), today] : [shifted(yesterday, -29), yesterday];
};
/** The months of data that a part needs. @param {Part} part @param {Data} data
 * @param {Choice} choice */
export const monthsFor = (part, data, choice) => {
  const [from, to] = daysFor(part, data, choice), held = new Set(calendarOf(data).months);
  return monthsOf(mondayOf(from), to).filter((month) => held.has(month));
};

/** The name and the page of a key. @param {string} column @param {Values} values @param {Data} data
 * @returns {{ text: string, href: string | null }} */
export const namedOf = (column, values, { site, workspace, root = "" }) => {
  const key = values[column];
  if (column === "agent_id" || column === "workspace_id") {
    const id = column === "agent_id" ? values.workspace_id ?? workspace : key;
    const whole = site.workspaces.find((each) => each.id === id);
    const found = column === "agent_id" ? whole?.agents.find((each) => each.id === key) : whole;
    const text = key === PLATFORM ? "Platform" : key === NO_KEY ? NONE[column] : found?.name;
    const isLinked = key !== PLATFORM && found?.path;
    return { text: text ?? String(key), href: isLinked ? root + found.path : null };
  }
  if (column === "agent_version") {
    return { text: figure(column, "version", values), href: null };
  }
  const words = column.replaceAll("_", " ").replace(/ name$/, "");
  return { text: key === NO_KEY ? NONE[column] ?? `no ${words}` : String(key), href: null };
};
/** True for medians of several members together, which are not in the data.
 * @param {Part} part @param {Data} data @param {Choice} choice */
const isOfSeveral = (part, data, { members }) =>
  part.data === "rpt_run_weeks" && !data.agent && Number(members?.size) > 1;
/** The rows of cubes or of a part without a period, with the members chosen.
 * @param {Part} part @param {Data} data @param {Choice} choice @param {[string, string]} days */
export const queryOf = (part, data, choice, [from, to]) => {
  /** @type {{ [column: string]: ReadonlySet<string | number> }} */
  const where = Object.fromEntries(Object.entries(part.where ?? {}).map(([name, value]) =>
      [name, new Set(Array.isArray(value) ? value : [value])]));
  const member = data.agent ? null : data.workspace ? "agent_id" : "workspace_id";
  const { members } = choice;
  const isMedian = part.data === "rpt_run_weeks";
  if (member && members) where[member] = isOfSeveral(part, data, choice) ? new Set() : members;
  else if (member && isMedian) where[member] = new Set([ALL]);
  const isWeekly = part.by?.[0] === "week";
  return { relation: part.data, shards: data.shards, from: isWeekly ? mondayOf(from) : from, to,
    where };
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
 * @param {[string, string]} days @param {boolean} isStackWeekly @returns {Row[]} */
const timeRows = (part, data, query, [from, to], isStackWeekly) => {
  const column = (part.by ?? [])[0], calendar = calendarOf(data);
  const isInterval = marksOf(part)[0] === "interval";
  /** @param {boolean} isWeekly */
  const sumsBy = (isWeekly) => new Map(group({ ...query, by: [column],
    bucketOf: isWeekly ? mondayOf : undefined, ...(part.stack && { measures: [] }) })
    .map(({ keys, sums }) => [keys[column], sums]));
  let isWeekly = column === "week" || isStackWeekly, sums = sumsBy(isWeekly);
  if (isInterval && !isWeekly) {
    const base = drawnOf(part)[0][0].split("/")[1];
    const counts = [...sums.values()].map((each) => Number(each[base] ?? 0)).filter(Boolean)
      .toSorted((a, b) => a - b);
    const median = (counts[(counts.length - 1) >> 1] + counts[counts.length >> 1]) / 2;
    isWeekly = !(median >= DAILY_RUNS);
    if (isWeekly) sums = sumsBy(true);
  }
  const zero = Object.fromEntries([...sums.values()].flatMap(Object.keys).map((name) => [name, 0]));
  const isSparse = column === "week" || isInterval;
  return [...bucketsOf(from, to, isWeekly, calendar)].flatMap(([key, bucket]) => {
    const found = sums.get(key);
    if (isSparse && !found) return [];
    const isUnknown = bucket.state === "n"
      || (part.data === "rpt_bill_days" && isUnbilled(data, key));
    const values = found ?? (isUnknown ? {} : zero);
    const label = isWeekly && column !== "week" ? periodInWords(bucket.from, bucket.to) : key;
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
/** The rows by key, in the order of the part; in that of a rate, small samples last.
 * @param {Part} part @param {Row[]} rows */
const ordered = (part, rows) => {
  const drawn = drawnOf(part), leading = drawn[0]?.[0] ?? parsed(part.columns?.[1] ?? "")[0];
  const given = part.order ?? `-${leading}`, isDown = given[0] === "-";
  const name = given.replace(/^-/, "");
  const base = drawn[0]?.[0].split("/")[1];
  const hasSample = marksOf(part)[0] === "interval" && base;
  /** @param {Row} row */
  const isLast = (row) =>
    Number(hasSample && name === leading && Number(row.values[base] ?? 0) < SMALL_SAMPLE);
  /** @param {Row} row */
  const size = (row) => {
    const [value, of] = name.split("/").map((each) => quantityOf(each, row.values));
    if (of === undefined) return value;
    return value !== null && of ? Number(value) / Number(of) : null;
  };
  return rows.filter((row) => !hasSample || row.values[base]).toSorted((a, b) => {
    const [first, second] = isDown && size(a) !== null && size(b) !== null ? [b, a] : [a, b];
    return isLast(a) - isLast(b) || compared(size(first), size(second))
      || a.label.toLowerCase().localeCompare(b.label.toLowerCase(), "en");
  });
};
/** @param {string[]} by @param {Data} data @param {Values[]} all @returns {Row[]} */
const keyRows = (by, data, all) => {
  const names = all.map((values) => by.map((column) => namedOf(column, values, data)));
  const isShared = (/** @type {string} */ text) =>
    names.filter(([each]) => each.text === text).length > 1;
  return all.map((values, index) => {
    const [first, ...others] = names[index];
    const apart = others.length && isShared(first.text)
      ? ` (${others.map((each) => each.text).join(", ")})` : "";
    const found = names[index].find((each) => each.href);
    return { label: first.text + apart, href: found?.href ?? null, values };
  });
};
/** @param {Row[]} rows @returns {Values} */
const summed = (rows) => {
  const names = new Set(rows.flatMap((row) => Object.keys(row.values))
      .filter((name) => !isKey(name)));
  return knownOf(Object.fromEntries([...names].map((name) => [name,
    added(rows.map((row) => quantityOf(name, row.values)))])));
};
/** The name of all others together; one alone has its own. @param {{ label: string }[]} others */
export const othersName = (others) => (others.length === 1 ? others[0].label
  : figure("n", "plural:other", { n: others.length }));
/** The rows to draw: as many as the part shows, then the others together.
 * @param {Part} part @param {Row[]} rows @returns {Row[]} */
const limited = (part, rows) => {
  const limit = part.limit ?? SHOWN_ROWS, others = rows.slice(limit), marks = marksOf(part);
  const isAdded = marks.length === 1 && marks[0] === "bar";
  if (!others.length || (isAdded && others.length === 1)) return rows;
  const label = othersName(others);
  return [...rows.slice(0, limit),
    ...(isAdded ? [{ label, href: null, values: summed(others), isOthers: true }] : [])];
};
/** The series of stacked columns: the largest keys by time, then the others together.
 * @param {Part} part @param {ReturnType<typeof queryOf>} query @param {Row[]} ranked
 * @param {Row[]} times @returns {Series[]} */
const stackOf = (part, query, ranked, times) => {
  const [column] = part.by ?? [], stack = part.stack ?? "", [name] = drawnOf(part)[0];
  const bucketOf = times.some((row) => !row.href) ? mondayOf : undefined;
  const shown = ranked.slice(0, HUES), others = ranked.slice(HUES);
  /** @param {Row[]} of @param {string[]} by */
  const sumsOf = (of, by) => {
    const keys = new Set(of.map((row) => /** @type {string} */ (row.values[stack])));
    const where = { ...query.where, [stack]: keys };
    return new Map(group({ ...query, where, by, bucketOf, measures: [name] })
      .map((each) => [Object.values(each.keys).join("\n"), each.sums[name]]));
  };
  /** @param {Map<string, Quantity | null>} sums @param {string} key */
  const over = (sums, key) => times.map((row) => {
    const sum = sums.get(`${row.values[column]}${key}`); // days that were read lack no row
    return sum === undefined && row.state !== "n" ? 0 : sum ?? null;
  });
  const sums = sumsOf(shown, [column, stack]);
  const series = shown.map((row, index) => ({ label: row.label, colour: `hue-${index + 1}`,
    values: over(sums, `\n${row.values[stack]}`) }));
  return others.length ? [...series, { colour: "others", values: over(sumsOf(others, [column]), ""),
    label: othersName(others) }] : series;
};

/** @param {Part} part @param {Data} data @param {Row} row @param {Values} total
 * @returns {Cell[]} */
const cellsOf = (part, data, row, total) => (part.columns ?? []).map((column) => {
  const [name, unit] = parsed(column), value = row.values[name];
  if (row.from && TIME_COLUMNS.includes(name)) {
    return { text: row.label, value: String(value), href: row.href };
  }
  if (name !== "state" && isKey(name) && !/[/.]/.test(name) && ["text", "name"].includes(unit)) {
    return value === undefined || value === null ? { text: "", value: null, href: null }
      : { ...namedOf(name, row.values, data),
        value: typeof value === "number" ? String(value) : null };
  }
  const values = { ...row.values, total };
  return { text: figure(name, unit, values), value: plain(name, unit, values), href: null };
});
/** The total of a table. @param {Part} part @param {Values} sums @returns {Cell[][]} */
const footOf = (part, sums) => {
  const blank = { text: "", value: null, href: null };
  const totals = (part.columns ?? []).slice(1).map((column) => {
    const [name, unit] = parsed(column);
    return (isKey(name) && !name.includes("/")) || name.includes("total.") ? blank
      : { text: figure(name, unit, sums), value: plain(name, unit, sums), href: null };
  });
  return [[{ ...blank, text: typeof part.total === "string" ? part.total : "Total" }, ...totals]];
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
    first: named(rows[0]), second: named(rows[1]), last: named(whole.at(-1) ?? rows.at(-1)) };
};
/** @param {string} name */
const isolated = (name) => figure("name", "name", { name });
/** The rows from the first day that was read on. @param {Row[]} rows */
const sinceRead = (rows) => rows.slice(Math.max(rows.findIndex((row) => row.state !== "n"), 0));

/** A part of a page for a choice.
 * @param {Part} part @param {Data} data @param {Choice} choice @returns {View} */
export const view = (part, data, choice) => {
  const days = daysFor(part, data, choice), [mark] = marksOf(part), by = part.by ?? [];
  const now = part.period ? undefined : data.now?.[part.key];
  const isTime = TIME_COLUMNS.includes(by[0]) && !now, isStack = isTime && part.stack !== undefined;
  // Of the runs of today, some may still fail.
  const isOpen = isTime && mark === "interval" && stateOf(calendarOf(data), days[1]) === "p";
  const isToday = isOpen && days[0] === days[1];
  if (isOpen && !isToday) days[1] = shifted(days[1], -1);
  const query = { ...queryOf(part, data, choice, days),
    ...(now && { relation: part.key, shards: new Map([["", { [part.key]: now }]]) }) };
  const isLong = isStack && daysBetween(...days) >= STACKED_DAYS;
  const times = isTime && !isToday ? timeRows(part, data, query, days, isLong) : [];
  const keys = isStack ? [part.stack ?? ""] : by;
  const isAsGiven = ["line", "waterfall"].includes(mark);
  const found = isTime && !isStack ? times : keyRows(keys, data, now ? rowsOf(query)
    : group({ ...query, by: keys }).map((each) => ({ ...each.sums, ...each.keys })));
  const rows = (isTime && !isStack) || mark === "line" ? found : ordered(part, found);
  const sums = summed(found.filter((row) => !row.isFilled));
  const context = contextOf(rows, sums, data, choice, days, keys);
  const isEmpty = rows.every((row) => row.isFilled);
  const isDrawn = part.draw ? rows.some((row) => hasMark(part, row)) : !isEmpty;
  const [title, subtitle] = headOf(part, rows, sums, isDrawn,
    isOfSeveral(part, data, choice) ? OF_SEVERAL : isToday ? TODAY : "");
  return {
    isEmpty, isDrawn, from: days[0], to: days[1],
    title: fill(title, context), subtitle: fill(subtitle, context),
    caption: fill(`${part.label ?? ""}, {span}`, context),
    axis: isTime ? "time" : mark === "line" ? "number" : "key",
    rows: isTime ? times : isAsGiven ? rows : limited(part, rows),
    series: isStack && !isEmpty ? stackOf(part, query, rows, times) : [],
    table: {
      heads: (part.columns ?? []).map(parsed).map(([name, unit, text]) => ({ text,
        isText: isKey(name) && !name.includes("/") && ["text", "name", "day"].includes(unit) })),
      rows: isEmpty ? [] : (found === times ? sinceRead(rows).toReversed() : rows)
        .map((row) => cellsOf(part, data, row, sums)),
      foot: part.total && !isEmpty ? footOf(part, { ...sums, total: sums }) : [],
    },
  };
};
