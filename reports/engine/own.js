// Pages of one's own: the rows of a query that the choice leaves, as charts and tables show them.
import { namedOf } from "./cells.js";
import { added } from "./cube.js";
import {
  daysBetween, lastDayOf, monthInShort, monthInWords, monthsOf, periodInWords,
} from "./days.js";
import { UNKNOWN, figure } from "./format.js";
import { stateOf } from "./period.js";
import { othersName } from "./view.js";

/** @typedef {import("./format.js").Quantity} Quantity */
/** @typedef {import("./period.js").Data} Data */
/** @typedef {import("./period.js").Choice} Choice */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./view.js").Series} Series */
/** @typedef {import("./view.js").Cell} Cell */
/** @typedef {import("./view.js").View & { isMonthly: boolean, lines: [string, string][],
 *   table: { most: number } }} OwnView */
/** Texts by their place among the different ones, unless all differ; or values as they are, of
 * which decimals are texts.
 * @typedef {{ keys: (string | null)[], codes?: number[] } | (string | number | null)[]} Column */
/** `of` names the kind of thing that a name is of, `id` the column with its identifier.
 * @typedef {{ key: string, label: string, unit: string, of?: string, id?: string }} TableColumn */
/** @typedef {{ part: string, base?: string, label: string, unit: string }} Shown */
/** A query of a page, its rows by column.
 * @typedef {{ key: string, label: string, size: number, rows: { [key: string]: Column },
 *   columns: TableColumn[], subtitle?: string, mark?: string, axis?: "day" | "month" | "number"
 *   | "name", x?: string, by?: string, isStacked?: boolean, ids?: { [key: string]: string },
 *   values?: Shown[], lines?: [string, string][], draw?: any[],
 *   isMonthly: boolean, follow: { time?: string, agent?: string, workspace?: string } }} Own */

const MOST_DAYS = 10_000; // of an axis of months
const OWN_HUES = 5, MOST_PLACES = 30, MOST_ROWS = 2000, TEN_PLACES = 10, LARGEST_FIXED = 1e21;
const DAY = /^\d{4}-\d\d-\d\d$/;
const WHOLE = "(all)", WITHOUT = "(none)";
const NUMBERS = new Set(["usd", "count", "tokens", "number", "share", "seconds", "milliseconds"]);

/** @param {Own} part @param {string} key @param {number} row */
const at = (part, key, row) => {
  const column = part.rows[key];
  return Array.isArray(column) ? column[row] : column.keys[column.codes?.[row] ?? row];
};
/** @param {Own} part */
const placesOf = ({ size }) => Array.from({ length: size }, (_, row) => row);

/** A decimal as a whole number of 10^-10; more digits than ten are rounded half to even.
 * @param {string} text */
const scaled = (text) => {
  const [whole, part = ""] = text.split(".");
  const kept = BigInt(whole + part.padEnd(TEN_PLACES, "0").slice(0, TEN_PLACES));
  const rest = part.slice(TEN_PLACES), sign = text[0] === "-" ? -1n : 1n;
  const half = rest.padEnd(1, "0").localeCompare(`5${"0".repeat(Math.max(rest.length - 1, 0))}`);
  return half > 0 || (half === 0 && kept % 2n) ? kept + sign : kept;
};
/** A value to add up: money and decimals in 10^-10, whole numbers and floats as they are.
 * @param {string | number | null} value @param {string} unit @returns {Quantity | null} */
const quantity = (value, unit) => {
  if (value === null) return null;
  if (unit === "usd" && typeof value === "number") {
    return Math.abs(value) < LARGEST_FIXED ? scaled(value.toFixed(TEN_PLACES))
      : BigInt(value) * 10n ** BigInt(TEN_PLACES);
  }
  if (unit === "usd") return scaled(String(value));
  if (typeof value === "number") return value;
  return value.includes(".") ? Number(value) : BigInt(value);
};

/** Digits with a comma in each thousand, without zeros at their end.
 * @param {string | number} value */
