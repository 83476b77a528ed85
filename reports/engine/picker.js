/** The form in which a reader chooses a period and the members of what the page shows. */
import { monthInWords } from "./days.js";
import { figure } from "./format.js";
import { DEFAULT_DAYS } from "./period.js";
import { element } from "./tables.js";

/** @typedef {import("./state.js").State} State */
/** A line or a workspace; `isWhole` is a workspace beside its lines.
 * @typedef {{name: string, entity: string, owner?: string, isWhole?: boolean}} Member */

const SHOWN_NAMES = 6;
const LAST_DAYS = { 7: "7 days", [DEFAULT_DAYS]: `${DEFAULT_DAYS} days`, 91: "91 days" };
const pickerPart = (id) => document.getElementById(id);
const pickerOption = (value, text) => element("option", text, { value });

/** Fills the form and gives it its work.
 * @param {{months: string[], first: string | null, last: string, members: Member[], choose:
 * (change: Partial<State>) => void, newest: string}} about `newest` names the period that is shown
 * without a choice */
export const startPicker = ({ months, first, last, members, choose, newest }) => {
  const form = pickerPart("picker"), period = pickerPart("period"), own = ["from", "to"];
  const named = months.toSorted().toReversed()
    .map((month) => pickerOption(month, monthInWords(month)));
  period.replaceChildren(pickerOption("", newest), ...Object.entries(LAST_DAYS)
    .filter(([, text]) => !newest.startsWith(text)).map((each) => pickerOption(...each)),
    element("optgroup", "", { label: "Months" }, named),
    pickerOption("own", "From … to …"));
  period.addEventListener("change", () => {
    form.classList.toggle("own", period.value === "own");
    if (period.value === "own") pickerPart("from").focus();
    else choose({ period: period.value || null, from: null, to: null });
  });
  for (const id of own) {
    Object.assign(pickerPart(id), { min: first ?? "", max: last });
    pickerPart(id).addEventListener("change", () => {
      const fields = own.map(pickerPart); // a year that is typed is one of the first centuries
      const [from, to] = fields.map(({ value }) => value).toSorted();
      if (from && to && fields.every(({ validity }) => validity.valid)) {
        choose({ period: null, from, to });
      }
    });
  }
  pickerPart("clear").addEventListener("click", () => {
    choose({ period: null, from: null, to: null, only: [] });
    period.focus();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  if (members.length > 1) startMembers(form, members, choose);
  form.hidden = false;
};

/** Agents by their owner: to choose an owner is to choose its agents.
 * @type {Map<string, Member[]>} */
let membersByOwner = new Map();
const startOwners = (panel, members, choose) => {
  const lines = members.filter(({ isWhole }) => !isWhole);
  membersByOwner = Map.groupBy(lines, ({ owner = "" }) => owner);
  const owners = [...membersByOwner.keys()]
    .toSorted((a, b) => Number(!a) - Number(!b) || a.localeCompare(b, "en"));
  const select = element("select", "", { id: "owner" }, [pickerOption("", "any"),
    ...owners.map((owner) => pickerOption(`=${owner}`, owner || "no owner"))]);
  select.addEventListener("change", () => {
    const chosen = select.value ? membersByOwner.get(select.value.slice(1)) : [];
    choose({ only: chosen.map(({ entity }) => entity) });
  });
  panel.querySelector(".panel").prepend(element("label", "", {}, ["Owner ", select]));
};
const startMembers = (form, members, choose) => {
  const panel = form.querySelector(".members"), list = panel.querySelector("ul");
  list.replaceChildren(...members.map(({ entity, name }) => {
    const box = element("input", "", { type: "checkbox", name: "member", value: entity });
    return element("li", "", {}, [element("label", "", {}, [box, " ", element("bdi", name)])]);
  }));
  list.addEventListener("change", () => choose({
    only: [...list.querySelectorAll(":checked")].map((box) => box.value) }));
  if (members.some(({ owner }) => owner)) startOwners(panel, members, choose);
  pickerPart("find-member").addEventListener("input", ({ target }) => {
    const text = target.value.toLowerCase();
    for (const item of list.children) item.hidden = !item.textContent.toLowerCase().includes(text);
  });
  document.addEventListener("click", ({ target }) => {
    if (!panel.contains(target)) panel.removeAttribute("open");
  });
  panel.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    panel.removeAttribute("open");
    panel.querySelector("summary").focus();
  });
  panel.hidden = false;
};

/** The names of those chosen: the first of them, and how many others. @param {Member[]} members */
export const namesOf = (members) => {
  const names = members.slice(0, SHOWN_NAMES).map(({ name }) => name);
  const n = members.length - names.length;
  return n ? [...names, figure("n", "plural:other", { n })] : names;
};

/** Shows in the form the choice that the page follows.
 * @param {string | null} name of the period, if it has one
 * @param {{ from: string | null, to: string | null }} days
 * @param {Member[]} members those chosen */
export const showPicked = (name, days, members) => {
  const form = pickerPart("picker"), period = pickerPart("period");
  const isNewest = name === String(DEFAULT_DAYS) && period[0].text.startsWith(LAST_DAYS[name]);
  const value = days.from && !isNewest ? name ?? "own" : "";
  if (value && ![...period.options].some((each) => each.value === value)) {
    const text = value.includes("-") ? monthInWords(value) : `${value} days`;
    period.querySelector("optgroup").append(pickerOption(value, text));
  }
  period.value = value;
  form.classList.toggle("own", value === "own");
  for (const id of ["from", "to"]) pickerPart(id).value = value === "own" ? days[id] : "";
  pickerPart("clear").hidden = !value && !members.length;
  const chosen = new Set(members.map((each) => each.entity));
  for (const box of form.querySelectorAll('[name="member"]')) box.checked = chosen.has(box.value);
  pickerPart("chosen-members").textContent = namesOf(members).join(", ") || "all";
  if (membersByOwner.size) {
    const [owner] = [...membersByOwner].find(([, of]) =>
      of.length === members.length && of.every(({ entity }) => chosen.has(entity))) ?? [];
    pickerPart("owner").value = owner === undefined ? "" : `=${owner}`;
  }
};
