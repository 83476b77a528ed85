// A view is a part of a page for a choice: its texts, its rows to draw, and its table.
import { TIME_COLUMNS, added, group, rowsOf } from "./cube.js";
import {
  daysBetween, daysOf, lastDayOf, mondayOf, monthShifted, monthsOf, periodInWords, shifted,
} from "./days.js";
import { MINUS, SMALL_SAMPLE, divided, figure, fill, plain, quantityOf } from "./format.js";

/** @typedef {import("./format.js").Quantity} Quantity */
/** @typedef {import("./format.js").Values} Values */
/** @typedef {import("./cube.js").Document} Document */
/** @typedef {import("./cube.js").Table} Table */
/** @typedef {{ id: string, name: string, path: string | null, line_type?: string, today?: string,
 *   months: string[] }} Line */
/** @typedef {{ today: string, timezone: string, first: string, states: string, months: string[] }} Calendar */
/** @typedef {Line & { first: string, states: string, agents: Line[] }} Workspace */
/** What a page holds: the site's index, its own shards, and the rows of parts without a period.
 * @typedef {{ site: Calendar & { workspaces: Workspace[] }, workspace?: string, agent?: string,
 *   shards: Map<string, Document>, now?: { [part: string]: Table }, root?: string }} Data */
/** `from` and `to` are ISO days or null; `members` the ids that are chosen, or null.
 * @typedef {{ from: string | null, to: string | null, members: ReadonlySet<string> | null,
 *   isChosen: boolean }} Choice */
/** @typedef {{ value: string, name?: string, colour?: string, panel?: number, pattern?: string,
 *   dash?: string, to?: string, hover?: string }} Drawn */
/** A part as a page declares it; `panels` heads the panels.
 * @typedef {{ key: string, data: string, period?: string, mark?: string | string[], by?: string[],
 *   draw?: Drawn[], stack?: string, order?: string, limit?: number, panels?: string[],
 *   where?: { [column: string]: string | number | (string | number)[] }, columns?: string[],
 *   total?: boolean, label?: string, title?: string, title_two?: string, title_small?: string,
 *   subtitle?: string, caption?: string, empty?: string }} Part */
/** One mark, or one line of a table. `state` is c, i, p or n, as in the site's index.
 * @typedef {{ label: string, href: string | null, values: Values, isOthers?: boolean, from?: string,
 *   to?: string, state?: string }} Row */
/** @typedef {{ text: string, value: string | null, href: string | null }} Cell */
/** @typedef {{ label: string, colour: string, values: (Quantity | null)[] }} Series */
/** @typedef {{ isEmpty: boolean, title: string, subtitle: string, caption: string, rows: Row[],
 *   axis: "time" | "number" | "key" | "cell", from: string, to: string, series: Series[],
 *   table: { heads: { text: string, isText: boolean }[], rows: Cell[][], foot: Cell[][] } }} View */

/** @type {{ [letter: string]: string }} */
const STATES = { c: "", i: "incomplete", p: "so far", n: "no data" };
export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/** @type {{ [column: string]: string }} */
const NONE = { agent_id: "No agent", agent_version: "no version" };
const ALL = "(all)", NO_KEY = "(none)", PLATFORM = "(platform)";
const HUES = 5, DAILY_RUNS = 100, STACKED_DAYS = 120, SHOWN_ROWS = 10;

/** @param {string} expression @returns {[string, string, string]} "figure|unit|label" */
export const parsed = (expression) => {
  const [name, unit, label] = expression.split("|");
  const known = unit || (name.endsWith("_usd") ? "usd" : name.endsWith("_count") ? "count"
    : name.startsWith("tokens_") ? "tokens" : name.endsWith("_ms") ? "milliseconds"
      : name.includes("_seconds") ? "seconds" : "text");
  const words = name.replace(/_(usd|count|id|ms|seconds)$/, "").replaceAll("_", " ");
  return [name, known, label || words[0].toUpperCase() + words.slice(1)];
};

/** @param {Data} data The days of a page's entity, as the site's index has them. */
export const calendarOf = ({ site, workspace, agent }) => {
  const whole = site.workspaces.find((each) => each.id === workspace);
  const line = whole?.agents.find((each) => each.id === agent);
  const { first, states } = whole ?? site;
  return { first, states, today: line?.today ?? whole?.today ?? site.today,
    months: (line ?? whole ?? site).months };
};
/** @param {{ first: string, states: string }} calendar @param {string} iso */
const stateOf = ({ first, states }, iso) => states[daysBetween(first, iso)] ?? "n";
/** The days of a part: those chosen, else the 92 up to today, or the 30 before it.
 * @param {Part} part @param {Data} data @param {Choice} choice @returns {[string, string]} */
