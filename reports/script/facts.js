// The figures behind a page: measures by day, and their splits, unpacked from the data files.
"use strict";

const facts = (() => {
  const DAY = 86_400_000;
  const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December"];
  const files = new Map(); // by name: what a data file registered, and later its promise
  const waiting = new Map();

  // Two bytes a unit; a unit that no literal may hold follows a mark, its highest bit turned.
  const turned = (_marked, unit) => String.fromCharCode(unit.charCodeAt(0) ^ 0x8000);
  const unpacked = async (size, text) => {
    const literal = text.replace(/\ue000(.)/g, turned);
    const units = Uint16Array.from({ length: literal.length }, (_, index) => literal.charCodeAt(index));
    const bytes = new Uint8Array(units.buffer, 0, size);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return summed(await new Response(stream).json());
  };
  // Columns that rise or fall in small steps are packed as those, under a name with a plus.
  const summed = (document) => {
    if (document === null || typeof document !== "object" || Array.isArray(document)) return document;
    return Object.fromEntries(Object.entries(document).map(([name, value]) => {
      if (name[0] !== "+") return [name, summed(value)];
      let sum = 0;
      return [name.slice(1), value.map((step) => sum += step)];
    }));
  };
  // Called by each data file with its name and its packed document, of so many bytes.
  const add = (name, size, text) => {
    files.set(name, unpacked(size, text));
    waiting.get(name)?.(files.get(name));
  };
  // A data file's document; one that the page did not bring is fetched as a script, as from disk
  // nothing else can be.
  const load = (name) => {
    if (!files.has(name)) {
      files.set(name, new Promise((resolve, reject) => {
        waiting.set(name, resolve);
        const script = document.createElement("script");
        script.src = `${document.body.dataset.root}data/${encodeURIComponent(name)}.js`;
        script.addEventListener("error", () => {
          files.delete(name);
          reject(new Error(`data/${name}.js is missing`));
        });
        document.head.append(script);
      }));
    }
    return files.get(name);
  };

  const time = (iso) => Date.parse(`${iso}T00:00:00Z`);
  const isoOf = (first, index) => new Date(time(first) + index * DAY).toISOString().slice(0, 10);
  const indexOf = (first, iso) => Math.round((time(iso) - time(first)) / DAY);
  const inWords = (iso) => {
    const [year, month, day] = iso.split("-").map(Number);
    return `${day} ${MONTHS[month - 1]} ${year}`;
  };
  const monthInWords = (month) => inWords(`${month}-01`).slice(2);
  const mondayOf = (iso) => isoOf(iso, -((new Date(iso).getUTCDay() + 6) % 7));
  const periodInWords = (from, to) => {
    if (from === to) return inWords(to);
    const [year, month, day] = from.split("-").map(Number);
    if (from.slice(0, 7) === to.slice(0, 7)) return `${day}\u2013${inWords(to)}`;
    if (from.slice(0, 4) === to.slice(0, 4)) return `${day} ${MONTHS[month - 1]}\u2013${inWords(to)}`;
    return `${day} ${MONTHS[month - 1]} ${year}\u2013${inWords(to)}`;
  };

  const big = (value) => (value === null || value === undefined ? null : BigInt(value));
  const knownSum = (values) => {
    const known = values.filter((value) => value !== null && value !== undefined);
    if (!known.length) return null;
    let sum = 0n;
    for (const value of known) sum += BigInt(value);
    return sum;
  };
  // What the failed runs of all parts cost at least and at most, as [failed, of them unlisted, least,
  // most]: the least says nothing where no listed run failed.
  const failedCost = (all) => {
    const parts = all.filter(([failed]) => failed);
    const listed = parts.filter(([failed, unlisted]) => failed > unlisted);
    const low = listed.length ? knownSum(listed.map((each) => each[2])) : 0n;
    let high = low;
    for (const [, unlisted, least, most] of parts) {
      if (unlisted && high !== null) high = most === null ? null : high + most - (least ?? 0n);
    }
    return [low, high];
  };
  const FAILED = ["failed_count", "unlisted_failed_count", "failed_cost_usd", "failed_cost_high_usd"];
  const withFailed = (sums, parts) => {
    if (!("failed_cost_high_usd" in sums)) return sums;
    const [low, high] = failedCost(parts.map((part) => FAILED.map((name) => big(part(name)))));
    return { ...sums, failed_cost_usd: low, failed_cost_high_usd: high };
  };
  const derived = (values) => {
    const { run_count: runs, cost_usd: cost, platform_cost_usd: platform } = values;
    const isUnknown = cost === null || (runs > 0n && values.unknown_cost_count >= runs);
    return { ...values, finished_count: values.succeeded_count + values.failed_count,
      unlisted_run_count: runs - values.listed_run_count, run_cost_usd: isUnknown ? null : cost - (platform ?? 0n) };
  };

  // The measures of one day of a document; null where the day was not read.
  const on = (document, index) => {
    const { measures } = document;
    if (measures.run_count[index] === null) return null;
    return derived(Object.fromEntries(
      Object.keys(measures).map((name) => [name, big(measures[name][index])])));
  };
  // The sums of the days of several documents, as pairs of measures and an index. A day without runs
  // and without cost of the platform adds nothing.
  const total = (names, days) => {
    const parts = days.filter(([measures, index]) => Number(measures.run_count[index]) || Number(measures.platform_cost_usd[index] ?? 1))
      .map(([measures, index]) => (name) => measures[name][index]);
    return withFailed(Object.fromEntries(names.map((name) =>
      [name, parts.length ? knownSum(parts.map((part) => part(name))) : 0n])), parts);
  };
  // The measures of the days `from` to `to`, as indices.
  const over = ({ measures }, from, to) => {
    const days = [];
    for (let index = Math.max(from, 0); index <= Math.min(to, measures.run_count.length - 1); index++) {
      if (measures.run_count[index] !== null) days.push([measures, index]);
    }
    return derived(total(Object.keys(measures), days));
  };
  // The sums of each key of a split: [{key, values}].
  const split = (document, name, from, to) => {
    const { keys, columns } = document.splits[name];
    const measures = Object.keys(columns).filter((each) => each !== "day" && each !== "key");
    const rows = new Map();
    columns.day.forEach((day, row) => {
      if (day < from || day > to) return;
      const key = columns.key[row];
      if (!rows.has(key)) rows.set(key, []);
      rows.get(key).push(row);
    });
    return [...rows].map(([key, of]) => ({ key: keys[key], rows: of, values: withFailed(
      Object.fromEntries(measures.map((each) => [each, knownSum(of.map((row) => columns[each][row]))])),
      of.map((row) => (each) => columns[each][row])) }));
  };

  // The rows of those weeks that have a listed run within the days `from` to `to`.
  const weeks = (document, from, to) => {
    const { day } = document.splits.spreads?.columns ?? { day: [] };
    return day.map((_, row) => row).filter((row) =>
      over(document, Math.max(day[row], from), Math.min(day[row] + 6, to)).listed_run_count);
  };

  // A split of some of its members: those whose pages `isShown` names.
  const only = ({ keys, columns }, isShown) => {
    const rows = columns.key.map((_, row) => row).filter((row) => isShown(keys[columns.key[row]][1]));
    return { keys, columns: Object.fromEntries(Object.entries(columns)
      .map(([name, values]) => [name, rows.map((row) => values[row])])) };
  };

  // Several documents as one, over the days of `base`: measures by day are added, splits are
  // joined. Medians cannot be, so they are left out.
  const UNJOINED = new Set(["spreads", "top"]);
  const WORST_FIRST = ["n", "i", "s", "c"];
  const merged = (base, documents) => {
    if (documents.length === 1 && documents[0].first === base.first) return documents[0];
    const length = base.states.length;
    const shifts = documents.map((each) => indexOf(base.first, each.first));
    const at = (values, index, after) => (index < values.length ? values[index] ?? null : after);
    const measureNames = Object.keys(base.measures);
    const sums = Array.from({ length }, (_, index) => {
      const read = documents.filter((each, which) =>
        at(each.measures.run_count, index - shifts[which], each.resting ? 0 : null) !== null);
      if (!read.length) return null;
      return total(measureNames, read.map((each) => [each.measures, index - shifts[documents.indexOf(each)]])
        .filter(([{ run_count: runs }, day]) => day < runs.length));
    });
    const measures = Object.fromEntries(measureNames.map((name) =>
      [name, sums.map((each) => each?.[name]?.toString() ?? null)]));
    const states = Array.from({ length }, (_, index) => {
      const each = documents.map((one, which) => at(one.states, index - shifts[which], one.resting ? "c" : "n"));
      return WORST_FIRST.find((state) => each.includes(state));
    }).join("");
    const names = Object.keys(documents[0].splits)
      .filter((name) => !UNJOINED.has(name) && documents.every((each) => name in each.splits));
    const splits = Object.fromEntries(names.map((name) =>
      [name, joined(documents.map((each) => each.splits[name]), shifts)]));
    return { ...base, measures, splits, states };
  };
  const joined = (parts, shifts) => {
    const keys = new Map();
    const columns = {};
    parts.forEach((part, which) => {
      const renamed = part.keys.map((key) => {
        const name = JSON.stringify(key);
        if (!keys.has(name)) keys.set(name, keys.size);
        return keys.get(name);
      });
      for (const [name, values] of Object.entries(part.columns)) {
        const change = { day: (day) => day + shifts[which], key: (key) => renamed[key] }[name];
        (columns[name] ??= []).push(...(change ? values.map(change) : values));
      }
    });
    return { keys: [...keys.keys()].map((key) => JSON.parse(key)), columns };
  };

  return { add, load, knownSum, on, over, split, weeks, only, merged, isoOf, indexOf, inWords, monthInWords, mondayOf, periodInWords };
})();
