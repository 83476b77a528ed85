// Views of parts for choices, as the pages make them, without a page: JSON lines in, JSON lines out.
import { readFileSync } from "node:fs";
import { cards } from "../../reports/engine/cards.js";
import { decode } from "../../reports/engine/cube.js";
import { monthsFor } from "../../reports/engine/period.js";
import { switched, view } from "../../reports/engine/view.js";

const plain = (_key, value) => (typeof value === "bigint" ? String(value) : value);
const variants = (part) => (part.split ? part.split.flatMap(({ name, values }) => part.show
  .filter((each) => !values || values.includes(each.name)).map((each) => switched(part, name, each.name))) : [part]);
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { site, workspace, agent, documents, parts, columns, choices } = JSON.parse(line);
  const decoded = Object.entries(documents).map(([month, each]) => [month, decode(each, columns)]);
  const known = { site, workspace, agent, shards: new Map() };
  const shown = choices.map((given) => {
    const choice = { ...given, members: given.members && new Set(given.members) };
    const months = new Set(monthsFor(known, choice));
    const data = { ...known, shards: new Map(decoded.filter(([month]) => months.has(month))) };
    return { views: parts.flatMap(variants).map((part) => view(part, data, choice)), cards: cards(data, choice) };
  });
  process.stdout.write(`${JSON.stringify(shown, plain)}\n`);
}