export const daysFor = ({ period }, data, choice) => {
  const { today } = calendarOf(data);
  if (choice.from && choice.to) return [choice.from, choice.to < today ? choice.to : today];
  return period === "charted" || choice.isChosen
    ? [shifted(today, -91), today] : [shifted(today, -30), shifted(today, -1)];
};
/** The months of data that a part needs. @param {Part} part @param {Data} data @param {Choice} choice */
export const monthsFor = (part, data, choice) => {
  const [from, to] = daysFor(part, data, choice), held = new Set(calendarOf(data).months);
  return monthsOf(mondayOf(from), to).filter((month) => held.has(month));
};

/** The name and the page of a key. @param {string} column @param {Values} values @param {Data} data
 * @returns {{ text: string, href: string | null }} */
const namedOf = (column, values, { site, workspace, root = "" }) => {
  const key = values[column];
  if (column === "agent_id" || column === "workspace_id") {
    const id = column === "agent_id" ? values.workspace_id ?? workspace : key;
    const whole = site.workspaces.find((each) => each.id === id);
    const found = column === "agent_id" ? whole?.agents.find((each) => each.id === key) : whole;
    const text = key === PLATFORM ? "Platform" : key === NO_KEY ? NONE[column] : found?.name;
    const isLinked = key !== PLATFORM && found?.path;
    return { text: text ?? String(key), href: isLinked ? root + found.path : null };
  }
  if (column === "weekday") return { text: WEEKDAYS[Number(key) - 1], href: null };
  if (column === "hour") return { text: `${key}:00`, href: null };
  if (column === "agent_version") return { text: Number(key) < 0 ? NONE[column] : `v${key}`, href: null };
  const words = column.replaceAll("_", " ").replace(/ name$/, "");
  return { text: key === NO_KEY ? NONE[column] ?? `no ${words}` : String(key), href: null };
};
/** @param {string} column */
const isKey = (column) => !/_(usd|count|ms|seconds)$|^tokens_/.test(column);

/** The rows of cubes or of a part without a period, with the members chosen.
 * @param {Part} part @param {Data} data @param {Choice} choice @param {[string, string]} days */
const queryOf = (part, data, choice, [from, to]) => {
  /** @type {{ [column: string]: ReadonlySet<string | number> }} */
  const where = Object.fromEntries(Object.entries(part.where ?? {}).map(([name, value]) =>
    [name, new Set(Array.isArray(value) ? value : [value])]));
  const member = data.agent ? null : data.workspace ? "agent_id" : "workspace_id";
  const { members } = choice;
  if (member && members) where[member] = members;
  else if (part.data === "rpt_run_weeks" && member) where[member] = new Set([ALL]);
  const isWeekly = part.by?.[0] === "week";
  return { relation: part.data, shards: data.shards, from: isWeekly ? mondayOf(from) : from, to, where };
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

/** @param {Part} part */
const marksOf = (part) => [part.mark ?? []].flat();
/** @param {Part} part The figures drawn. */
const drawnOf = (part) => (part.draw ?? []).map((each) => parsed(each.value));

/** The rows by time, oldest first: columns have one for each day, a line where there are values.
 * @param {Part} part @param {Data} data @param {ReturnType<typeof queryOf>} query
 * @param {[string, string]} days @param {boolean} isStackWeekly @returns {Row[]} */
const timeRows = (part, data, query, [from, to], isStackWeekly) => {
  const column = (part.by ?? [])[0], calendar = calendarOf(data);
  const isInterval = marksOf(part)[0] === "interval";
  /** @param {boolean} isWeekly */
  const sumsBy = (isWeekly) => new Map(group({ ...query, by: [column],
    bucketOf: isWeekly ? mondayOf : undefined }).map(({ keys, sums }) => [keys[column], sums]));
  let isWeekly = column === "week" || isStackWeekly, sums = sumsBy(isWeekly), last = to;
  if (isInterval && !isWeekly) {
    if (stateOf(calendar, to) === "p") last = shifted(to, -1); // what runs today may still fail
    const base = drawnOf(part)[0][0].split("/")[1];
    const counts = [...sums].filter(([iso]) => iso <= last)
      .map(([, each]) => Number(each[base] ?? 0)).filter(Boolean).toSorted((a, b) => a - b);
    const middle = counts.length
      ? (counts[(counts.length - 1) >> 1] + counts[counts.length >> 1]) / 2 : 0;
    isWeekly = middle < DAILY_RUNS;
    if (isWeekly) {
      sums = new Map(group({ ...query, to: last, by: [column], bucketOf: mondayOf })
        .map(({ keys, sums: each }) => [keys[column], each]));
    }
  }
  const zero = Object.fromEntries([...sums.values()].flatMap(Object.keys).map((name) => [name, 0]));
  const isSparse = column === "week" || isInterval;
  return [...bucketsOf(from, last, isWeekly, calendar)].flatMap(([key, bucket]) => {
    const found = sums.get(key);
    if (isSparse && !found) return [];
    const values = found ?? (bucket.state === "n" ? {} : zero);
    const label = isWeekly && column !== "week" ? periodInWords(bucket.from, bucket.to) : key;
    const href = isWeekly ? null : `#from=${key}&to=${key}`;
    return [{ ...bucket, label, href, values: { ...values, [column]: key, state: stateText(bucket.state, values) } }];
  });
};
/** @param {string} state @param {Values} values */
const stateText = (state, values) => [STATES[state], quantityOf("unknown_cost_count", values)
  && `${figure("unknown_cost_count", "count", values)} of unknown cost`].filter(Boolean).join(", ");

/** Compares figures, the unknown ones last. @param {Quantity | null} a @param {Quantity | null} b */
const compared = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1);
/** The rows by key, in the order of the part; small samples of a rate last.
 * @param {Part} part @param {Row[]} rows */