const numberText = (value) => {
  const text = typeof value === "number" ? String(Number(value.toPrecision(12))) : value;
  if (!/^-?\d+(\.\d+)?$/.test(text)) return text;
  const [whole, part = ""] = text.replace("-", "\u2212").split(".");
  const digits = part.replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (digits && `.${digits}`);
};
/** @param {number} share */
const shareText = (share) => {
  const tenths = Math.abs(share) < 0.001 && share ? "<0.1" : Math.abs(100 * share).toFixed(1);
  return `${share < 0 ? "\u2212" : ""}${tenths}%`;
};
/** A value in words. @param {string | number | null} value @param {string} unit */
const written = (value, unit) => {
  if (value === null) return NUMBERS.has(unit) ? UNKNOWN : "";
  if (unit === "share") return shareText(Number(value));
  if (unit === "number") return numberText(value);
  if (NUMBERS.has(unit)) return figure("v", unit, { v: quantity(value, unit) });
  const isDay = DAY.test(String(value));
  if (unit === "instant") {
    return Number.isNaN(Date.parse(String(value))) ? String(value)
      : figure("v", "instant", { v: String(value) });
  }
  return isDay && (unit === "day" || unit === "month")
    ? figure("v", unit, { v: String(value) }) : String(value);
};

/** The workspaces and agents chosen that the rows of a query follow; null if they follow none.
 * @param {Own} part @param {Data["site"]} site @param {Choice["members"]} members */
const followedOf = ({ follow: { agent, workspace } }, site, members) => {
  const chosen = [...members ?? []].map((each) => each.split("\n"));
  const wholes = new Set(chosen.filter(([, id]) => id === WHOLE).map(([id]) => id));
  const agents = new Set([...chosen.filter(([, id]) => id !== WHOLE),
    ...(workspace ? [] : site.workspaces.filter(({ id }) => wholes.has(id))
      .flatMap((whole) => whole.agents.map(({ id }) => [whole.id, id])))]
    .map(([whole, id]) => (workspace ? `${whole}\n${id}` : id)));
  return (workspace && wholes.size) || (agent && agents.size) ? { wholes, agents } : null;
};
/** The rows that a choice leaves. @param {Own} part @param {Data} data @param {Choice} choice */
const chosenRows = (part, { site }, { from, to, members }) => {
  const { time, agent, workspace } = part.follow;
  const length = part.isMonthly ? 7 : 10;
  const [first, last] = [from, to].map((each) => (each ?? "").slice(0, length));
  /** @param {number} row */
  const isInTime = (row) => {
    const day = String(at(part, time ?? "", row) ?? "").slice(0, length);
    return day >= first && day <= last;
  };
  const { wholes, agents } = followedOf(part, site, members) ?? {};
  /** @param {number} row */
  const isOfMembers = (row) => {
    const whole = workspace && String(at(part, workspace, row));
    if (whole && wholes?.has(whole)) return true;
    const id = agent && at(part, agent, row);
    return agents?.has(workspace ? `${whole}\n${id}` : String(id));
  };
  return placesOf(part).filter((row) => (!from || !time || isInTime(row))
    && (!agents || isOfMembers(row)));
};
/** The days of the rows, in words, and whether the choice is followed.
 * @param {Own} part @param {Data} data @param {number[]} rows @param {Choice} choice */
const remarksOf = (part, { site }, rows, { from, members }) => {
  const { time } = part.follow;
  const days = time ? rows.map((row) => at(part, time, row)).filter(Boolean).map(String)
    .filter((day) => DAY.test(day)).toSorted() : [];
  const [first, last] = [days[0], days.at(-1)];
  const span = !last ? [] : !part.isMonthly ? [periodInWords(first, last)]
    : [[...new Set([first, last].map(monthInWords))].join("\u2013")];
  return [...span.map((each) => `${each}.`),
    ...(from && !time ? ["It does not follow the chosen period."] : []),
    ...(from && part.isMonthly ? ["Months are whole."] : []),
    ...(members && !followedOf(part, site, members)
      ? ["It does not follow the agents chosen."] : [])];
};

