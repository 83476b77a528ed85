/** The overview of a fleet at work: its ranking of workspaces is searched and sorted as a whole,
 * and shown in steps. */
import { decodeTable, valueAt } from "./cube.js";
import { figure, plain } from "./format.js";
import { load } from "./load.js";
import { foldSections, startArrows } from "./nav.js";
import { printHead } from "./print.js";
import { orderedRows, say, startTables, write } from "./tables.js";
import { startTheme } from "./theme.js";

/** A workspace: its cells, and in lower case the texts that a search looks in.
 * @typedef {import("./tables.js").TableCell[] & { name: string, id: string }} Ranked */

const STEP = 50, STEP_ON_PHONE = 10;

/** The workspaces of a data file, in its order.
 * @param {{columns: string[], rows: any}} document @returns {{heads: any[], rows: Ranked[]}} */
const rankedOf = (document) => {
  const [first, ...others] = document.columns.map((each) => each.split("|"));
  const { size, columns } = decodeTable(document.rows);
  const rows = Array.from({ length: size }, (_, at) => {
    const values = Object.fromEntries(Object.entries(columns)
      .map(([name, column]) => [name, valueAt(column, at)]));
    const cells = others.map(([expression, unit]) => (
      { text: figure(expression, unit, values), value: plain(expression, unit, values) }));
    const [name, id] = [values.name, values.workspace_id].map((text) => text.toLowerCase());
    return Object.assign([{ text: values.name, href: values.page }, ...cells], { name, id });
  });
  return { rows, heads: [{ text: first[2], isText: true },
    ...others.map(([, unit, text]) => ({ text, kind: unit === "instant" ? "text" : "" }))] };
};

const startRanking = async () => {
  const [form, table, more] = ["search", "workspaces-table", "more-workspaces"]
    .map((id) => document.getElementById(id));
  const [field, status] = ["input", "[role=status]"].map((each) => form.querySelector(each));
  const caption = table.caption.textContent;
  table.dataset.stepped = ""; // by a button of its own
  const step = matchMedia("(max-width: 639px)").matches ? STEP_ON_PHONE : STEP;
  const { heads, rows } = rankedOf(await load("fleet"));
  let all = rows, most = step, sorted = null; // the column and the direction chosen
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = all.filter(({ name, id }) => // an identifier holds any digits within it
      words.every((word) => name.includes(word) || id.startsWith(word)));
    write(table, { caption, heads, rows: found, most });
    if (sorted) table.tHead.rows[0].cells[sorted.index].ariaSort = sorted.direction;
    status.textContent = words.length ? `${found.length} of ${all.length} workspaces` : "";
    const rest = found.length - most;
    more.hidden = rest <= 0;
    more.textContent = `Show ${Math.min(STEP, rest)} more`;
  };
  show();
  startTables((id, index, direction) => {
    if (id !== table.id) return;
    sorted = { index, direction };
    all = orderedRows(all, index, direction);
  }, ({ id }) => `fleet_${id}.csv`);
  field.addEventListener("input", () => {
    most = step;
    show();
  });
  more.addEventListener("click", () => {
    const at = Math.min(most, table.tBodies[0].rows.length);
    most += STEP;
    show();
    table.tBodies[0].rows[at]?.querySelector("a")?.focus();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  const links = () => [...table.tBodies[0].querySelectorAll("a")];
  for (const place of [form, table.tBodies[0]]) startArrows(place, field, links);
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target === field || event.ctrlKey || event.metaKey || event.altKey;
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      field.focus();
    } else if (event.key === "Escape" && event.target === field) {
      field.value = "";
      most = step;
      show();
    }
  });
  form.hidden = false;
};

const startFleet = async () => {
  startTheme(() => {});
  foldSections();
  printHead(document.querySelector("h1").textContent);
  if (document.getElementById("search")) await startRanking();
  document.documentElement.dataset.ready = "";
};
startFleet().catch((error) => {
  say(`Not shown: ${error.message}`);
  reportError(error);
});
