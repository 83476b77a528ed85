// Views of parts for choices, as the pages make them, without a page: JSON lines in, JSON lines out.
import { readFileSync } from "node:fs";
import { decode, decodeTable } from "../../reports/engine/cube.js";
import { view } from "../../reports/engine/view.js";

const plain = (_key, value) => (typeof value === "bigint" ? String(value) : value);
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { site, workspace, agent, documents, now, parts, choices } = JSON.parse(line);
  const shards = new Map(Object.entries(documents).map(([month, each]) => [month, decode(each)]));
  const data = { site, workspace, agent, shards,
    now: Object.fromEntries(Object.entries(now).map(([key, each]) => [key, decodeTable(each)])) };
  const views = choices.map((choice) => parts.map((part) => view(part, data,
    { ...choice, members: choice.members && new Set(choice.members) })));
  process.stdout.write(`${JSON.stringify(views, plain)}\n`);
}
