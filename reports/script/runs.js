// The runs of an agent: the newest thousand as a table, and what happened in each.
"use strict";

const runs = (() => {
  const section = document.getElementById("runs-section");
  const { element } = tables;
  const big = (value) => (value === null || value === undefined ? null : BigInt(value));
  const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
  const name = document.body.dataset.data;
  const has = Boolean(document.getElementById("all-runs")); // an agent that never ran has none to list

  const rowOf = (columns, index) => Object.fromEntries(
    Object.entries(columns).map(([key, values]) => [key, values[index]]));
  const addressOf = (id) => `#run=${encodeURIComponent(id)}`;
  const versionOf = (run) => (run.version === null ? "" : `v${run.version}`);
  const cellsOf = (run) => [
    { text: run.run_id, href: addressOf(run.run_id) },
    { text: moment(run.created) },
    { text: run.error_class ? `${run.status}: ${run.error_class}` : run.status },
    { text: run.trigger_type },
    { text: versionOf(run), v: run.version === null ? "" : String(run.version) },
    tables.cell("value", "seconds", { value: run.duration }),
    tables.cell("value", "usd_fine", { value: big(run.cost_usd) }),
    tables.cell("value", "tokens", { value: big(run.tokens_in) }),
    tables.cell("value", "tokens", { value: big(run.tokens_out) }),
  ];

  // The rows of a period: `from` and `to` are days, or null for all that are known.
  const list = async (from, to) => {
    const { first, runs: columns, newest } = await facts.load(`${name}-runs`);
    const status = section.querySelector("#run-status").value;
    const rows = [];
    for (let index = 0; index < newest; index++) {
      const day = facts.isoOf(first, columns.day[index]);
      if ((from && day < from) || (to && day > to)) continue;
      if (status && columns.status[index] !== status) continue;
      rows.push(cellsOf(rowOf(columns, index)));
    }
    const which = [from && facts.periodInWords(from, to), status].filter(Boolean).join(", ");
    const of = newest === 1000 ? "the newest 1,000 runs" : `all ${numbers.plural(newest, "run")}`;
    const caption = `${numbers.plural(rows.length, "run")}${which ? ` (${which})` : ""} of ${of}; times in UTC`;
    tables.write(document.getElementById("runs"), { caption, rows });
    tables.say(caption);
  };
  // The most expensive runs: as built, or those of a view where the page holds all its listed runs.
  const ranked = document.getElementById("most-expensive-runs");
  const built = ranked && { caption: ranked.caption.textContent, rows: [...ranked.tBodies[0].rows] };
  const rank = async (view) => {
    if (!ranked) return;
    const unknown = document.getElementById("most-expensive-unknown");
    const { caption, rows, reason } = view ? await rankedOf(view) : { caption: built.caption, rows: [] };
    tables.write(ranked, { caption, rows });
    if (!view) ranked.tBodies[0].append(...built.rows);
    unknown.textContent = reason ?? "";
    unknown.hidden = !reason;
    ranked.closest(".ranked").hidden = Boolean(reason);
  };
  const rankedOf = async (view) => {
    const { first, runs: columns } = await facts.load(`${name}-runs`);
    const span = telling.spanOf(view), [from, to] = [view.from, view.to].map((day) => telling.dayOf(view, day));
    const known = columns.run_id.map((_, index) => rowOf(columns, index))
      .filter(({ day }) => facts.isoOf(first, day) >= from && facts.isoOf(first, day) <= to);
    const priced = known.filter((run) => run.cost_usd !== null).map((run) => [big(run.cost_usd), run]);
    const { listed_run_count: count } = facts.over(view.document, view.from, view.to);
    if (count > known.length) return { caption: "", rows: [], reason: `The most expensive runs of ${span} are not known here: the page holds the newest 1,000.` };
    if (!priced.length) return { caption: "", rows: [], reason: `No listed run of known cost in ${span}.` };
    const top = priced.sort(([a, one], [b, other]) => (a === b ? (one.run_id < other.run_id ? -1 : 1) : a < b ? 1 : -1)).slice(0, 10);
    return { caption: `The ${numbers.plural(top.length, "most expensive run")}, ${span}; times in UTC`, rows: top.map(([, run]) => cellsOf(run)) };
  };
  const offerStatuses = async () => {
    const { runs: columns } = await facts.load(`${name}-runs`);
    const select = section.querySelector("#run-status");
    if (select.options.length > 1) return;
    for (const status of [...new Set(columns.status)].sort()) select.append(element("option", status, { value: status }));
  };

  // What happened in one run, as a dialog.
  const small = (caption, heads, rows) => {
    const table = document.createElement("table");
    table.append(element("caption"));
    table.caption.append(element("span", caption));
    const head = table.createTHead().insertRow();
    for (const [text, kind] of heads) head.append(element("th", text, { scope: "col", ...(kind && { class: kind }) }));
    table.append(document.createElement("tbody"));
    tables.write(table, { caption, rows });
    const scroll = element("div", "", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption });
    scroll.append(table);
    return scroll;
  };
  const factsOf = (run) => [
    ["Status", run.status], ["Error class", run.error_class],
    ["Created", `${moment(run.created)} UTC`], ["Version", versionOf(run)], ["Started by", run.trigger_type],
    ["Parent run", run.parent_run_id],
    ["Time in the queue", numbers.duration(run.queue)], ["Duration", numbers.duration(run.duration)],
    ["Cost", run.cost_usd === null ? "not known" : `$${numbers.exact(big(run.cost_usd))}`],
    ["Tokens in", numbers.count(big(run.tokens_in))], ["Tokens out", numbers.count(big(run.tokens_out))],
  ].filter(([, value]) => value);
  const rowsWith = (columns, run) => (columns.run ?? []).map((each, row) => [each, row])
    .filter(([each]) => each === run).map(([, row]) => rowOf(columns, row));
  const modelsOf = ({ models, runs: all }, index) => rowsWith(models, index)
    .map((each) => (each.is_all ? { ...each, ...used(rowOf(all, index)) } : each)).map((each) => [
      { text: each.model }, { text: each.provider },
      tables.cell("value", "usd_fine", { value: big(each.cost_usd) }),
      ...["tokens_in", "tokens_out", "request_count"].map((key) => tables.cell("value", "count", { value: big(each[key]) }))]);
  const used = ({ cost_usd, tokens_in, tokens_out }) => ({ cost_usd, tokens_in, tokens_out });
  const eventsOf = (timeline, index) => rowsWith(timeline, index).map((event) => [
    { text: numbers.duration(event.after_ms / 1000) }, { text: event.what }, { text: event.node },
    { text: event.duration_ms === null ? "" : numbers.duration(event.duration_ms / 1000), v: String(event.duration_ms ?? "") },
    { text: event.is_error ? "error" : "" }]);
  const show = async (id, closed) => {
    const [known, timeline] = await Promise.all([facts.load(`${name}-runs`), facts.load(`${name}-events`)]);
    const dialog = document.getElementById("run-detail");
    const body = dialog.querySelector(".body");
    const index = known.runs.run_id.indexOf(id);
    dialog.querySelector("h2").textContent = `Run ${id}`;
    body.replaceChildren();
    if (index < 0) {
      body.append(element("p", "This run is not among those that the page knows: the newest 1,000, and the most expensive.", { class: "empty" }));
    } else {
      const list = body.appendChild(element("dl", "", { class: "facts" }));
      for (const [term, value] of factsOf(rowOf(known.runs, index))) list.append(element("dt", term), element("dd", value));
      const models = modelsOf(known, index), events = eventsOf(timeline, index);
      body.append(models.length ? small("What the run used of each model", [["Model", "name"], ["Provider", "name"], ["Cost", ""],
        ["Tokens in", ""], ["Tokens out", ""], ["Requests", ""]], models) : element("p", "No model costs were read for this run."));
      body.append(events.length ? small("Log events, by the time since the run was created", [["After", "text"], ["Event", "name"],
        ["Node", "name"], ["Took", ""], ["Error", "text"]], events)
        : element("p", `No log events: pages keep those of the newest ${known.timelines} runs and of the most expensive.`));
    }
    dialog.addEventListener("close", closed, { once: true });
    if (!dialog.open) dialog.showModal();
  };
  const hide = () => document.getElementById("run-detail")?.close();

  // Makes the runs of a table lead to their details.
  const link = (table) => {
    for (const head of table?.tBodies[0].querySelectorAll("th") ?? []) {
      const made = element("a", "", { href: addressOf(head.textContent) });
      made.append(...head.childNodes);
      head.append(made);
    }
  };

  return { has, link, list, rank, offerStatuses, show, hide };
})();
