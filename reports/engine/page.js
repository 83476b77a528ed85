/** A page at work: it loads the data that its address chooses, writes headings, texts and
 * tables, and draws each chart when it comes near the screen. */
import { answersView, membersOf } from "./answers.js";
import { cards, periodWords } from "./cards.js";
import { decode, decodeTable } from "./cube.js";
import { dayInShort, periodInWords } from "./days.js";
import { load, loadAnew } from "./load.js";
import { foldSections, goTo, showSiblings, startMenu } from "./nav.js";
import { namesOf, showPicked, startPicker } from "./picker.js";
import { DEFAULT_DAYS, calendarOf, daysFor, isQuiet, monthsFor, periodOf } from "./period.js";
import { painted, plot } from "./plot.js";
import { printHead, startPrint } from "./print.js";
import { hasRuns, hideRun, listRuns, showRun, startRuns } from "./runs.js";
import { carried, daysChosen, fragmentOf, noState, readState } from "./state.js";
import { element, say, sortTables, startTables, write } from "./tables.js";
import { startTheme } from "./theme.js";
import { switched, view, waysOf } from "./view.js";

/** @typedef {import("./period.js").Data} Data */
/** @typedef {import("./view.js").Part} Part */

const pageRoot = document.documentElement, pageData = document.body.dataset;
const pagePlots = [...document.querySelectorAll(".plot")];
const onPage = (id) => document.getElementById(id);
/** An id, or nothing where the page is of all. @param {string | undefined} id */
const oneOf = (id) => (id && id !== "(all)" ? id : undefined);
/** @type {Data} */
const data = { site: null, shards: new Map(), root: pageData.root,
  workspace: oneOf(pageData.workspace), agent: oneOf(pageData.agent),
  events: JSON.parse(pageData.events ?? "[]"),
  marked: JSON.parse(pageData.marked ?? "{}") };
/** @type {Part[]} */
let pageParts = [];
/** @type {import("./cube.js").Layout} */
let layout = {}; // of data files
const isOwn = pageData.entity === "own";
let state = noState(), followed = state; // what is chosen, and the last of it that was shown
let choice = { from: null, to: null, isMonth: false, members: null, isChosen: false };
/** @type {(entity: string) => boolean} */
let isEntity = () => true;
let members = []; // what the page has to choose from: {id, name, entity}
let applied = 0; // counts the choices, as a later one may overtake an earlier

// Colours: a role such as "@cost" stands for the custom property --cost of the style sheet, and
// "@cost~" for the same, pale.
const colourProbe = document.body.appendChild(document.createElement("i"));
colourProbe.hidden = true;
colourProbe.style.forcedColorAdjust = "none"; // what draws apart keeps its colours
const PALE = 0.3;
const colourOf = (role) => {
  const [name, pale] = role.slice(1).split("~");
  colourProbe.style.color = `var(--${name})`;
  const { color } = getComputedStyle(colourProbe);
  return pale === undefined ? color : color.replace("rgb(", "rgba(").replace(")", `, ${PALE})`);
};
const PLOT_CONFIG = { displaylogo: false, displayModeBar: false, showSendToCloud: false,
  plotlyServerURL: "" };
const pen = document.createElement("canvas").getContext("2d"); // measures texts of charts

