/** Tables: written for a choice, sorted by exact values, downloaded as they are shown. */
import { UNKNOWN } from "./format.js";

/**
 * @typedef {object} TableCell
 * @property {string} text what is shown
 * @property {string | number | null} [value] what the cell sorts by; nothing where its text is
 * @property {string | null} [href] where it leads
 * @property {number | null} [share] drawn as a bar beside the text
 * @property {(number | null)[]} [trend] drawn as a line
 * @property {number[]} [steps] places of the line that are marked
 * @property {number} [hue] its place among the colours of a chart
 * @property {string} [urgency] of its most urgent finding
 */

const FORMULA = /(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\0])/g;
const MOST_OPENED = 2000; // at once, by a button
const PLAIN_NUMBER = /^-?\d+(\.\d+)?$/;
const LOW_END = /^\[?(-?\d+(?:\.\d+)?)(?: to .+| or more|\u2013.+\])$/; // of a range
const WITH_COMMAS = /^\d{1,3}(,\d{3})+$/;

/** @param {string} text what the status line tells those who do not see the page */
export const say = (text) => { document.getElementById("announcement").textContent = text; };

/** A new element.
 * @param {string} tag @param {string} [text] @param {Record<string, string>} [attributes]
 * @param {Node[]} [children] */
export const element = (tag, text = "", attributes = {}, children = []) => {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

/** All rows of tables that show but the first of them.
 * @type {WeakMap<HTMLTableElement, { rows: TableCell[][], most: number }>} */
const longTables = new WeakMap();

/** Table, column and direction of each table that is sorted. @type {string[][]} */
let chosenOrders = [];
const headsOf = (table) => [...(table.tHead?.rows[0]?.cells ?? [])];
const isDrawing = (head) => head.classList.contains("drawing");
const isNumeric = (head) => !/\b(text|name|drawing)\b/.test(head.className);

const svg = (tag, attributes, children = []) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
};
const TREND = { width: 120, height: 28, edge: 2 };
/** A line of a row on its own scale from zero, its end marked. */
const trendOf = (values, steps = []) => {
  const { width, height, edge } = TREND, top = Math.max(...values.map((each) => each ?? 0), 0);
  const step = (width - 2 * edge) / Math.max(values.length - 1, 1);
  const points = values.map((value, at) => value === null || !top ? null
    : [edge + at * step, edge + (height - 2 * edge) * (1 - Math.max(value, 0) / top)]
      .map((each) => each.toFixed(1)).join(" "));
  const path = points.map((point, at) => point && (points[at - 1] ? `L${point}` : `M${point}h0`));
  const end = points.findLast(Boolean)?.split(" ");
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    [svg("path", { d: path.filter(Boolean).join("") }),
      ...steps.map((at) => svg("path", { class: "step", d: `M${edge + at * step} 0v${height}` })),
      ...(end ? [svg("circle", { cx: end[0], cy: end[1], r: 2 })] : [])]);
};
/** A share as a bar, as long as its part of the largest one of the column. */
const barOf = (share) => svg("svg", { class: "bar", viewBox: "0 0 60 8", "aria-hidden": "true" },
  [svg("rect", { width: (60 * share).toFixed(1), height: 8 })]);
const writtenRow = (cells, heads, tops = []) => {
  const row = document.createElement("tr");
  cells.forEach(({ text, value, href, share, trend, steps, hue, urgency }, index) => {
    const one = element(index ? "td" : "th", "", index ? {} : { scope: "row" });
    if (heads[index].className) one.className = heads[index].className;
    if ((value ?? text) !== text) one.dataset.v = String(value);
    const shown = element("bdi", text);
    if (hue) {
      const dot = one.appendChild(element("i", "", { class: "dot" }));
      dot.style.background = `var(--hue-${hue})`;
    }
    if (share && tops[index]) one.append(barOf(share / tops[index]));
    one.append(trend ? trendOf(trend, steps) : href ? element("a", "", { href }, [shown]) : shown);
    if (urgency) {
      one.append(element("i", "", { class: "mark", role: "img", title: urgency,
        "aria-label": `needs you: ${urgency}`, "data-urgency": urgency }));
    }
    row.append(one);
  });
  return row;
};
/** The largest share of each column. @param {TableCell[][]} rows */
const topsOf = (rows) => (rows[0] ?? []).map((_, index) =>
  rows.reduce((top, row) => Math.max(top, row[index].share ?? 0), 0));

/** Changes the rows of a table. The link of a row that had the focus keeps it, as the link of the
 * same name that leads to the same page; where there is none any more, the table has it.
 * @param {HTMLTableElement} table @param {() => void} change */
const keepingFocus = (table, change) => {
  const { activeElement: had } = document, isOfRow = had instanceof HTMLAnchorElement
    && table.contains(had);
  change();
  if (!isOfRow) return;
  const same = [...table.querySelectorAll("a")].find((each) =>
    each.textContent === had.textContent && each.pathname === had.pathname);
  (same ?? table.closest(".scroll"))?.focus();
};