const ordered = (part, rows) => {
  const drawn = drawnOf(part), first = drawn[0]?.[0] ?? parsed(part.columns?.[1] ?? "")[0];
  const given = part.order ?? `-${first}`, isDown = given[0] === "-", name = given.replace(/^-/, "");
  const base = drawn[0]?.[0].split("/")[1];
  const hasSample = marksOf(part)[0] === "interval" && base;
  const isLast = (/** @type {Row} */ row) =>
    Number(Boolean(hasSample) && isKey(name) === false && Number(row.values[base] ?? 0) < SMALL_SAMPLE);
  const size = (/** @type {Row} */ row) => {
    const [part1, part2] = name.split("/").map((each) => quantityOf(each, row.values));
    return part2 === undefined ? part1 : part1 !== null && part2 ? Number(part1) / Number(part2) : null;
  };
  return rows.filter((row) => !hasSample || Number(row.values[base] ?? 0))
    .toSorted((a, b) => isLast(a) - isLast(b)
      || (size(a) === null || size(b) === null || !isDown ? compared(size(a), size(b)) : compared(size(b), size(a)))
      || a.label.toLowerCase().localeCompare(b.label.toLowerCase(), "en"));
};
/** @param {string[]} by @param {Data} data @param {Values[]} all @returns {Row[]} */
const keyRows = (by, data, all) => {
  const names = all.map((values) => by.map((column) => namedOf(column, values, data)));
  const isShared = (/** @type {string} */ text) => names.filter(([each]) => each.text === text).length > 1;
  return all.map((values, index) => {
    const [first, ...others] = names[index];
    const apart = others.length && isShared(first.text) ? ` (${others.map((each) => each.text).join(", ")})` : "";
    const found = names[index].find((each) => each.href);
    return { label: first.text + apart, href: found?.href ?? null, values };
  });
};
/** @param {Row[]} rows @returns {Values} */
const summed = (rows) => {
  const names = new Set(rows.flatMap((row) => Object.keys(row.values)).filter((name) => !isKey(name)));
  return Object.fromEntries([...names].map((name) => [name,
    added(rows.map((row) => quantityOf(name, row.values)))]));
};
/** The rows to draw: as many as the part shows, then the others together.
 * @param {Part} part @param {Row[]} rows @returns {Row[]} */
const limited = (part, rows) => {
  const limit = part.limit ?? SHOWN_ROWS, others = rows.slice(limit), marks = marksOf(part);
  if (!others.length) return rows;
  const label = figure("n", "plural:other", { n: others.length });
  const isAdded = marks.length === 1 && marks[0] === "bar";
  return [...rows.slice(0, limit),
    ...(isAdded ? [{ label, href: null, values: summed(others), isOthers: true }] : [])];
};
/** The series of stacked columns: the largest keys by time, then the others together.
 * @param {Part} part @param {ReturnType<typeof queryOf>} query @param {Row[]} ranked
 * @param {Row[]} times @returns {Series[]} */