// Views of the choice, by the key of their part.
const views = new Map();
const asSwitched = (part) => switched(part, state.by, state.show);
const tell = (declared) => {
  const figure = onPage(declared.key);
  if (!figure) return;
  const part = asSwitched(declared), shown = (isOwn ? answersView : view)(part, data, choice);
  const box = figure.querySelector(".plot");
  views.set(part.key, shown);
  if (declared.split) showSwitches(figure, declared, part);
  const [title, text] = [onPage(`${part.key}-title`), onPage(`${part.key}-what`)];
  if (title) [title.textContent, text.textContent] = [shown.title, shown.subtitle];
  if (box) {
    box.hidden = !shown.isDrawn;
    box.classList.toggle("rows", shown.axis === "key"); // its height follows from its rows
    const hasLegend = shown.series.length > 3 || part.draw?.some(({ panel }) => panel);
    box.classList.toggle("parts", Boolean(hasLegend));
  }
  figure.toggleAttribute("data-nothing", shown.isEmpty);
  const table = onPage(`${part.key}-table`);
  if (table?.closest(".drawn")) {
    write(table, { caption: shown.caption || shown.title, ...shown.table });
  }
};
/** Shows which way a chart is switched, and hides what has no such figures. */
const showSwitches = (figure, { split, show }, { stack, draw }) => {
  const way = split.find(({ by }) => String(by) === String(stack));
  for (const button of figure.querySelectorAll(".switches button")) {
    const { name, value } = button;
    const shown = show.find((each) => each.name === value);
    button.setAttribute("aria-pressed",
      String(name === "by" ? value === way?.name : shown?.value === draw[0].value));
    button.hidden = name === "show" && Boolean(way?.values) && !way.values.includes(value);
  }
  const isRanked = String(stack).startsWith("agent_id") && draw[0].value === "cost_usd";
  pageRoot.toggleAttribute("data-dots", isRanked);
};
const seenPlots = new Set();
const plotSizes = new ResizeObserver((changed) => {
  for (const { target: box } of changed) { // labels find their rows by the width
    const isOtherWidth = box.querySelector(".main-svg")?.clientWidth !== box.clientWidth;
    if (!box.data || !box.clientWidth || !isOtherWidth) continue;
    draw(box);
    Plotly.Plots.resize(box);
  }
});
const draw = (box) => {
  seenPlots.add(box); // drawn now, or once there is something to draw
  const shown = views.get(box.dataset.part), isNew = !box.data;
  if (!shown || box.hidden || !globalThis.Plotly) return;
  try {
    if (isNew) box.replaceChildren();
    const part = asSwitched(pageParts.find(({ key }) => key === box.dataset.part));
    const { fontFamily: family } = getComputedStyle(document.body);
    pen.font = `11px ${family}`;
    const screen = { isNarrow: innerWidth < 640, width: box.clientWidth,
      widthOf: (text) => pen.measureText(text).width };
    const drawn = painted(plot(shown, part, screen, LOOKS), colourOf);
    drawn.layout.font = { ...drawn.layout.font, family };
    Plotly.react(box, drawn.data, drawn.layout, PLOT_CONFIG);
    if (!isNew) return;
    box.on("plotly_click", ({ points: [point] }) => follow(box, point));
    plotSizes.observe(box);
  } catch (error) {
    box.textContent = "This chart could not be drawn; its figures are in the table.";
    reportError(error);
  }
};
// A click on a day chooses it; a click on a bar that has a page opens it.
const follow = (box, { pointIndex }) => {
  const href = views.get(box.dataset.part).rows[pointIndex]?.href;
  if (href) go(href);
};
const redraw = () => seenPlots.forEach(draw);

// Choices
/** Writes what is shown to the address, without defaults and values that the page does not offer.
 * @param {"pushState" | "replaceState"} method adds an entry to the history, or changes its last */
const remember = (method = "replaceState") => {
  const large = pageParts.find(({ split }) => split);
  const { by = null, show: what = null } = large ? waysOf(large, state.by, state.show) : {};
  state = { ...state, by, show: what };
  const fragment = fragmentOf(state), old = readState(location.hash, isEntity);
  const isSame = fragment === fragmentOf({ ...old, at: null });
  history[isSame ? "replaceState" : method](null, "",
    fragment ? `#${fragment}` : location.pathname + location.search);
};
const fail = (error) => {
  const text = `Not shown: ${error.message}`;
  const notice = element("p", text, { id: "not-shown", class: "notice" });
  say(text);
  onPage("not-shown")?.remove();
  (onPage("picker") ?? document.querySelector("h1")).after(notice);
  reportError(error);
};
const choose = (change) => {
  const { only } = change;
  if (only) { // what is chosen on other pages stays so, unless all is cleared
    const here = new Set(members.map(({ entity }) => entity));
    const isCleared = !only.length && change.period === null;
    const others = isCleared ? [] : state.only.filter((entity) => !here.has(entity));
    change = { ...change, only: [...others, ...only] };
  }
  state = { ...state, ...change, at: null };
  apply("pushState").catch(fail);
};
/** Follows an address: another page, a choice, or a part of this page. @param {string} href */
const go = (href) => {
  if (href[0] !== "#") {
    location.assign(carried(href, state, isEntity));
    return;
  }
  const { period, from, to, only, run, at } = readState(href, isEntity);
  if (run) choose({ run });
  else if (period || from || only.length) choose({ ...(period || from ? { period, from, to } : {}),
    ...(only.length && { only }) });
  if (at) goTo(at);
};