/** Writes the rows of a table: the first of them, and a button that opens the rest. */
const showRows = (table) => {
  const { rows, most } = longTables.get(table), columns = headsOf(table), tops = topsOf(rows);
  keepingFocus(table, () => table.tBodies[0].replaceChildren(
    ...rows.slice(0, most).map((cells) => writtenRow(cells, columns, tops))));
  const region = table.closest(".scroll"), more = rows.length - most;
  region?.parentElement?.querySelector(":scope > .all-rows")?.remove();
  if (!(more > 0)) return;
  const button = element("button", `${more.toLocaleString("en-US")} more`,
    { type: "button", class: "all-rows" });
  button.addEventListener("click", () => {
    table.dataset.whole = "";
    longTables.get(table).most += MOST_OPENED;
    showRows(table);
    table.tBodies[0].rows[most]?.querySelector("a")?.focus();
  });
  region?.after(button);
};
/** Writes a table anew.
 * @param {HTMLTableElement} table
 * @param {{caption: string, heads: {text: string, isText?: boolean, kind?: string}[], rows:
 * TableCell[][], foot?: TableCell[][], most?: number}} written a head's `kind` is "text" (never
 * broken), "name", or nothing for numbers; more rows than `most` are sorted and downloaded, too */
export const write = (table, { caption, heads, rows, foot = [], most = Infinity }) => {
  table.caption.firstElementChild.textContent = caption;
  const isNew = String(headsOf(table).map((head) => head.textContent))
    !== String(heads.map((head) => head.text));
  if (isNew) {
    const head = element("tr", "", {}, heads.map((each) => {
      const kind = each.kind ?? (each.isText ? "name" : "");
      return element("th", each.text, { scope: "col", ...(kind && { class: kind }) });
    }));
    (table.tHead ?? table.createTHead()).replaceChildren(head);
    if ("sortable" in table.dataset) makeSortable(table);
  }
  const columns = headsOf(table);
  if (!table.tBodies[0]) table.createTBody();
  table.tFoot?.remove();
  longTables.set(table, { rows, most: most + ("whole" in table.dataset ? MOST_OPENED : 0) });
  columns.forEach((head) => head.removeAttribute("aria-sort"));
  const [, index, direction = ""] = chosenOrders.find(([id]) => id === table.id) ?? [];
  if (!sort(table, Number(index), direction)) showRows(table);
  if (foot.length) {
    table.createTFoot().append(...foot.map((cells) => writtenRow(cells, columns)));
  }
};

/** A new table in a region that scrolls; `write` fills it.
 * @param {string} caption */
export const newTable = (caption) => {
  const label = element("caption", "", {}, [element("span", caption)]);
  const region = { class: "scroll", role: "region", tabindex: "0", "aria-label": caption };
  return element("div", "", region, [element("table", "", {}, [label])]);
};

// Sorting: by the plain value of a cell, of a range by its low end; what is unknown comes last in
// both directions.
const plainValue = (value, text) => (value !== undefined && value !== null ? String(value)
  : text === UNKNOWN ? ""
  : text.replace(WITH_COMMAS, (count) => count.replaceAll(",", "")));
const sortValue = (row, index) =>
  plainValue(row.cells[index].dataset.v, row.cells[index].textContent);
const scaledDigits = (text) => { // all digits, of which a float would lose some
  const number = LOW_END.exec(text)?.[1] ?? text;
  if (!PLAIN_NUMBER.test(number)) return null;
  const [whole, part = ""] = number.split(".");
  return BigInt(whole + part.padEnd(12, "0").slice(0, 12));
};
const comparedValues = (a, b) => {
  if (a.digits === null || b.digits === null) return a.value.localeCompare(b.value, "en");
  return a.digits < b.digits ? -1 : Number(a.digits > b.digits);
};
const rowsInOrder = (rows, valueOf, direction) => {
  const sign = direction === "ascending" ? 1 : -1;
  const valued = rows.map((row) => {
    const value = valueOf(row);
    return { row, value, digits: scaledDigits(value) };
  });
  const known = valued.filter(({ value }) => value !== "")
    .toSorted((a, b) => sign * comparedValues(a, b));
  const unknown = valued.filter(({ value }) => value === "");
  return [...known, ...unknown].map(({ row }) => row);
};

/** Rows that are not written yet, in the order that `sort` gives to those that are.
 * @param {TableCell[][]} rows @param {number} index of the column
 * @param {string} direction "ascending" or "descending" */
export const orderedRows = (rows, index, direction) =>
  rowsInOrder(rows, (row) => plainValue(row[index].value, row[index].text), direction);

/** The first order of each sorted table that came with the page.
 * @type {Map<HTMLTableElement, HTMLTableRowElement[]>} */
