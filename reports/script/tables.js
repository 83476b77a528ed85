// Tables: written anew for a chosen period, sorted by exact values, downloaded as they are shown.
"use strict";

const tables = (() => {
  const FORMULA = /(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\0])/g;
  const NUMBER = /^-?\d+(\.\d+)?$/;
  const COUNT = /^\d{1,3}(,\d{3})+$/;

  const say = (text) => { document.getElementById("announcement").textContent = text; };
  const element = (tag, text = "", attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  // A row's cells, `{text, v, href}`, in the columns of a table.
  const row = (cells, heads) => {
    const made = document.createElement("tr");
    cells.forEach((cell, index) => {
      const one = document.createElement(index ? "td" : "th");
      if (!index) one.scope = "row";
      if (heads[index].className) one.className = heads[index].className;
      if (cell.v !== undefined && cell.v !== null && cell.v !== cell.text) one.dataset.v = cell.v;
      const text = element("bdi", cell.text);
      if (cell.href) one.append(element("a", "", { href: cell.href }));
      (cell.href ? one.firstChild : one).append(text);
      made.append(one);
    });
    return made;
  };
  const write = (table, { caption, rows, foot = [] }) => {
    const heads = [...table.tHead.rows[0].cells];
    table.caption.firstElementChild.textContent = caption;
    table.tBodies[0].replaceChildren(...rows.map((cells) => row(cells, heads)));
    table.tFoot?.remove();
    if (foot.length) table.createTFoot().append(...foot.map((cells) => row(cells, heads)));
    heads.forEach((head) => head.removeAttribute("aria-sort"));
  };
  const cell = (name, unit, values) => {
    const text = numbers.figure(name, unit, values);
    return { text, v: numbers.plain(name, unit, values) };
  };

  // Sorting: by the plain value of a cell, the missing ones last in both directions.
  const valueOf = (tr, index) => { // empty where it is unknown
    const { dataset, textContent } = tr.cells[index];
    return dataset.v ?? (textContent === numbers.UNKNOWN ? "" : textContent.replace(COUNT, (count) => count.replaceAll(",", "")));
  };
  const digits = (text) => { // exact digits, of which a float would lose some
    const [whole, part = ""] = text.split(".");
    return BigInt(whole + part.padEnd(12, "0").slice(0, 12));
  };
  const compare = (a, b) => {
    if (NUMBER.test(a) && NUMBER.test(b)) {
      const [x, y] = [digits(a), digits(b)];
      return x < y ? -1 : Number(x > y);
    }
    return a.localeCompare(b, "en");
  };
  const sort = (table, index, direction) => {
    const ascending = direction === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].map((tr) => [valueOf(tr, index), tr]);
    const known = rows.filter(([value]) => value !== "");
    known.sort(([a], [b]) => (ascending ? compare(a, b) : compare(b, a)));
    body.append(...known.map(([, tr]) => tr), ...rows.filter(([value]) => value === "").map(([, tr]) => tr));
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[index].ariaSort = direction;
    say(`Sorted by ${heads[index].textContent}, ${direction}`);
  };

  // CSV: exactly the rows that are shown, in their order. Text that a spreadsheet would run is
  // quoted by an apostrophe; numbers are plain and exact.
  const field = (text, isNumber) => {
    const safe = isNumber && NUMBER.test(text) ? text : text.replace(FORMULA, "$1$2'");
    return /["\n\r,;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const csv = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const shown = heads.map((_, index) => index).filter((index) => heads[index].className !== "drawing" && !heads[index].hidden);
    const line = (tr) => shown.map((index) => {
      const one = tr.cells[index], isNumber = heads[index].className === "";
      if (isNumber) return field(valueOf(tr, index), true);
      return field((one.querySelector("bdi") ?? one).textContent, false);
    }).join(",");
    const rows = [...table.tBodies[0].rows].filter((tr) => !tr.hidden);
    const head = shown.map((index) => field(heads[index].textContent, false)).join(",");
    return `\uFEFF${[head, ...rows.map(line)].join("\r\n")}\r\n`;
  };
  const download = (name, text) => {
    const link = element("a", "", { download: name, href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    say(`Downloaded ${name}`);
  };

  // Gives each table its buttons. `sorted` hears of what a reader sorted, `nameOf` names files.
  const equip = (sorted, nameOf) => {
    for (const table of document.querySelectorAll("table")) {
      if ("sortable" in table.dataset) {
        [...table.tHead.rows[0].cells].forEach((head, index) => {
          if (head.className === "drawing") return;
          const sorter = element("button", head.textContent, { type: "button" });
          sorter.addEventListener("click", () => {
            const first = head.className ? "ascending" : "descending";
            const other = first === "ascending" ? "descending" : "ascending";
            const direction = head.ariaSort === first ? other : first;
            sort(table, index, direction);
            sorted(table.id, index, direction);
          });
          head.replaceChildren(sorter);
        });
      }
      const button = element("button", "CSV", { type: "button", class: "csv", "aria-label": `Download as CSV: ${table.caption.textContent}` });
      button.addEventListener("click", () => download(nameOf(table), csv(table)));
      table.closest(".scroll").before(button);
    }
  };

  return { write, cell, sort, csv, equip, element, say };
})();
