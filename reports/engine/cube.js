// Cubes: rows of a relation, by month, of which every measure is additive. They are selected by
// days, members and keys, and added up exactly.
import { daysOf, lastDayOf } from "./days.js";

/** @typedef {import("./format.js").Quantity} Quantity */
/** Numbers with NaN for null; those that a Number cannot hold stand in `large`, by row.
 * @typedef {{ numbers: Float64Array, large: Map<number, bigint> }} Measure */
/** @typedef {{ keys: string[], codes: ArrayLike<number> }} Texts */
/** @typedef {{ size: number, columns: { [name: string]: Measure | Texts } }} Table */
/** @typedef {{ [relation: string]: Table }} Document */
/** @typedef {string | number} Key */
/** @typedef {{ [column: string]: Key }} Keys */
/** @typedef {{ [measure: string]: Quantity | null }} Sums */
/** `from` and `to` are ISO days, both included; `where` holds the keys that a column may have;
 * `measures` are those to add up, else all; `bucketOf` maps a day to the first day of its group.
 * @typedef {{ relation: string, shards: Map<string, Document>, from: string, to: string,
 *   where?: { [column: string]: ReadonlySet<Key> }, by?: readonly string[],
 *   measures?: string[], bucketOf?: ((iso: string) => string) | undefined }} Query */

export const TIME_COLUMNS = ["date", "utc_date", "week"];
const LIMIT = 2 ** 52;

/** @param {Measure | Texts} column @returns {column is Texts} */
const isText = (column) => "codes" in column;

/** @typedef {{ [relation: string]: string[] }} Layout */
/** A table for each relation of a data file, whose columns stand in the order of the layout. The
 * first one is the day, as the days since that of the row before; another may be told by the rows
 * in which it differs from the column before.
 * @param {{ [relation: string]: any[] }} document @param {Layout} layout @returns {Document} */
export const decode = (document, layout) => Object.fromEntries(
  Object.entries(document).map(([relation, [steps, ...others]]) => {
    let day = 0;
    const columns = [steps.map((/** @type {number} */ step) => day += step)];
    for (const each of others) {
      columns.push(each.but ? Object.assign([...columns[columns.length - 1]], each.but) : each);
    }
    return [relation, decodeTable(
      Object.fromEntries(layout[relation].map((name, place) => [name, columns[place]])))];
  }));
/** A table of columns by name: money that came as text becomes a BigInt, and texts that all differ
 * are their own codes.
 * @param {{ [column: string]: any }} columns @returns {Table} */
export const decodeTable = (columns) => {
  const decoded = Object.fromEntries(Object.entries(columns).map(([name, values]) =>
      [name, Array.isArray(values) ? measureOf(values)
        : { codes: [...values.keys.keys()], ...values }]));
  const [first] = Object.values(decoded);
  return { size: first ? (isText(first) ? first.codes : first.numbers).length : 0,
    columns: decoded };
};
/** @param {(number | string | boolean | null)[]} values @returns {Measure | Texts} */
const measureOf = (values) => {
  /** @type {Map<number, bigint>} */
  const large = new Map();
  const numbers = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (typeof value === "string") {
      if (!/^-?\d+$/.test(value)) return codesOf(/** @type {string[]} */ (values));
      large.set(row, BigInt(value));
    }
    numbers[row] = value === null || typeof value === "string" ? NaN : Number(value);
  }
  return { numbers, large };
};
/** @template {Key} T @param {ArrayLike<T>} values @returns {{ keys: T[], codes: number[] }} */
const codesOf = (values) => {
  const ids = new Map(), codes = Array.from(values, (value) => placed(ids, value));
  return { keys: [...ids.keys()], codes };
};
/** A column as codes of its keys; those of days are given.
 * @param {Measure | Texts} column @param {string[]} [days]
 * @returns {{ keys: Key[], codes: ArrayLike<number> }} */
const codedOf = (column, days) => {
  if (isText(column)) return column;
  return days ? { keys: days, codes: column.numbers } : codesOf(column.numbers);
};

/** The value of one row: a text, a number, a BigInt, or null.
 * @param {Measure | Texts} column @param {number} row */
const valueAt = (column, row) => {
  if (isText(column)) return column.keys[column.codes[row]] ?? null;
  const value = column.numbers[row];
  return Number.isNaN(value) ? column.large.get(row) ?? null : value;
};

/** The tables of a query; a row is `of` group 0 where it is selected, else of -1.
 * @param {Query} query
 * @returns {{ month: string, table: Table, time: string | undefined, of: Int32Array }[]} */
const selected = ({ relation, shards, from, to, where = {} }) =>
  [...shards].toSorted().flatMap(([month, { [relation]: table }]) => {
    if (!table) return [];
    const of = new Int32Array(table.size);
    const time = TIME_COLUMNS.find((name) => name in table.columns && !isText(table.columns[name]));
    if (time) {
      if (from > lastDayOf(month) || to < `${month}-01`) return [];
      const days = /** @type {Measure} */ (table.columns[time]).numbers;
      const first = from > `${month}-01` ? Number(from.slice(8)) : 1;
      const last = to < lastDayOf(month) ? Number(to.slice(8)) : 31;
      for (let row = 0; row < table.size; row++) {
        if (days[row] < first || days[row] > last) of[row] = -1;
      }
    }
    for (const [name, allowed] of Object.entries(where)) {
      const column = table.columns[name];
      if (!column) continue;
      const { keys, codes } = codedOf(column), isAllowed = keys.map((key) => allowed.has(key));
      for (let row = 0; row < table.size; row++) if (!isAllowed[codes[row]]) of[row] = -1;
    }
    return [{ month, table, time, of }];
  });
/** @param {string} month @param {number} day */
const isoOf = (month, day) => `${month}-${String(day).padStart(2, "0")}`;