/** The agents and workspaces that rows of the page are of, to choose from.
 * @param {Own[]} parts @param {Data["site"]} site
 * @returns {{ id: string, name: string, entity?: string, owner?: string, isWhole?: boolean }[]} */
export const ownMembers = (parts, site) => {
  const found = new Set(parts.flatMap((part) => {
    const { agent, workspace } = part.follow;
    return placesOf(part).flatMap((row) => {
      const whole = workspace ? at(part, workspace, row) : WHOLE;
      return [...(workspace ? [`${whole}\n${WHOLE}`] : []),
        ...(agent ? [`${whole}\n${at(part, agent, row)}`] : [])];
    });
  }));
  const isOne = site.workspaces.length < 2;
  return site.workspaces.flatMap((whole) => [
    ...(found.has(`${whole.id}\n${WHOLE}`) && !isOne
      ? [{ id: `${whole.id}\n${WHOLE}`, name: whole.name, entity: whole.entity, isWhole: true }]
      : []),
    ...whole.agents.filter(({ id, entity }) => entity
        && (found.has(`${whole.id}\n${id}`) || found.has(`${WHOLE}\n${id}`)))
      .map(({ id, name, entity, owner }) => ({ id: `${whole.id}\n${id}`, entity, owner,
        name: isOne ? name : `${name} \u00b7 ${whole.name}` }))]);
};

/** A name with its page: of an agent or a workspace by its identifier, else the text itself.
 * @param {Own} part @param {number} row @param {string} key @param {string | undefined} of
 * @param {Data} data @param {string} [id] */
const nameAt = (part, row, key, of, data, id = key) => {
  const value = at(part, key, row);
  if (!of) return { text: value === null ? "" : String(value), href: null };
  const { workspace } = part.follow, identifier = at(part, id, row);
  if (identifier === null) return { text: value === null ? "" : String(value), href: null };
  const named = namedOf(of, { [of]: identifier, ...(workspace
    && { workspace_id: at(part, workspace, row) }) }, data);
  return id === key ? named : { ...named, text: value === null ? named.text : String(value) };
};

/** @param {Own} part @param {Data} data @param {number} row @returns {Cell[]} */
const cellsAt = (part, data, row) => part.columns.map(({ key, unit, of, id }) => {
  const value = at(part, key, row);
  if (of) return { ...nameAt(part, row, key, of, data, id), value: null };
  const isNumber = NUMBERS.has(unit);
  return { text: written(value, unit), href: null,
    value: value === null ? (isNumber ? "" : null) : isNumber || /^(day|month)$/.test(unit)
      ? String(value) : null };
});

/** @param {Quantity | null | undefined} sum @param {Quantity | null} value */
const plus = (sum, value) => {
  const isFloat = [sum, value].some((each) => typeof each === "number" && each % 1);
  return isFloat ? Number(sum ?? 0) + Number(value ?? 0) : added([sum, value]);
};
/** Rows of one place on the x axis, and of one series, are added up; for a quotient, those of which
 * both parts are known. @param {Own} part @param {Data} data @param {number[]} rows
 * @returns {{ places: Row[], sums: Map<string, Quantity | null>[][],
 *   names: Map<string, string>, leftOut: Set<number> }} */
const summedUp = (part, data, rows) => {
  const { x = "", by = "", values = [], ids = {} } = part;
  /** @type {Map<string, Row>} */
  const places = new Map();
  /** @type {Map<string, string>} */
  const names = new Map();
  const sums = values.map(({ base }) => (base ? [new Map(), new Map()] : [new Map()]));
  /** @type {Set<number>} */
  const leftOut = new Set();
  for (const row of rows) {
    const value = String(at(part, x, row) ?? WITHOUT);
    const place = part.axis === "month" && DAY.test(value) ? `${value.slice(0, 7)}-01` : value;
    if (!places.has(place)) {
      const { text, href } = nameAt(part, row, x, ids[x], data);
      places.set(place, { label: text || "(none)", href, from: place, to: place, values: {} });
    }
    const series = by ? String(at(part, by, row) ?? WITHOUT) : "";
    if (by && !names.has(series)) names.set(series, nameAt(part, row, by, ids[by], data).text);
    const name = `${place}\n${series}`;
    values.forEach(({ part: key, base, unit }, index) => {
      const found = (base ? [key, base] : [key]).map((column, number) =>
        quantity(at(part, column, row), number ? "" : unit));
      if (base && found.includes(null)) leftOut.add(row);
      else sums[index].forEach((sum, number) => sum.set(name, plus(sum.get(name), found[number])));
    });
  }
  return { places: [...places.values()], sums, names, leftOut };
};
/** The value of a place: a sum, or the quotient of two.
 * @param {Quantity | null | undefined} sum @param {Quantity | null | undefined} divisor
 * @param {Shown} shown @returns {Quantity | null} */