const stackOf = (part, query, ranked, times) => {
  const [column] = part.by ?? [], stack = part.stack ?? "", [name] = drawnOf(part)[0];
  const isWeekly = times.some((row) => !row.href);
  /** @param {Row[]} of @param {string} label @param {string} colour */
  const series = (of, label, colour) => {
    const keys = new Set(of.map((row) => /** @type {string} */ (row.values[stack])));
    const sums = new Map(group({ ...query, where: { ...query.where, [stack]: keys }, by: [column],
      bucketOf: isWeekly ? mondayOf : undefined }).map((each) => [each.keys[column], each.sums[name]]));
    return { label, colour, values: times.map((row) => sums.get(String(row.values[column])) ?? null) };
  };
  const others = ranked.slice(HUES);
  return [...ranked.slice(0, HUES).map((row, index) => series([row], row.label, `hue-${index + 1}`)),
    ...(others.length ? [series(others, figure("n", "plural:other", { n: others.length }), "others")] : [])];
};

/** @param {Part} part @param {Data} data @param {Row} row @param {Values} total
 * @returns {Cell[]} */
const cellsOf = (part, data, row, total) => (part.columns ?? []).map((column) => {
  const [name, unit] = parsed(column), value = row.values[name];
  if (TIME_COLUMNS.includes(name)) return { text: row.label, value: String(value), href: row.href };
  if (name !== "state" && isKey(name) && !/[/.]/.test(name) && ["text", "name"].includes(unit)) {
    return value === undefined || value === null ? { text: "", value: null, href: null }
      : { ...namedOf(name, row.values, data), value: typeof value === "number" ? String(value) : null };
  }
  const values = { ...row.values, total };
  return { text: figure(name, unit, values), value: plain(name, unit, values), href: null };
});
/** The total of a table, after a line that says what printed cents miss.
 * @param {Part} part @param {Row[]} rows @param {Values} sums @returns {Cell[][]} */
const footOf = (part, rows, sums) => {
  const cells = (part.columns ?? []).slice(1).map((column) => {
    const [name, unit] = parsed(column), isPart = isKey(name) || name.includes("total.");
    if (isPart && !name.includes("/") || name.includes("total.")) return { text: "", value: null, cents: 0n };
    const total = quantityOf(name, sums), isMoney = unit === "usd" && total !== null;
    const cents = isMoney ? rows.reduce((all, row) => all - centsOf(quantityOf(name, row.values)), centsOf(total)) : 0n;
    return { text: figure(name, unit, sums), value: plain(name, unit, sums), cents };
  });
  const line = (/** @type {string} */ text, /** @type {{ text: string, value: string | null }[]} */ each) =>
    [{ text, value: null }, ...each].map((cell) => ({ text: cell.text, value: cell.value, href: null }));
  const missing = cells.map(({ cents }) => ({ value: null,
    text: cents ? figure("cents", "usd", { cents: cents * 10n ** 8n }) : "" }));
  return [...(missing.some(({ text }) => text) ? [line("Rounding", missing)] : []), line("Total", cells)];
};
/** @param {bigint | null} amount */
const centsOf = (amount) => divided(amount ?? 0n, 10n ** 8n);

/** What templates may name: sums, the first rows, the days in words.
 * @param {Row[]} rows @param {Values} sums @param {Data} data @param {Choice} choice
 * @param {[string, string]} days @param {string[]} by @returns {Values} */