/** The rows of a query as they are, with ISO days. @param {Query} query
 * @returns {{ [column: string]: any }[]} */
export const rowsOf = (query) => selected(query).flatMap(({ month, table, time, of }) => {
  const found = [];
  for (let row = 0; row < table.size; row++) {
    if (of[row] < 0) continue;
    found.push(Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name,
      name === time ? isoOf(month, Number(valueAt(column, row))) : valueAt(column, row)])));
  }
  return found;
});

const TOKENS = ["tokens_in", "tokens_out"];
/** Runs of unknown outcome may have failed more or less often than the others: with one, neither a
 * rate is known nor the cost of a success, which is unknown with a run of unknown cost, too. Tokens
 * are those in and out together.
 * @param {Sums} sums @returns {Sums} */
export const knownOf = (sums) => {
  if ("tokens_in" in sums) sums.tokens = added(TOKENS.map((name) => sums[name]));
  if (sums.unknown_cost_count || sums.unknown_outcome_count) sums.judged_cost_usd = null;
  if (sums.unknown_outcome_count) sums.finished_count = null;
  return sums;
};

/** The sums of the rows of each combination of keys; of no `by`, those of all, if there are any.
 * @param {Query} query @returns {{ keys: Keys, sums: Sums }[]} */
export const group = (query) => {
  const { by = [], bucketOf = (/** @type {string} */ iso) => iso } = query;
  const parts = selected(query);
  let count = parts.some(({ of }) => of.includes(0)) ? 1 : 0;
  /** @type {{ name: string, keys: Key[], pairs: number[] }[]} */
  const splits = [];
  const known = by.filter((name) => parts.every(({ table }) => table.columns[name]));
  for (const name of known.toReversed()) { // each splits the groups of the one before
    /** @type {Map<Key, number>} */
    const ids = new Map();
    const coded = parts.map(({ month, table, time }) => {
      const { keys, codes } = codedOf(table.columns[name], name === time
        ? ["", ...daysOf(`${month}-01`, lastDayOf(month)).map(bucketOf)] : undefined);
      return { codes, places: keys.map((key) => placed(ids, key)) };
    });
    /** @type {Map<number, number>} */
    const found = new Map();
    parts.forEach(({ of }, part) => {
      const { codes, places } = coded[part];
      for (let row = 0; row < of.length; row++) {
        if (of[row] >= 0) of[row] = placed(found, of[row] * ids.size + places[codes[row]]);
      }
    });
    splits.unshift({ name, keys: [...ids.keys()], pairs: [...found.keys()] });
    count = found.size;
  }
  const wanted = query.measures?.flatMap((name) => (name === "tokens" ? TOKENS : [name]));
  const names = new Set(wanted ?? parts.flatMap(({ table: { columns }, time }) =>
    Object.keys(columns).filter((name) =>
      !isText(columns[name]) && name !== time && !by.includes(name))));
  const sums = [...names].map((name) => /** @type {const} */ ([name, sumsOf(count,
    parts.flatMap(({ table, of }) => (table.columns[name]
        ? [{ measure: /** @type {Measure} */ (table.columns[name]), of }] : [])))]));
  return Array.from({ length: count }, (_, index) => {
    /** @type {Keys} */
    const keys = {};
    let at = index;
    for (const { name, keys: all, pairs } of splits) {
      keys[name] = all[pairs[at] % all.length];
      at = Math.floor(pairs[at] / all.length);
    }
    /** @type {Sums} */
    const found = {};
    for (const [name, values] of sums) found[name] = values[index];
    return { keys, sums: knownOf(found) };
  });
};
/** The place of a key among those before it. @template T @param {Map<T, number>} ids
 * @param {T} key */
const placed = (ids, key) => {
  let place = ids.get(key);
  if (place === undefined) ids.set(key, place = ids.size);
  return place;
};
/** Exact sums by group: Numbers as long as they hold them, spilled into a BigInt before.
 * @param {number} count @param {{ measure: Measure, of: Int32Array }[]} parts
 * @returns {(Quantity | null)[]} */
const sumsOf = (count, parts) => {
  const sums = new Float64Array(count), isKnown = new Uint8Array(count);
  /** @type {Map<number, bigint>} */
  const spilled = new Map();
  /** @param {number} index @param {bigint} value */
  const spill = (index, value) => spilled.set(index, (spilled.get(index) ?? 0n) + value);
  for (const { measure: { numbers, large }, of } of parts) {
    for (let row = 0; row < of.length; row++) {
      const index = of[row], value = numbers[row];
      if (index < 0 || value !== value) continue; // NaN is unlike itself
      const sum = sums[index] + value;
      isKnown[index] = 1;
      if (sum < LIMIT && sum > -LIMIT) sums[index] = sum;
      else {
        spill(index, BigInt(sums[index]));
        sums[index] = value;
      }
    }
    for (const [row, value] of large) {
      if (of[row] < 0) continue;
      isKnown[of[row]] = 1;
      spill(of[row], value);
    }
  }
  return Array.from(sums, (sum, index) => {
    const rest = spilled.get(index);
    return isKnown[index] ? (rest === undefined ? sum : rest + BigInt(sum)) : null;
  });
};
/** The sum of quantities, null where none is known. @param {(Quantity | null | undefined)[]} values
 * @returns {Quantity | null} */
export const added = (values) => {
  const known = values.filter((each) => each !== null && each !== undefined);
  if (!known.length) return null;
  const sum = known.reduce((/** @type {number} */ all, each) => all + Number(each), 0);
  const isExact = known.every((each) => typeof each === "number") && Math.abs(sum) < LIMIT;
  return isExact ? sum : known.reduce((/** @type {bigint} */ all, each) => all + BigInt(each), 0n);
};
