/** Ways through the site: the menu, the neighbours of an agent, and long pages on a phone. */
import { element } from "./tables.js";

const FEW_AGENTS = 60; // so many stand in the menu before anything is typed
const FEW_OWN = 12; // so many pages of one's own stand below their groups before anything is typed

/** The items of the menu: {item, text, isShown}, `isShown` where nothing is typed.
 * @param {any} site @param {string} root @param {string} here the entity of the page
 * @param {string} page */
const menuItems = (site, root, here, page) => {
  const agentCount = site.workspaces.reduce((sum, workspace) => sum + workspace.agents.length, 0);
  const item = (path, name, level, isShown, isHere, workspace = "") => {
    const link = element("a", "", { href: root + path,
      ...(isHere && { "aria-current": "page" }) }, [element("bdi", name)]);
    if (workspace) link.append(element("small", workspace));
    return { text: `${workspace} ${name}`.toLowerCase(), isShown,
      item: element("li", "", { class: level }, [link]) };
  };
  const isFew = site.own.length <= FEW_OWN;
  const own = Map.groupBy(site.own, ({ group }) => group);
  const ownItems = [...own].flatMap(([group, pages]) => {
    const items = pages.map((each) => item(each.path, each.name, "statement",
      isFew || page === each.key, page === each.key, group));
    const button = element("button", "", { type: "button" },
      [element("bdi", group), ` (${pages.length})`]);
    button.ariaExpanded = String(isFew);
    button.addEventListener("click", () => {
      const isShown = items.some((each) => !each.isShown);
      button.ariaExpanded = String(isShown);
      for (const each of items) [each.isShown, each.item.hidden] = [isShown, !isShown];
    });
    return [{ item: element("li", "", { class: "group" }, [button]), isShown: true,
      text: group.toLowerCase() }, ...items];
  });
  const isOverview = here === "site" && page === "overview";
  const items = [item("index.html", "All workspaces", "site", true, isOverview),
    ...site.pages.map((each) => item(each.path, each.name, "statement", true, page === each.key)),
    ...ownItems];
  for (const workspace of site.workspaces) {
    const { name, entity, path, pages, agents } = workspace;
    const isOpen = agentCount <= FEW_AGENTS || entity === here
      || agents.some((agent) => agent.entity === here);
    items.push(item(path, name, "workspace", true, entity === here && page === "workspace"));
    items.push(...pages.map((each) => item(each.path, each.name, "statement", isOpen,
      entity === here && page === each.key, name)));
    items.push(...agents.filter((agent) => agent.path).map((agent) =>
      item(agent.path, agent.name, "agent", isOpen, agent.entity === here, name)));
  }
  return items;
};

/** Within a place, arrow keys move from a field through the links found; Enter opens the first.
 * @param {HTMLElement} place @param {HTMLElement} field @param {() => HTMLElement[]} found */
const startArrows = (place, field, found) => {
  place.addEventListener("keydown", (event) => {
    const links = found(), at = links.indexOf(document.activeElement);
    if (event.key === "Enter" && event.target === field) links[0]?.click();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    (links[at + step] ?? (step < 0 ? field : links.at(-1)))?.focus();
  });
};

/** Gives the menu button its dialog: names are filtered as one types, arrow keys move, Enter
 * opens.
 * @param {any} site the document "site" */
export const startMenu = (site) => {
  const { root, entity, page } = document.body.dataset;
  const dialog = document.getElementById("menu"), button = document.getElementById("open-menu");
  const [field, list, count] = ["input", "ul", "[role=status]"]
    .map((each) => dialog.querySelector(each));
  /** @type {{item: HTMLElement, text: string, isShown: boolean}[]} */
  let items = [];
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { item, text, isShown } of items) {
      item.hidden = words.length ? !words.every((word) => text.includes(word)) : !isShown;
    }
    list.toggleAttribute("data-found", words.length > 0);
    const shown = items.filter(({ item }) => !item.hidden).length;
    count.textContent = words.length ? `${shown} of ${items.length} pages` : "";
  };
  button.addEventListener("click", () => {
    if (!items.length) {
      items = menuItems(site, root, entity, page);
      list.replaceChildren(...items.map(({ item }) => item));
    }
    field.value = "";
    filter();
    dialog.showModal();
    field.focus();
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
  });
  field.addEventListener("input", filter);
  startArrows(dialog, field, () => [...list.querySelectorAll("li:not([hidden]) a")]);
  dialog.addEventListener("click", ({ target }) => {
    const link = target.closest("a");
    if (target === dialog || link) dialog.close(); // the shade around it, or a page chosen
  });
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  button.hidden = false;
};

/** On the page of an agent: the one before, the one after, and all of its workspace to choose from.
 * @param {any} site @param {(href: string) => void} go */
export const showSiblings = (site, go) => {
  const { root, entity } = document.body.dataset, nav = document.getElementById("siblings");
  const agents = site.workspaces.map((each) => each.agents.filter(({ path }) => path))
    .find((each) => each.some((agent) => agent.entity === entity)) ?? [];
  if (!nav || agents.length < 2) {
    nav?.remove();
    return;
  }
  const at = agents.findIndex((agent) => agent.entity === entity);
  const link = (agent, sign, which) => (agent ? [element("a", sign,
    { href: root + agent.path, title: agent.name, "aria-label": `${which}: ${agent.name}` })] : []);
  const select = element("select", "", { "aria-label": "Agent", autocomplete: "off" },
    agents.map(({ name, path }) => element("option", name, { value: root + path })));
  select.selectedIndex = at;
  select.addEventListener("change", () => go(select.value));
  nav.replaceChildren(...link(agents[at - 1], "\u2039", "Previous"), select,
    ...link(agents[at + 1], "\u203a", "Next"));
  nav.hidden = false;
};

/** Folds sections that are far down where the screen is narrow. What is folded
 * stays so on a wide one, which shows it all the same: a phone may be turned back. */
export const foldSections = () => {
  const narrow = matchMedia("(max-width: 639px)");
  const sections = [...document.querySelectorAll("main > section[data-fold]")];
  const fold = () => sections.forEach((section) => {
    const head = section.querySelector("h2"), title = head.textContent;
    if (!narrow.matches) {
      head.replaceChildren(title); // without its button
      return;
    }
    const button = element("button", title,
      { type: "button", "aria-expanded": String(!section.hasAttribute("data-folded")) });
    button.addEventListener("click", () => {
      button.ariaExpanded = String(!section.toggleAttribute("data-folded"));
    });
    head.replaceChildren(button);
  });
  sections.forEach((section) => section.setAttribute("data-folded", ""));
  narrow.addEventListener("change", fold);
  if (narrow.matches) fold();
};

/** Goes to a part of the page and opens what it stands in.
 * @param {string} id */
export const goTo = (id) => {
  const target = document.getElementById(id);
  if (!target) return;
  const section = target.closest("section[data-folded]");
  section?.querySelector("h2 button")?.click();
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    fold.setAttribute("open", "");
  }
  target.scrollIntoView();
  target.setAttribute("tabindex", "-1");
  target.focus({ preventScroll: true });
};