/** What there is to choose from: the days of the site, of rows of one's own queries any. */
const daysToChoose = () =>
  ({ ...calendarOf(data), first: isOwn ? "1970-01-01" : data.site.first });
const chosenMembers = () => members.filter(({ entity }) => state.only.includes(entity));
/** The data of months, of which those are loaded that are not there yet.
 * @param {string[]} months */
const loadMonths = async (months) => {
  const missing = months.filter((month) => !data.shards.has(month));
  const documents = await Promise.all(missing.map((month) => load(`${month}/${pageData.entity}`)));
  if (missing.length && "ready" in pageRoot.dataset) { // these files may be newer than the page
    const isSame = JSON.stringify(await loadAnew("site")) === JSON.stringify(data.site);
    if (!isSame) throw new Error("these pages were published anew; reload the page");
  }
  missing.forEach((month, index) => data.shards.set(month, decode(documents[index], layout)));
  return new Map([...data.shards].filter(([month]) => months.includes(month)));
};
const showChosen = () => {
  const heading = document.querySelector("h1").textContent, what = periodWords(data, choice);
  const wasChosen = pageRoot.hasAttribute("data-chosen");
  pageRoot.toggleAttribute("data-chosen", choice.isChosen);
  onPage("span").textContent = isOwn ? "" : what;
  pageRoot.toggleAttribute("data-members", Boolean(choice.members));
  const days = isOwn && !choice.from ? [] : [periodInWords(...periodOf(data, choice).days)];
  const words = [...days, ...namesOf(chosenMembers())].join(" · ");
  printHead(`${heading} · ${words}`);
  if (choice.isChosen || wasChosen) say(`Shown: ${words}`);
  if (onPage("cards")) showCards();
};
const showCards = () => {
  for (const { key, ...texts } of cards(data, choice)) {
    for (const name of ["label", "value", "more", "note", "change"]) {
      const place = onPage(`card-${key}`).querySelector(`.${name}`);
      if (name !== "label" || texts.label) place.textContent = texts[name] ?? "";
    }
  }
};
const listOfRuns = async () => {
  const [from, to] = daysFor(data, choice);
  state.status = await listRuns({ from, to }, state.status);
  remember();
};

const isInSight = ({ key }) => {
  const place = onPage(key)?.getBoundingClientRect();
  return !place || (place.bottom > 0 && place.top < innerHeight);
};
const nextFrame = () => new Promise((resolve) => {
  requestAnimationFrame(() => setTimeout(resolve)); // once it is painted
});
/** Writes and draws a part; one that fails leaves the others as they should be. */
const show = (part) => {
  try {
    tell(part);
    const box = onPage(part.key)?.querySelector(".plot");
    if (seenPlots.has(box)) draw(box);
  } catch (error) {
    reportError(error);
  }
};
/** Chooses anew what was shown last. */
const goBack = async () => {
  const { period, from, to, only } = followed;
  state = { ...state, period, from, to, only };
  await apply("replaceState", true).catch(reportError);
};
/** Shows what is chosen; where its data are missing, what was shown before.
 * @param {"pushState" | "replaceState"} method how the history gets it */
const apply = async (method = "replaceState", isReturn = false) => {
  onPage("not-shown")?.remove();
  const turn = ++applied, days = daysChosen(state, daysToChoose()), picked = chosenMembers();
  choice = { ...days, members: picked.length ? new Set(picked.map(({ id }) => id)) : null,
    isChosen: Boolean(days.from || picked.length) };
  if (onPage("picker")) showPicked(state.period, choice, picked);
  try {
    if (!isOwn && onPage("picker")) await loadMonths(monthsFor(data, choice));
  } catch (error) {
    if (turn !== applied) return;
    if (!isReturn) await goBack();
    throw error;
  }
  if (turn !== applied) return;
  remember(method);
  followed = state;
  sortTables(state.sort);
  if (onPage("picker")) showChosen();
  else printHead(document.querySelector("h1").textContent);
  const far = pageParts.filter((part) => !isInSight(part));
  pageParts.filter(isInSight).forEach(show);
  for (const part of far) {
    await nextFrame(); // what is in sight is painted first
    if (turn !== applied) return;
    show(part);
  }
  if (hasRuns()) await listOfRuns();
  if (hasRuns() && state.run) await showRun(state.run);
  else hideRun();
  pageRoot.dataset.ready = "";
};

