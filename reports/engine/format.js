// Figures as text, as analytics/format/numbers.py and text.py write them: both are held to
// tests/engine/format.cases.json. Money is a whole number of ten-billionths of a dollar, as a
// Number below 2^52 or a BigInt: sums are exact, and rounded once, half to even.
import { dayInShort, dayInWords, instantInWords, monthInShort, monthInWords } from "./days.js";

/** @typedef {number | bigint} Quantity */
/** @typedef {Quantity | string | null | undefined | { [name: string]: Value }} Value */
/** @typedef {{ [name: string]: Value }} Values */

export const UNKNOWN = "\u2013";
export const SMALL_SAMPLE = 20;
export const MINUS = "\u2212";
const NO_BREAK = "\u00a0", WORD_JOINER = "\u2060";
const CENT = 10n ** 8n, MILL_TENTH = 10n ** 6n, DOLLAR = 10n ** 10n;
/** @type {[bigint, string][]} */
const TOKEN_UNITS = [[10n ** 9n, "bn"], [10n ** 6n, "M"], [10n ** 3n, "k"]];

/** At most so many characters, none of them halved. @param {string} text @param {number} room */
export const shortened = (text, room) => {
  const characters = [...text];
  return characters.length > room ? `${characters.slice(0, room - 1).join("").trimEnd()}…` : text;
};
/** @param {bigint} value */
const absolute = (value) => (value < 0n ? -value : value);
/** @param {string} digits */
const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
/** @param {bigint} value @param {bigint} step The nearest whole of the quotient, half to even. */
const divided = (value, step) => {
  const size = absolute(value), double = 2n * (size % step);
  let quotient = size / step;
  if (double > step || (double === step && quotient % 2n)) quotient += 1n;
  return value < 0n ? -quotient : quotient;
};
/** @param {bigint} value A whole number of 10^-places. @param {number} places */
const decimal = (value, places) => {
  const digits = absolute(value).toString().padStart(places + 1, "0"), cut = digits.length - places;
  return grouped(digits.slice(0, cut)) + (places ? `.${digits.slice(cut)}` : "");
};
/** @param {bigint} amount @param {bigint} step @param {bigint} share Divides the amount first. */
const dollars = (amount, step, share = 1n) => {
  const places = 11 - step.toString().length, rounded = divided(amount, step * share);
  if (!rounded && amount) return `${amount > 0n ? "" : MINUS}<$${decimal(1n, places)}`;
  return `${rounded < 0n ? MINUS : ""}$${decimal(rounded, places)}`;
};
/** @param {bigint} amount */
const usd = (amount) => dollars(amount, CENT);
/** @param {bigint} amount */
const usdHeadline = (amount) => (absolute(amount) < 10n ** 16n
    ? usd(amount) : `${dollars(amount, CENT, 10n ** 6n)}${NO_BREAK}M`);
/** @param {bigint} amount */
const usdSigned = (amount) => (amount && !divided(amount, CENT) ? "under a cent"
  : (amount > 0n ? "+" : "") + usd(amount));
/** The change of an amount in percent; of a base below a dollar in dollars.
 * @param {bigint} now @param {bigint} before */