const contextOf = (rows, sums, data, choice, [from, to], by) => {
  const calendar = calendarOf(data), period = periodInWords(from, to);
  const states = daysOf(from, to).map((iso) => stateOf(calendar, iso));
  const notes = choice.isChosen ? [["p", "today so far"], ["i", "some days incomplete"],
    ["n", "some days not read"]].filter(([state]) => states.includes(state)).map(([, words]) => words) : [];
  /** @param {Row | undefined} row @returns {Values | null} */
  const named = (row) => (row ? { ...row.values, label: isolated(row.label),
    ...Object.fromEntries(by.filter((column) => column in row.values && !TIME_COLUMNS.includes(column))
      .map((column) => [column, isolated(namedOf(column, row.values, data).text)])) } : null);
  const whole = rows.filter((row) => "ci".includes(row.state ?? "n")
    && (row.href || daysBetween(row.from ?? "", row.to ?? "") === 6));
  return { ...sums, total: sums, period, timezone: data.site.timezone,
    span: notes.length ? `${period} (${notes.join(", ")})` : period, row_count: rows.length,
    first: named(rows[0]), second: named(rows[1]), last: named(whole.at(-1) ?? rows.at(-1)) };
};
/** @param {string} name */
const isolated = (name) => figure("name", "name", { name });
/** @param {Part} part @param {Row[]} rows @param {Values} context */
const titleOf = (part, rows, context) => {
  const [name] = drawnOf(part)[0] ?? [""], [first, base] = name.split("/");
  const isSmall = rows[0] && (!quantityOf(first, rows[0].values)
    || (base && Number(quantityOf(base, rows[0].values)) < SMALL_SAMPLE && marksOf(part)[0] === "interval"));
  const title = (isSmall && part.title_small) || (rows[1] && part.title_two) || part.title;
  return fill(title ?? part.label ?? "", context);
};

/** A part of a page for a choice.
 * @param {Part} part @param {Data} data @param {Choice} choice @returns {View} */
export const view = (part, data, choice) => {
  const days = daysFor(part, data, choice), [mark] = marksOf(part), by = part.by ?? [];
  const now = part.period ? undefined : data.now?.[part.key];
  const query = queryOf(part, data, choice, days);
  if (now) Object.assign(query, { relation: part.key, shards: new Map([["", { [part.key]: now }]]) });
  const isTime = TIME_COLUMNS.includes(by[0]) && !now, isStack = isTime && part.stack !== undefined;
  const keys = isStack ? [part.stack ?? ""] : by, isAsGiven = mark === "line" || mark === "cell";
  const times = isTime ? timeRows(part, data, query, days, isStack && daysBetween(...days) >= STACKED_DAYS) : [];
  const rows = isTime && !isStack ? times : ordered(part, keyRows(keys, data, now ? rowsOf(query)
    : group({ ...query, by: keys }).map((each) => ({ ...each.sums, ...each.keys }))));
  const sums = now ? summed(rows) : group(query)[0]?.sums ?? {};
  const context = contextOf(rows, sums, data, choice, days, keys);
  const isEmpty = !rows.some((row) => !part.draw || drawnOf(part).some(([name, unit]) => {
    const [first, base] = name.split("/").map((each) => quantityOf(each, row.values));
    return base ?? (mark === "line" ? first !== null : first);
  }));
  return {
    isEmpty, from: days[0], to: days[1],
    title: isEmpty ? part.label ?? "" : titleOf(part, rows, context),
    subtitle: fill((isEmpty && (part.empty ?? "Nothing in {span}.")) || (part.subtitle ?? ""), context),
    caption: fill(part.caption ?? `${part.label ?? ""}, {span}`, context),
    axis: mark === "cell" ? "cell" : isTime ? "time" : mark === "line" ? "number" : "key",
    rows: isTime ? times : isAsGiven ? rows : limited(part, rows),
    series: isStack && !isEmpty ? stackOf(part, query, rows, times) : [],
    table: mark === "cell" ? gridOf(part, rows) : {
      heads: (part.columns ?? []).map(parsed).map(([name, unit, text]) => ({ text,
        isText: isKey(name) && !name.includes("/") && ["text", "name", "day"].includes(unit) })),
      rows: isEmpty ? [] : (isTime && !isStack ? rows.toReversed() : rows)
        .map((row) => cellsOf(part, data, row, sums)),
      foot: part.total && !isEmpty ? footOf(part, rows, { ...sums, total: sums }) : [],
    },
  };
};
/** A table of cells: hours down, weekdays across.
 * @param {Part} part @param {Row[]} rows @returns {View["table"]} */
const gridOf = (part, rows) => {
  const [name, unit] = drawnOf(part)[0];
  const cells = new Map(rows.map(({ values }) => [`${values.weekday},${values.hour}`, values]));
  return { foot: [], heads: ["Hour", ...WEEKDAYS].map((text, index) => ({ text, isText: !index })),
    rows: Array.from({ length: 24 }, (_, hour) => [
      { text: `${String(hour).padStart(2, "0")}:00`, value: String(hour), href: null },
      ...WEEKDAYS.map((_day, index) => {
        const values = cells.get(`${index + 1},${hour}`);
        return values ? { text: figure(name, unit, values), value: plain(name, unit, values), href: null }
          : { text: "", value: null, href: null };
      })]) };
};