const givenRows = new Map();
/** Sorts a table; what a reader cannot mean is ignored.
 * @param {HTMLTableElement | null} table @param {number} index of the column
 * @param {string} direction "ascending" or "descending" */
const sort = (table, index, direction) => {
  const heads = table instanceof HTMLTableElement ? headsOf(table) : [];
  if (!heads[index] || !/^(a|de)scending$/.test(direction)) return false;
  const body = table.tBodies[0], long = longTables.get(table);
  if (long) {
    long.rows = orderedRows(long.rows, index, direction);
    showRows(table);
  } else {
    const given = [...body.rows];
    if (!givenRows.has(table)) givenRows.set(table, given);
    const rows = rowsInOrder(given, (row) => sortValue(row, index), direction);
    keepingFocus(table, () => body.replaceChildren(...rows));
  }
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[index].setAttribute("aria-sort", direction);
  return true;
};

/** Sorts the tables that came with the page, or gives them their first order; `write` sorts others.
 * @param {string[][]} sorted table, column and direction of each */
export const sortTables = (sorted) => {
  chosenOrders = sorted;
  for (const [table, rows] of givenRows) {
    if (sorted.some(([id]) => id === table.id)) continue;
    keepingFocus(table, () => table.tBodies[0].replaceChildren(...rows));
    headsOf(table).forEach((head) => head.removeAttribute("aria-sort"));
    givenRows.delete(table);
  }
  for (const [id, index, direction] of sorted) {
    const table = document.getElementById(id);
    if (!longTables.has(table)) sort(table, Number(index), direction);
  }
};

/** @type {(orders: string[][]) => void} */
let tableSorted = () => {};
const makeSortable = (table) => headsOf(table).forEach((head, index) => {
  if (isDrawing(head) || head.querySelector("button")) return;
  const sorter = element("button", head.textContent, { type: "button" });
  sorter.addEventListener("click", () => {
    const first = isNumeric(head) ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const direction = head.getAttribute("aria-sort") === first ? other : first;
    sort(table, index, direction);
    say(`Sorted by ${head.textContent}, ${direction}`);
    const others = chosenOrders.filter(([id]) => id !== table.id);
    chosenOrders = [...others, [table.id, String(index), direction]];
    tableSorted(chosenOrders);
  });
  head.replaceChildren(sorter);
});

// CSV: exactly the rows that are shown, in their order. Text that a spreadsheet would run is
// quoted by an apostrophe; numbers are plain and exact, those of a range both.
const csvField = (text, isNumber) => {
  const safe = isNumber && PLAIN_NUMBER.test(text) ? text : text.replace(FORMULA, "$1$2'");
  return /["\n\r,;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** @param {HTMLTableElement} table */
const csvOf = (table) => {
  const columns = headsOf(table).map((head, index) => ({ head, index }))
    .filter(({ head }) => !isDrawing(head));
  const head = columns.map((column) => csvField(column.head.textContent, false)).join(",");
  const lineOf = (cells) => columns.map(({ head: { className }, index }) => {
    const { text, value } = cells[index];
    return isNumeric({ className }) ? csvField(plainValue(value, text), true)
      : csvField(value ?? text, false);
  }).join(",");
  const built = () => [...table.tBodies[0].rows].map(({ cells }) => [...cells].map((cell) =>
    ({ text: (cell.querySelector("bdi") ?? cell).textContent, value: cell.dataset.v })));
  const rows = (longTables.get(table)?.rows ?? built()).map(lineOf);
  return `\uFEFF${[head, ...rows].join("\r\n")}\r\n`;
};
const download = (name, text) => {
  const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", "", { download: name, href }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
  say(`Downloaded ${name}`);
};

/** Adds the table of a chart below it, folded; `write` fills it. @param {Element} chart */
const addTable = (chart) => {
  const region = newTable(chart.querySelector("h3")?.textContent ?? "");
  const [table] = region.children;
  table.id = `${chart.id}-table`;
  table.dataset.sortable = "";
  region.classList.add("drawn");
  chart.append(element("details", "", {}, [element("summary", "Table"), region]));
};

/** Gives each chart of the page a table, and each table its buttons.
 * @param {(orders: string[][]) => void} sorted hears how tables are sorted
 * @param {(table: HTMLTableElement) => string} nameOf names the files */
export const startTables = (sorted, nameOf) => {
  tableSorted = sorted;
  document.querySelectorAll("figure.chart:not(:has(table))").forEach(addTable);
  for (const table of document.querySelectorAll("main table")) {
    if ("sortable" in table.dataset) makeSortable(table);
    const label = table.caption.textContent.trim() || table.dataset.label || "table";
    const button = element("button", "CSV", { type: "button", class: "csv",
      "aria-label": `Download as CSV: ${label}` });
    button.addEventListener("click", () => download(nameOf(table), csvOf(table)));
    table.closest(".scroll").before(button);
  }
};