const change = (now, before) => {
  const difference = now - before;
  if (!difference) return "no change";
  if (before < DOLLAR) return usdSigned(difference);
  const percents = divided(100n * difference, before);
  return percents ? `${difference > 0n ? "+" : MINUS}${decimal(percents, 0)}%` : "under 1%";
};
/** @param {bigint} value A whole number of 10^-10, without zeros at the end. */
const trimmed = (value) => (value < 0n ? MINUS : "") + decimal(value, 10).replace(/\.?0+$/, "");
/** @param {bigint} value */
const count = (value) => (value < 0n ? MINUS : "") + decimal(value, 0);
/** @param {bigint} value @param {string} noun */
const plural = (value, noun) => `${count(value)} ${noun}${value === 1n ? "" : "s"}`;
/** @param {bigint} value @returns {string} */
const tokens = (value) => {
  if (value < 0n) return MINUS + tokens(-value);
  let below = "";
  for (const [size, unit] of TOKEN_UNITS) {
    if (value >= size) {
      let scaled = divided(value * 10n, size), places = 1;
      if (scaled >= 1000n) [scaled, places] = [divided(value, size), 0];
      if (scaled === 1000n && !places && below) return `1.0${NO_BREAK}${below}`;
      return `${decimal(scaled, places)}${NO_BREAK}${unit}`;
    }
    below = unit;
  }
  return value.toString();
};
/** @param {bigint} part @param {bigint} whole */
const percent = (part, whole) => {
  if (part > 0n && 1000n * part < whole) return "<0.1%";
  if (part < whole && 1000n * part > 999n * whole) return ">99.9%";
  const tenths = divided(1000n * part, whole);
  return `${tenths < 0n ? MINUS : ""}${decimal(tenths, 1)}%`;
};
/** @param {bigint} failed @param {bigint} finished */
const rate = (failed, finished) => {
  const counts = `${count(failed)} of ${count(finished)}`;
  return finished < SMALL_SAMPLE ? counts : `${percent(failed, finished)} (${counts})`;
};
/** @param {Quantity} failed @param {Quantity} finished
 * @returns {[number, number]} The 95 % Wilson interval of a rate, as two fractions. */
export const wilson = (failed, finished) => {
  const [f, n, z] = [Number(failed), Number(finished), 1.959963984540054];
  const share = f / n, scale = 1 + (z * z) / n, centre = (share + (z * z) / (2 * n)) / scale;
  const half = (z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))) / scale;
  return [f === 0 ? 0 : centre - half, f === n ? 1 : centre + half];
};
/** @param {bigint} failed @param {bigint} finished */
const interval = (failed, finished) =>
  `[${wilson(failed, finished).map((each) => (100 * each).toFixed(1)).join("\u2013")}]`;