/** The period that a choice is compared with: of days of one month from its first on, the same days
 * of the month before (of a whole month, that whole month); else as many days before it.
 * @param {string} from @param {string} to @param {string} today @returns {[string, string]} */
export const daysBefore = (from, to, today) => {
  const month = to.slice(0, 7), before = monthShifted(month, -1);
  if (from !== `${month}-01` || (to !== lastDayOf(month) && to !== today)) {
    return [shifted(from, daysBetween(to, from) - 1), shifted(from, -1)];
  }
  const last = lastDayOf(before), day = `${before}-${to.slice(8)}`;
  return [`${before}-01`, to === lastDayOf(month) || day > last ? last : day];
};
/** @type {[string, string, string, string][]} Label, figure, unit, and kind of change. */
const SUMMARY = [["Cost", "cost_usd", "usd_headline", "usd_change"], ["Runs", "run_count", "count", "count"],
  ["Failure rate", "failed_count/finished_count", "rate", "points"],
  ["Failed cost", "failed_cost_usd", "range", ""],
  ["Cost per successful run", "run_cost_usd/succeeded_count", "each", ""],
  ["Tokens in", "tokens_in", "tokens", "count"], ["Tokens out", "tokens_out", "tokens", "count"],
  ["Billed", "billed_usd", "usd_headline", "usd_change"]];
/** The figures of a chosen period beside those of the period before, unknown unless every day of
 * that was read whole.
 * @param {Data} data @param {Choice} choice
 * @returns {{ period: string, previousPeriod: string,
 *   figures: { label: string, text: string, previous: string, change: string }[] }} */
export const summary = (data, choice) => {
  const calendar = calendarOf(data);
  /** @type {Part} */
  const part = { key: "", data: data.workspace ? "rpt_days" : "rpt_workspace_days" };
  const days = daysFor(part, data, { ...choice, isChosen: true });
  const before = daysBefore(...days, calendar.today);
  const isCovered = daysOf(...before).every((iso) => "c".includes(stateOf(calendar, iso)));
  /** @param {[string, string]} of @returns {Values} */
  const sumsOf = (of) => {
    const [all, bill] = [part, { ...part, data: "rpt_bill_days" }].map((each) =>
      group(queryOf(each, data, choice, of))[0]?.sums);
    return { ...all, billed_usd: bill?.billed_usd };
  };
  const now = sumsOf(days), then = isCovered ? sumsOf(before) : {};
  return { period: periodInWords(...days), previousPeriod: periodInWords(...before),
    figures: SUMMARY.filter(([, name]) => data.workspace || name !== "billed_usd")
      .map(([label, name, unit, kind]) => ({ label, text: figure(name, unit, now),
        previous: figure(name, unit, then), change: changeOf(name, kind, now, then) })) };
};
/** The months of data that a summary needs. @param {Data} data @param {Choice} choice */
export const monthsForSummary = (data, choice) => {
  const calendar = calendarOf(data), held = new Set(calendar.months);
  const days = daysFor({ key: "", data: "" }, data, { ...choice, isChosen: true });
  return monthsOf(daysBefore(...days, calendar.today)[0], days[1]).filter((month) => held.has(month));
};
/** @param {string} name @param {string} kind @param {Values} now @param {Values} then */
const changeOf = (name, kind, now, then) => {
  const [first, base] = name.split("/");
  const [a, b] = [now, then].map((each) => quantityOf(first, each));
  if (!kind || a === null || b === null) return "";
  if (kind === "usd_change") return figure("a/b", kind, { a, b });
  if (kind === "points") {
    const [n, m] = [now, then].map((each) => Number(quantityOf(base, each)));
    if (n < SMALL_SAMPLE || m < SMALL_SAMPLE) return "";
    const points = Math.round(1000 * (Number(a) / n - Number(b) / m)) / 10;
    return points ? `${points > 0 ? "+" : MINUS}${Math.abs(points).toFixed(1)} points` : "no change";
  }
  const share = b ? Math.round(100 * (Number(a) / Number(b) - 1)) : NaN;
  if (a === b) return "no change";
  if (!share) return share === 0 ? "under 1%" : "";
  return `${share > 0 ? "+" : MINUS}${figure("n", "count", { n: Math.abs(share) })}%`;
};