const plotted = (sum, divisor, { unit, base }) => {
  if (sum === null || sum === undefined || !base) return sum ?? null;
  if (!divisor) return null;
  const value = Number(sum) / Number(divisor);
  return unit === "usd" ? BigInt(Math.round(value)) : value;
};
/** @param {Quantity | null} value @param {string} unit @param {boolean} isQuotient */
const valueText = (value, unit, isQuotient) => {
  if (value === null) return UNKNOWN;
  if (unit === "share") return shareText(Number(value));
  if (unit === "number") return numberText(typeof value === "bigint" ? String(value) : value);
  return figure("v", unit === "usd" && isQuotient ? "usd_per_run" : unit, { v: value });
};

/** The places in their order: by time or number, else as the rows come.
 * @param {Own} part @param {Row[]} places */
const inOrder = ({ axis }, places) => {
  if (axis === "name") return places;
  const known = places.filter((row) => row.from !== WITHOUT);
  if (axis === "number") return known.toSorted((a, b) => Number(a.from) - Number(b.from));
  const days = new Map(known.filter((row) => DAY.test(row.from ?? ""))
    .map((row) => [row.from ?? "", row]));
  const all = [...days.keys()].toSorted(), [first, last] = [all[0], all.at(-1)];
  if (axis === "month" && last && daysBetween(first, last) < MOST_DAYS) {
    for (const month of monthsOf(first, last)) { // those without rows have a place, too
      const day = `${month}-01`;
      if (!days.has(day)) days.set(day, { label: "", href: null, from: day, to: day, values: {} });
    }
  }
  return [...days.values()].toSorted((a, b) => (String(a.from) < String(b.from) ? -1 : 1));
};
/** @param {Own} part @param {Data} data @param {Row} row @returns {Row} */
const timed = ({ axis }, { site }, row) => {
  const day = row.from ?? "", { today } = site;
  const state = axis === "month" ? (day.slice(0, 7) === today.slice(0, 7) ? "p" : "c")
    : "pi".includes(stateOf(site, day)) ? stateOf(site, day) : "c";
  return { ...row, state, label: axis === "month" ? monthInShort(day) : day,
    ...(axis === "month" && { to: lastDayOf(day.slice(0, 7)) }) };
};
/** A series of a chart: the values of each place, and their texts.
 * @param {string} label @param {string} colour @param {(Quantity | null)[]} values
 * @param {Shown} shown @returns {Series} */
const seriesOf = (label, colour, values, { unit, base }) => ({ label, colour, values,
  texts: values.map((value) => valueText(value, unit, Boolean(base))) });
/** A series for each value of `by`: the largest, then all others if they can be added up.
 * @param {Shown} shown @param {Map<string, string>} names
 * @param {(name: string) => (Quantity | null)[]} over @returns {Series[]} */
const seriesBy = (shown, names, over) => {
  /** @param {(Quantity | null)[]} values */
  const size = (values) => values.reduce((/** @type {number} */ sum, value) =>
    sum + Math.abs(Number(value ?? 0)), 0);
  const ranked = [...names].map(([key, label]) => ({ label: label || WITHOUT, values: over(key) }))
    .toSorted((a, b) => size(b.values) - size(a.values));
  const others = ranked.slice(OWN_HUES);
  const rest = (others[0]?.values ?? []).map((_, index) => others.reduce(
    (/** @type {Quantity | null} */ sum, { values }) => plus(sum, values[index]), null));
  return [...ranked.slice(0, OWN_HUES).map(({ label, values }, index) =>
    seriesOf(label, `hue-${index + 1}`, values, shown)),
  ...(others.length && !shown.base
    ? [seriesOf(othersName(others), "others", rest, shown)] : [])];
};
/** The chart of the rows: its places, and its series.
 * @param {Own} part @param {Data} data @param {number[]} chosen */
