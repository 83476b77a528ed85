// Figures as text, as analytics/format/numbers.py and analytics/report/writing/phrases.py write them.
// Money is a BigInt of ten-billionths of a dollar: sums are exact, and rounded once, half to even.
"use strict";

const numbers = (() => {
  const MINUS = "\u2212", NO_BREAK = "\u00a0", UNKNOWN = "\u2013";
  const SMALL_SAMPLE = 20;
  const CENT = 10n ** 8n, MILL_TENTH = 10n ** 6n, TEN_CENTS = 10n ** 9n;
  const TOKEN_UNITS = [[10n ** 9n, "bn"], [10n ** 6n, "M"], [10n ** 3n, "k"]];

  const absolute = (value) => (value < 0n ? -value : value);
  const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
  const divided = (value, step) => { // to the nearest whole, half to even
    const size = absolute(value), double = 2n * (size % step);
    let quotient = size / step;
    if (double > step || (double === step && quotient % 2n)) quotient += 1n;
    return value < 0n ? -quotient : quotient;
  };
  const decimal = (value, places) => { // a whole number of 10^-places, as text
    const digits = absolute(value).toString().padStart(places + 1, "0");
    const cut = digits.length - places;
    return grouped(digits.slice(0, cut)) + (places ? `.${digits.slice(cut)}` : "");
  };
  const dollars = (amount, step) => {
    if (amount === null) return UNKNOWN;
    const places = 11 - step.toString().length, rounded = divided(amount, step);
    if (!rounded && amount) return `${amount > 0n ? "" : MINUS}<$${decimal(1n, places)}`;
    return `${rounded < 0n ? MINUS : ""}$${decimal(rounded, places)}`;
  };
  const usd = (amount) => dollars(amount, CENT);
  const usdFine = (amount) => dollars(amount, MILL_TENTH);
  const usdPerRun = (amount) => {
    if (!amount || absolute(amount) >= TEN_CENTS) return usd(amount);
    return dollars(amount, 10n ** BigInt(Math.max(absolute(amount).toString().length - 2, 0)));
  };
  const usdHeadline = (amount) => (amount === null || absolute(amount) < 10n ** 16n
    ? usd(amount) : `${dollars(amount / 10n ** 6n, CENT)}${NO_BREAK}M`);
  const count = (value) => (value === null
    ? UNKNOWN : (value < 0n ? MINUS : "") + grouped(absolute(BigInt(value)).toString()));
  const plural = (value, noun) => (value === null
    ? UNKNOWN : `${count(value)} ${noun}${BigInt(value) === 1n ? "" : "s"}`);
  const tokens = (value) => {
    if (value === null) return UNKNOWN;
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
  const percent = (part, whole) => {
    if (part === null || whole === null) return UNKNOWN;
    if (!whole) return UNKNOWN;
    if (part > 0n && 1000n * part < whole) return "<0.1%";
    if (part < whole && 1000n * part > 999n * whole) return ">99.9%";
    const tenths = divided(1000n * part, whole);
    return `${tenths < 0n ? MINUS : ""}${decimal(tenths, 1)}%`;
  };
  const rate = (failed, finished) => {
    if (!finished) return UNKNOWN;
    const counts = `${count(failed)} of ${count(finished)}`;
    return finished < SMALL_SAMPLE ? counts : `${percent(failed, finished)} (${counts})`;
  };
  const wilson = (failed, finished) => { // the 95 % interval, as two fractions
    const [f, n, z] = [Number(failed), Number(finished), 1.959963984540054];
    const share = f / n, centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
    const half = (z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
    return [f === 0 ? 0 : centre - half, f === n ? 1 : centre + half];
  };
  const interval = (failed, finished) => {
    if (!finished) return UNKNOWN;
    return `[${wilson(failed, finished).map((each) => (100 * each).toFixed(1)).join("\u2013")}]`;
  };
  const whole = (value) => { // to the nearest whole, half to even
    const floor = Math.floor(value), rest = value - floor;
    return rest > 0.5 || (rest === 0.5 && floor % 2) ? floor + 1 : floor;
  };
  const duration = (seconds) => {
    if (seconds === null) return UNKNOWN;
    if (seconds < 0) return MINUS + duration(-seconds);
    if (whole(seconds * 1000) < 1000) return `${whole(seconds * 1000)}${NO_BREAK}ms`;
    if (whole(seconds * 10) < 600) return `${(whole(seconds * 10) / 10).toFixed(1)}${NO_BREAK}s`;
    const two = (value) => String(value).padStart(2, "0");
    const all = whole(seconds);
    if (all < 3600) return `${Math.floor(all / 60)}${NO_BREAK}min ${two(all % 60)}${NO_BREAK}s`;
    const minutes = whole(seconds / 60);
    if (minutes < 2880) return `${Math.floor(minutes / 60)}${NO_BREAK}h ${two(minutes % 60)}${NO_BREAK}min`;
    return `${decimal(divided(BigInt(minutes) * 10n, 1440n), 1)}${NO_BREAK}d`;
  };
  const exact = (amount) => { // money as plain digits
    if (amount === null) return "";
    const digits = absolute(amount).toString().padStart(11, "0");
    return `${amount < 0n ? "-" : ""}${digits.slice(0, -10)}.${digits.slice(-10)}`;
  };

  const ONE = { usd, usd_fine: usdFine, usd_per_run: usdPerRun, usd_headline: usdHeadline, count, tokens,
    seconds: (value) => duration(value === null ? null : Number(value)),
    milliseconds: (value) => duration(value === null ? null : Number(value) / 1000) };
  const TWO = { percent, rate, interval,
    each: (amount, runs) => usdFine(runs ? divided(amount, runs) : null) };

  // The cost of failed runs, or its share: two bounds where failed runs are unlisted.
  const range = (low, whole, values) => {
    const least = values[low] ?? null, base = values[whole] ?? null;
    if (least === null || (whole && !base)) return UNKNOWN;
    const most = values[low.replace("_cost_usd", "_cost_high_usd")] ?? null;
    const unlisted = values[low.replace("failed_cost_usd", "unlisted_failed_count")];
    const [first, last] = [least, most].map((each) => (each === null ? null : whole ? percent(each, base) : usd(each)));
    if (!unlisted || first === last) return first;
    return last === null ? `${first} or more` : `${first} to ${last}`;
  };

  // One figure of `values`, or one of two (`a/b`), in a unit.
  const figure = (name, unit, values) => {
    const [part, base] = name.split("/");
    const value = values[part] ?? null;
    if (unit.startsWith("range")) return range(part, base, values);
    if (base) {
      const other = values[base] ?? null;
      if (value === null || other === null) return UNKNOWN;
      return other ? TWO[unit](value, other) : UNKNOWN;
    }
    if (typeof value === "string") return value;
    return unit.startsWith("plural:") ? plural(value, unit.slice(7)) : ONE[unit](value);
  };
  const fill = (template, values) => template.replace(
    /\{([\w/@]+)(?:\|([\w: ]+))?\}/g, (_, name, unit = "") => figure(name, unit, values));
  const MONEY = new Set(["usd", "usd_fine", "usd_per_run", "usd_headline", "range"]);
  const plain = (name, unit, values) => { // what a cell sorts by, and a file holds
    const [part, base] = name.split("/");
    const value = values[part] ?? null;
    if (typeof value === "string" || unit === "interval") return null;
    if (value === null || (base && !values[base])) return "";
    if (base) {
      const scale = unit === "each" ? 10n ** 6n : 1n;
      return (Number((10n ** 6n * value) / (values[base] * scale)) / (unit === "each" ? 1e10 : 1e6)).toFixed(6);
    }
    if (unit === "milliseconds") return String(Number(value) / 1000);
    return MONEY.has(unit) ? exact(value) : String(value);
  };

  return { usd, usdFine, usdPerRun, usdHeadline, count, plural, tokens, percent, rate, interval, wilson,
    duration, exact, figure, fill, plain, divided, SMALL_SAMPLE, UNKNOWN };
})();