// Links carry the choice: their address is made anew just before it is used.
const writtenHrefs = new WeakMap();
const carry = ({ target }) => {
  const link = target instanceof Element && target.closest("a[href]:not([download])");
  if (!link) return;
  if (!writtenHrefs.has(link)) writtenHrefs.set(link, link.getAttribute("href"));
  link.setAttribute("href", carried(writtenHrefs.get(link), state, isEntity));
};
const startLinks = () => {
  for (const event of ["pointerdown", "focusin", "click"]) {
    document.addEventListener(event, carry, { capture: true });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(writtenHrefs.get(link));
  });
};
const nearScreen = (elements, come) => {
  const observer = new IntersectionObserver((entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      observer.unobserve(target);
      come(target);
    }
  }, { rootMargin: "400px" });
  elements.forEach((each) => observer.observe(each));
};

const startPage = async () => {
  const plotly = new Promise((resolve) => {
    document.addEventListener("DOMContentLoaded", resolve, { once: true });
  });
  startTheme(redraw);
  foldSections();
  startPrint(pagePlots, draw);
  const pageName = document.querySelector("h1").textContent.toLowerCase()
    .replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "page";
  startTables((orders) => {
    state = { ...state, sort: orders };
    remember("pushState");
  }, (table) => {
    const period = isOwn && !choice.from ? ["all-days"] : daysFor(data, choice);
    return `${[pageName, table.id || "table", ...period].join("_")}.csv`;
  });
  const site = await load("site");
  data.site = site;
  const entities = new Set(site.workspaces.flatMap((workspace) =>
    [workspace.entity, ...workspace.agents.map((agent) => agent.entity)]));
  isEntity = (entity) => entity !== "" && entities.has(entity);
  startMenu(site);
  showSiblings(site, go);
  startLinks();
  await startParts(site);
  addEventListener("popstate", () => {
    state = readState(location.hash, isEntity);
    apply().then(() => state.at && goTo(state.at)).catch(fail);
  });
  state = readState(location.hash, isEntity);
  await apply().catch(fail);
  await plotly;
  nearScreen(pagePlots, draw);
  if (state.at) goTo(state.at);
};
/** Loads what the page declares, and equips its form and its runs. */
const startParts = async (site) => {
  const { months, first, last, lastOver } = daysToChoose();
  const workspace = site.workspaces.find((each) => each.id === data.workspace);
  const hasParts = document.querySelector(".plot, .drawn");
  if (isOwn) {
    const { parts = [], rows = {} } = hasParts ? await load(pageData.page) : {};
    pageParts = parts;
    data.shards = new Map([["", Object.fromEntries(Object.entries(rows).map(([key, columns]) =>
      [key, decodeTable(columns)]))]]);
  }
  if (onPage("picker")) {
    const lines = workspace ? workspace.agents : site.workspaces;
    members = isOwn ? membersOf(data)
      : data.agent ? [] : lines.filter(({ entity }) => entity);
    const newest = isOwn ? "All days" : isQuiet(data) ? "Newest month"
      : `${DEFAULT_DAYS} days to ${dayInShort(lastOver)}`;
    startPicker({ months, first, last, members, choose, newest });
  }
  if (hasRuns()) startRuns(months, loadMonths, choose, () => state.run && choose({ run: null }));
  if (!hasParts || isOwn) return;
  const page = await load(`pages/${pageData.page}`);
  layout = page.columns;
  pageParts = page.parts.filter(({ key }) => onPage(key)); // the rest stands in other parts
  document.addEventListener("click", ({ target }) => {
    const button = target.closest(".switches button");
    if (button) choose({ [button.name]: button.value });
  });
};
startPage().catch(fail);