const chartOf = (part, data, chosen) => {
  const { values = [], by = "" } = part, isTime = /day|month/.test(part.axis ?? "");
  const { places, sums, names, leftOut } = summedUp(part, data, chosen);
  const all = inOrder(part, places);
  const kept = part.axis === "name" ? all.slice(0, MOST_PLACES) : all;
  const rows = kept.map((row) => (isTime ? timed(part, data, row) : row));
  /** @param {number} number @param {string} name */
  const over = (number, name) => rows.map(({ from }) => {
    const [sum, base] = sums[number].map((each) => each.get(`${from}\n${name}`));
    return plotted(sum, base, values[number]);
  });
  const [first] = values, isShare = first.base && first.unit === "share";
  const colours = values.length === 1 ? [isShare ? "failure" : "cost"]
    : values.map((_, index) => `hue-${index % OWN_HUES + 1}`);
  const series = by ? seriesBy(first, names, (name) => over(0, name))
    : values.map((shown, index) => seriesOf(shown.label, colours[index], over(index, ""), shown));
  for (const row of rows) {
    const [sum, base] = sums[0].map((each) => each.get(`${row.from}\n`));
    Object.assign(row.values, { sum: sum ?? null, base: base ?? null });
  }
  return { rows, series, isEmpty: !series.some((each) => each.values.some((one) => one !== null)),
    remarks: [
      ...(leftOut.size
        ? [`Without ${figure("n", "plural:row", { n: leftOut.size })} of an unknown part.`] : []),
      ...(kept.length < all.length
        ? [`The first ${kept.length} of ${numberText(all.length)}.`] : []),
      ...(by && names.size > OWN_HUES && first.base
        ? [`${OWN_HUES} of ${names.size} are drawn.`] : [])] };
};

/** A query of a page for a choice.
 * @param {Own} part @param {Data} data @param {Choice} choice @returns {OwnView} */
export const ownView = (part, data, choice) => {
  const chosen = chosenRows(part, data, choice);
  const chart = part.mark ? chartOf(part, data, chosen)
    : { rows: [], series: [], remarks: [], isEmpty: !chosen.length };
  const remarks = [...remarksOf(part, data, chosen, choice), ...chart.remarks];
  const isEmpty = !chosen.length, isDrawn = !chart.isEmpty;
  if (!isDrawn) remarks.unshift(isEmpty ? "Nothing to show." : "No value is known.");
  const shown = part.axis === "day" || part.axis === "month" ? "time"
    : part.axis === "number" ? "number" : /bar|interval/.test(part.mark ?? "") ? "key" : "name";
  return { isEmpty, isDrawn, title: part.label,
    caption: `${part.label}, ${figure("n", "plural:row", { n: chosen.length })}`,
    subtitle: [part.subtitle ?? "", ...remarks].filter(Boolean).join(" "),
    rows: chart.rows, series: chart.series, axis: shown, isMonthly: part.axis === "month",
    from: chart.rows[0]?.from ?? "", to: chart.rows.at(-1)?.to ?? "", lines: part.lines ?? [],
    table: {
      heads: part.columns.map(({ label, unit, of }) => ({ text: label,
        kind: of ? "name" : NUMBERS.has(unit) ? "" : unit === "text" ? "name" : "text" })),
      rows: chosen.map((row) => cellsAt(part, data, row)), foot: [], most: MOST_ROWS } };
};
/** The cut-off of the data, which a page that says the same as before does not hold itself.
 * @param {Data["site"] & { as_of: string }} site */
export const asOfText = (site) => `Data to ${figure("v", "instant", { v: site.as_of })}.`;
