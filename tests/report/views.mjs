// Views of parts for choices, as the pages make them, without a page: JSON lines in, JSON lines out.
import { readFileSync } from "node:fs";
import { decode, decodeTable } from "../../reports/engine/cube.js";
import { monthsForSummary, summary } from "../../reports/engine/summary.js";
import { monthsFor, view } from "../../reports/engine/view.js";

const plain = (_key, value) => (typeof value === "bigint" ? String(value) : value);
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { site, workspace, agent, documents, now, parts, columns, choices } = JSON.parse(line);
  const decoded = Object.entries(documents).map(([month, each]) => [month, decode(each, columns)]);
  const static_ = Object.fromEntries(Object.entries(now).map(([key, each]) => [key, decodeTable(each)]));
  const known = { site, workspace, agent, now: static_, shards: new Map() };
  const shown = choices.map((given) => {
    const choice = { ...given, members: given.members && new Set(given.members) };
    const months = new Set([...parts.flatMap((part) => monthsFor(part, known, choice)), ...monthsForSummary(known, choice)]);
    const data = { ...known, shards: new Map(decoded.filter(([month]) => months.has(month))) };
    return { views: parts.map((part) => view(part, data, choice)), summary: summary(data, choice) };
  });
  process.stdout.write(`${JSON.stringify(shown, plain)}\n`);
}
