// A page at work: what its address chooses, its charts, its tables, its colours.
"use strict";

(() => {
  const root = document.documentElement, { dataset } = document.body;
  let specs = {}; // what the charts are drawn from, by key
  const plots = [...document.querySelectorAll(".plot")];
  const picker = document.getElementById("picker");
  const byId = (id) => document.getElementById(id);
  const DAY = /^\d{4}-\d\d-\d\d$/;
  const CHARTED = new Set(["days", "rates", "stack", "spreads"]);

  // State: what the reader chose. It stands in the address, so that a link shows the same.
  const memberNames = new Map([...document.querySelectorAll('[name="member"]')]
    .map((box) => [box.value, box.closest("label").querySelector("bdi").textContent]));
  const state = { from: null, to: null, members: [], sort: [], run: null };
  let base = null, chosen = null; // the page's document, and that of the members chosen

  const read = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const day = (name) => (DAY.test(given.get(name) ?? "") && !Number.isNaN(Date.parse(given.get(name))) ? given.get(name) : null);
    const [from, to] = [day("from"), day("to")];
    state.from = from ?? to;
    state.to = to ?? from;
    if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
    state.members = (given.get("only") ?? "").split(",").filter((each) => memberNames.has(each));
    state.sort = given.getAll("sort").map((each) => each.split(":")).filter(([id, index, direction]) =>
      byId(id)?.tHead?.rows[0].cells[index] && ["ascending", "descending"].includes(direction));
    state.run = given.get("run");
  };
  const write = () => {
    const kept = new URLSearchParams();
    if (state.from) { kept.set("from", state.from); kept.set("to", state.to); }
    if (state.members.length) kept.set("only", state.members.join(","));
    for (const each of state.sort) kept.append("sort", each.join(":"));
    if (state.run) kept.set("run", state.run);
    history.replaceState(null, "", String(kept) ? `#${kept}` : location.pathname + location.search);
  };

  // Views: the days, and the figures, that a chart shows.
  const isChosen = () => Boolean(state.from || state.members.length);
  const viewOf = (spec) => {
    const document = chosen ?? base;
    const at = (iso) => facts.indexOf(document.first, iso);
    const last = base.states.length - 1;
    if (state.from) return { document, isChosen: true, from: Math.max(at(state.from), 0), to: Math.min(at(state.to), last) };
    const isCharted = isChosen() || CHARTED.has(spec.kind) || spec.charted; // of a choice, all show the same days
    const [from, to] = isCharted ? [at(dataset.chartFirst), last] : [last - 30, last - 1];
    return { document, isChosen: isChosen(), from, to };
  };

  // Texts as built, for when nothing is chosen any more.
  const built = new Map([...document.querySelectorAll("figure.chart")].map((figure) => [figure, {
    title: figure.querySelector("h3").textContent, text: figure.querySelector("figcaption p").textContent,
    isEmpty: "empty" in figure.dataset }]));

  const retell = (figure) => {
    const plot = figure.querySelector(".plot"), spec = plot && specs[plot.dataset.chart];
    if (!spec?.title) return;
    const view = viewOf(spec), was = built.get(figure);
    const context = view.from <= view.to ? telling.contextOf(spec, view) : null;
    const isShown = isChosen() ? context : !was.isEmpty;
    const [title, text, table] = ["h3", "figcaption p", "table"].map((each) => figure.querySelector(each));
    plot.hidden = !isShown;
    figure.toggleAttribute("data-nothing", isChosen() && !context);
    if (!isChosen()) [title.textContent, text.textContent] = [was.title, was.text];
    else if (!context) [title.textContent, text.textContent] = telling.nothing(spec, view);
    else [title.textContent, text.textContent] = [numbers.fill(telling.titleOf(spec, context), context), numbers.fill(spec.subtitle, context)];
    if (table && spec.table && (context || isChosen())) {
      const caption = numbers.fill(spec.table.caption, { span: telling.spanOf(view) });
      tables.write(table, { caption, ...(context ? rows.of[spec.table.kind](spec.table, view, spec) : { rows: [] }) });
    }
  };

  // The headline figures of what was chosen.
  const headline = () => {
    const block = byId("chosen");
    block.hidden = !isChosen();
    root.toggleAttribute("data-chosen", isChosen());
    paper.head(document.querySelector("h1").textContent);
    periods.showMonth(state);
    if (block.hidden) return;
    const view = viewOf({ kind: "days" }), values = facts.over(view.document, view.from, view.to);
    const who = state.members.map((each) => memberNames.get(each)).join(", ");
    const what = `${telling.spanOf(view)}${who ? ` · ${who}` : ""}`;
    block.querySelector("p").textContent = `Chosen: ${what}`;
    paper.head(`${document.querySelector("h1").textContent} · ${what}`);
    const kpis = [["Cost", "cost_usd", "usd"], ["Runs", "run_count", "count"], ["Failure rate", "failed_count/finished_count", "rate"],
      ["Failed cost", "failed_cost_usd", "range"], ["Cost per successful run", "run_cost_usd/succeeded_count", "each"]];
    block.querySelector("dl").replaceChildren(...kpis.map(([label, name, unit]) => {
      const box = tables.element("div", "", { class: "kpi" });
      box.append(tables.element("dt", label), tables.element("dd", numbers.figure(name, unit, values), { class: "value" }));
      return box;
    }));
  };

  // Charts: drawn when they come into sight, and drawn anew when what they show has changed.
  const seen = new Set();
  const draw = (plot) => {
    const spec = specs[plot.dataset.chart];
    if (plot.hidden) return;
    const isNew = !seen.has(plot);
    seen.add(plot);
    try {
      if (isNew) plot.replaceChildren();
      charts.draw(plot, spec, viewOf(spec));
      if (isNew) follow(plot, spec);
    } catch (error) {
      plot.textContent = "This chart could not be drawn; its figures are in the table.";
      console.error(plot.dataset.chart, error);
    }
  };
  // What stood beside a chart may be hidden now: such a chart has another width.
  const redraw = () => {
    seen.forEach(draw);
    for (const plot of seen) {
      if (plot.checkVisibility() && plot.querySelector(".main-svg")?.clientWidth !== plot.clientWidth) Plotly.Plots.resize(plot);
    }
  };
  // A click on a day chooses it; a click on a bar that has a page opens it.
  const follow = (plot, spec) => plot.on("plotly_click", ({ points: [point] }) => {
    if (spec.kind === "days" && DAY.test(point.x)) choose({ from: point.x, to: point.x });
    const href = spec.linked && charts.hrefOf(spec, viewOf(spec), point.pointIndex);
    if (href) location.assign(href);
  });

  const figures = [...document.querySelectorAll("figure.chart")];
  const sortTables = () => { for (const [id, index, direction] of state.sort) tables.sort(byId(id), Number(index), direction); };
  // The figures of the members chosen, or of all. Agents side by side come from a file of their own:
  // the page brings but the most expensive of its charted days.
  const choiceOf = async (names) => {
    const document = names.length ? facts.merged(base, await Promise.all(names.map(facts.load))) : base;
    const { members } = dataset.members ? (await facts.load(dataset.members)).splits : base.splits;
    if (!members) return document;
    const shown = names.length ? facts.only(members, (href) => names.includes(href.split("/").at(-1).replace(/\.html$/, ""))) : members;
    return { ...document, splits: { ...document.splits, members: shown, top: shown } };
  };
  const apply = async () => {
    if (!dataset.data) { // a page of tables alone
      paper.head(document.title);
      sortTables();
      root.dataset.ready = "";
      return;
    }
    [specs, base] = await Promise.all([facts.load(dataset.charts), base ?? facts.load(dataset.data)]);
    chosen = isChosen() ? await choiceOf(state.members) : null;
    if (picker) {
      if (picker.hidden) equipPicker();
      fillPicker();
      headline();
    }
    figures.forEach(retell);
    redraw();
    if (runs.has) await runs.rank(isChosen() ? viewOf({ kind: "days" }) : null);
    sortTables();
    if (runs.has && (state.from || runs.isOpen)) await listRuns();
    if (runs.has && state.run) await runs.show(state.run, () => { state.run = null; write(); });
    root.dataset.ready = "";
  };
  const fail = (error) => {
    tables.say(`Not shown: ${error.message}`);
    console.error(error);
  };
  const listRuns = async () => {
    runs.isOpen = true;
    await runs.offerStatuses();
    await runs.list(state.from, state.to);
  };
  const choose = (change) => {
    Object.assign(state, change);
    write();
    apply().catch(fail);
  };

  // The picker
  const fillPicker = () => {
    byId("period").value = periods.nameOf(state.from, state.to);
    byId("from").value = state.from ?? "";
    byId("to").value = state.to ?? "";
    picker.classList.toggle("own", byId("period").value === "own");
    byId("clear").hidden = !isChosen();
    for (const box of picker.querySelectorAll('[name="member"]')) box.checked = state.members.includes(box.value);
    const names = state.members.map((each) => memberNames.get(each));
    if (byId("chosen-members")) byId("chosen-members").textContent = names.length ? names.join(", ") : "all";
  };
  const equipPicker = () => {
    periods.offer(byId("period"), facts.isoOf(base.first, Math.max([...base.states].findIndex((each) => each !== "n"), 0)));
    byId("period").addEventListener("change", ({ target: { value } }) => {
      picker.classList.toggle("own", value === "own");
      if (value === "own") byId("from").focus();
      else choose(value ? { from: periods.of(value)[0], to: periods.of(value)[1] } : { from: null, to: null });
    });
    for (const id of ["from", "to"]) {
      byId(id).min = facts.isoOf(dataset.today, -395);
      byId(id).max = dataset.today;
      byId(id).addEventListener("change", () => {
        const [from, to] = [byId("from").value, byId("to").value];
        if (from && to) choose({ from: from < to ? from : to, to: from < to ? to : from });
      });
    }
    byId("clear").addEventListener("click", () => { choose({ from: null, to: null, members: [] }); byId("period").focus(); });
    byId("find-member")?.addEventListener("input", ({ target: { value } }) => {
      for (const item of picker.querySelectorAll("li")) item.hidden = !item.textContent.toLowerCase().includes(value.toLowerCase());
    });
    picker.addEventListener("change", ({ target }) => {
      if (target.name === "member") choose({ members: [...picker.querySelectorAll('[name="member"]:checked')].map((box) => box.value) });
    });
    const panel = picker.querySelector(".members");
    const fold = () => panel?.removeAttribute("open");
    document.addEventListener("click", ({ target }) => { if (!panel?.contains(target)) fold(); });
    panel?.addEventListener("keydown", ({ key }) => { if (key === "Escape") { fold(); panel.firstElementChild.focus(); } });
    picker.addEventListener("submit", (event) => event.preventDefault());
    picker.hidden = false;
  };

  paper.equip(plots, draw);

  // Theme: the reader's choice, else that of the system.
  const THEMES = ["light", "dark"];
  const button = byId("theme"), systemDark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const theme = () => root.dataset.theme ?? (systemDark.matches ? "dark" : "light");
  const label = () => { button.textContent = theme() === "dark" ? "Light colours" : "Dark colours"; };
  if (THEMES.includes(stored())) root.dataset.theme = stored();
  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* not kept */ }
    label();
    redraw();
  });
  systemDark.addEventListener("change", () => { label(); redraw(); });
  label();
  button.hidden = false;

  // Links within the page keep what was chosen; a day or a run in a link is a choice.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    const hash = link.getAttribute("href").slice(1);
    event.preventDefault();
    if (hash.includes("=")) {
      const given = new URLSearchParams(hash);
      choose(given.has("run") ? { run: given.get("run") } : { from: given.get("from"), to: given.get("to") });
      return;
    }
    const target = byId(hash);
    target.closest("details")?.setAttribute("open", "");
    target.scrollIntoView();
    target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
  });

  document.addEventListener("DOMContentLoaded", async () => {
    const pageName = document.title.split(" – ").slice(0, -1).join(" ").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
    const nameOf = (table) => [pageName || "page", table.id || "table", state.from ?? `to-${dataset.today}`, state.to].filter(Boolean).join("_") + ".csv";
    tables.equip((id, index, direction) => {
      state.sort = [...state.sort.filter(([each]) => each !== id), [id, String(index), direction]];
      write();
    }, nameOf);
    if (runs.has) {
      for (const id of ["most-expensive-runs", "runs"]) runs.link(byId(id));
      byId("all-runs").hidden = false;
      byId("show-runs").addEventListener("click", () => listRuns().catch(fail));
      byId("run-status").addEventListener("change", () => listRuns().catch(fail));
      byId("close-run").addEventListener("click", runs.hide);
    }
    addEventListener("hashchange", () => { read(); apply().catch(fail); });
    read();
    try {
      await apply();
    } catch (error) {
      fail(error);
      return;
    }
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((each) => each.isIntersecting)) {
        observer.unobserve(entry.target);
        draw(entry.target);
      }
    }, { rootMargin: "400px" });
    plots.forEach((plot) => observer.observe(plot));
  });
})();