/** @param {number} value The nearest whole, half to even. */
const whole = (value) => {
  const floor = Math.floor(value), rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2) ? floor + 1 : floor;
};
/** @param {number} seconds @returns {string} */
export const duration = (seconds) => {
  if (seconds < 0) return MINUS + duration(-seconds);
  if (whole(seconds * 1000) < 1000) return `${whole(seconds * 1000)}${NO_BREAK}ms`;
  if (whole(seconds * 10) < 600) return `${(whole(seconds * 10) / 10).toFixed(1)}${NO_BREAK}s`;
  /** @param {number} value */
  const two = (value) => String(value).padStart(2, "0");
  const all = whole(seconds), minutes = whole(seconds / 60);
  if (all < 3600) return `${Math.floor(all / 60)}${NO_BREAK}min ${two(all % 60)}${NO_BREAK}s`;
  if (minutes < 2880) {
    return `${Math.floor(minutes / 60)}${NO_BREAK}h ${two(minutes % 60)}${NO_BREAK}min`;
  }
  return `${decimal(divided(BigInt(minutes) * 10n, 1440n), 1)}${NO_BREAK}d`;
};
/** @param {bigint} amount A whole number of 10^-places, as plain digits; money has ten. */
const exact = (amount, places = 10) => {
  const digits = absolute(amount).toString().padStart(places + 1, "0");
  return `${amount < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
};

/** @param {bigint} part @param {bigint} base */
const quotient = (part, base) => exact(divided(part * 1000000n, base), 6);

/** @type {{ [unit: string]: (value: bigint) => string }} */
const ONE = { usd, usd_fine: (value) => dollars(value, MILL_TENTH), usd_headline: usdHeadline,
  usd_signed: usdSigned, count, tokens, decimal: trimmed };
/** @type {{ [unit: string]: (value: number) => string }} */
const NUMBER = { seconds: duration, milliseconds: (value) => duration(value / 1000),
  version: (value) => (value < 0 ? "no version" : `v${value}`),
  number: (value) => (value < 0 ? MINUS : "")
    + String(Math.abs(value)).replace(/^\d+/, (digits) => grouped(digits)) };
/** @type {{ [unit: string]: (text: string) => string }} */
const TEXT = { day: dayInWords, day_short: dayInShort, month: monthInWords,
  month_short: monthInShort, instant: instantInWords, name: (text) => `\u2068${text}\u2069` };
/** @type {{ [unit: string]: (first: bigint, second: bigint) => string }} */
const TWO = { percent, rate, interval, change,
  each: (amount, share) => dollars(amount, MILL_TENTH, share),
  per_million: (amount, share) => dollars(amount * 1000000n, CENT, share) };
const SCALED = new Set(["usd", "usd_fine", "usd_headline", "usd_signed", "decimal"]);

/** @param {Quantity} value */
const big = (value) => (typeof value === "bigint" ? value : BigInt(Math.round(value)));
/** @param {Value} value */
const isQuantity = (value) => typeof value === "number" || typeof value === "bigint";
/** @param {string} name Dots lead into rows within the row. @param {Values} values
 * @returns {Value} */
export const valueOf = (name, values) => (name.includes(".") ? name.split(".").reduce(
  (/** @type {Value} */ value, step) => (value && typeof value === "object" ? value[step] : null),
  values) : values[name]) ?? null;
/** @param {string} name @param {Values} values @returns {bigint | null} */
export const quantityOf = (name, values) => {
  const value = valueOf(name, values);
  return isQuantity(value) ? big(/** @type {Quantity} */ (value)) : null;
};

/** The cost of some runs: one amount, or two bounds, as words or as plain digits.
 * @param {string} name @param {Values} values @param {boolean} [isPlain] */
const range = (name, values, isPlain = false) => {
  /** @param {string} part */
  const of = (part) => quantityOf(name.replace("_cost_usd", part), values);
  const low = quantityOf(name, values);
  if (low === null) return isPlain ? "" : UNKNOWN;
  const [first, last] = [low, low + (of("_cost_more_usd") ?? 0n)]
    .map((bound) => (isPlain ? exact : usd)(bound));
  if (of("_cost_open_count")) return `${first} or more`;
  return first === last ? first : `${first} to ${last}`;
};

/** One figure of a row, or one of two (`a/b`), in a unit.
 * @param {string} name @param {string} unit @param {Values} values @returns {string} */
export const figure = (name, unit, values) => {
  const [first, second] = name.split("/");
  if (unit === "range") return range(first, values);
  const value = valueOf(first, values);
  if (value === null || value === undefined) return UNKNOWN;
  if (second) {
    const [part, base] = [quantityOf(first, values), quantityOf(second, values)];
    const isKnown = part !== null && base !== null && (base || unit === "change");
    if (!isKnown) return UNKNOWN;
    return unit in TWO ? TWO[unit](part, base)
      : figure("v", unit, { v: Number((Number(part) / Number(base)).toPrecision(4)) });
  }
  if (!isQuantity(value)) return (TEXT[unit] ?? String)(/** @type {string} */ (value));
  if (unit in NUMBER) return NUMBER[unit](Number(value));
  if (unit.startsWith("plural:")) return plural(big(/** @type {Quantity} */ (value)),
    unit.slice(7));
  return unit in ONE ? ONE[unit](big(/** @type {Quantity} */ (value))) : String(value);
};
/** The exact figure as plain digits, of a range both ends; empty if unknown, null for a text.
 * @param {string} name @param {string} unit @param {Values} values @returns {string | null} */
export const plain = (name, unit, values) => {
  const [first, second] = name.split("/");
  const value = valueOf(first, values);
  if (unit === "interval") return null;
  if (typeof value === "string") {
    if (unit === "instant") return `${new Date(value).toISOString().slice(0, 19)}Z`;
    return unit in TEXT && unit !== "name" ? value : null;
  }
  if (unit === "range") return range(first, values, true);
  const part = quantityOf(first, values), base = second ? quantityOf(second, values) : 1n;
  if (part === null || base === null || !base) return "";
  if (second && unit === "each") return exact(divided(part, base));
  if (second && unit === "per_million") return exact(divided(part * 1000000n, base));
  if (second) return quotient(part, base);
  return SCALED.has(unit) ? exact(part) : String(value);
};
const FIGURE = /\{([\w./]+)(?:\|([\w: ]+))?\}/g;
const AFTER_SIGN = /(?<=[+\u2212])(?=\$)/g;
/** A template with each figure written in its unit; no line ends between a sign and its amount.
 * @param {string} template @param {Values} values */
export const fill = (template, values) =>
  template.replace(FIGURE, (_, name, unit = "") => figure(name, unit, values))
    .replace(AFTER_SIGN, WORD_JOINER);
