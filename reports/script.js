// Draws the charts, sorts the tables, switches the colours. It adds up no money.
"use strict";

(() => {
  const root = document.documentElement;
  const THEMES = ["light", "dark"];
  const CONFIG = {
    displaylogo: false, displayModeBar: false, showSendToCloud: false, plotlyServerURL: "",
    responsive: true,
  };

  // Colours: a role such as "@cost" stands for the custom property --cost of the style sheet.
  const COLOUR_KEYS = new Set(["color", "bgcolor", "fgcolor", "gridcolor", "linecolor",
    "zerolinecolor", "bordercolor"]);
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  const colour = (role) => {
    probe.style.color = `var(--${role.slice(1)})`;
    return getComputedStyle(probe).color;
  };
  const painted = (value, key) => {
    if (Array.isArray(value)) return value.map((each) => painted(each, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, k)]));
    }
    const isRole = typeof value === "string" && value[0] === "@" && COLOUR_KEYS.has(key);
    return isRole ? colour(value) : value;
  };

  const AXIS = {
    fixedrange: true, automargin: true, gridcolor: "@grid", linecolor: "@control",
    zeroline: false, ticks: "", tickangle: 0, tickfont: { color: "@muted" },
  };
  const layoutOf = (layout) => {
    const whole = {
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "@text" },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      dragmode: false, showlegend: false, hovermode: "x unified", ...layout,
      hoverlabel: { namelength: -1, bgcolor: "@page", bordercolor: "@control",
        font: { color: "@text" } },
      margin: { l: 56, r: 12, t: 20, b: 40, ...layout.margin },
    };
    for (const key of Object.keys(whole)) {
      if (key.startsWith("yaxis")) whole[key] = { ...AXIS, ...whole[key] };
      if (key.startsWith("xaxis")) whole[key] = { ...AXIS, showgrid: false, showline: true, ...whole[key] };
    }
    return painted(whole);
  };

  // Charts
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const plots = [...document.querySelectorAll(".plot")];
  const drawn = new Set();
  const draw = (plot) => {
    const figure = figures[plot.dataset.figure];
    try {
      if (!drawn.has(plot)) plot.replaceChildren();
      drawn.add(plot);
      Plotly.react(plot, painted(figure.data), layoutOf(figure.layout), CONFIG);
    } catch (error) {
      plot.textContent = "This chart could not be drawn; its figures are in the table.";
      console.error(plot.dataset.figure, error);
    }
  };
  const redraw = () => drawn.forEach(draw);

  document.addEventListener("DOMContentLoaded", () => {
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((each) => each.isIntersecting)) {
        observer.unobserve(entry.target);
        draw(entry.target);
      }
    }, { rootMargin: "400px" });
    plots.forEach((plot) => observer.observe(plot));
  });

  // Print: every chart is drawn, in the colours and to the width of the paper.
  const fit = (plot) => {
    const width = Math.floor(plot.getBoundingClientRect().width);
    const height = figures[plot.dataset.figure].layout.height ?? plot.clientHeight;
    Plotly.relayout(plot, { width, height });
  };
  const release = (plot) => { draw(plot); Plotly.Plots.resize(plot); };
  matchMedia("print").addEventListener("change", (event) => {
    if (event.matches) {
      plots.forEach(draw);
      plots.forEach(fit);
    } else {
      setTimeout(() => plots.forEach(release)); // only then the screen's widths are back
    }
  });

  // Theme: the reader's choice, else that of the system.
  const button = document.getElementById("theme");
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
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
  root.classList.add("scripted");

  // Tables: sorted by the plain value of a cell, the missing ones last in both directions.
  const announcement = document.getElementById("announcement");
  const valueOf = (row, index) => {
    const cell = row.cells[index];
    return cell.dataset.v ?? cell.textContent;
  };
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en") : x - y;
  };
  const sort = (table, head, index) => {
    const ascending = head.ariaSort ? head.ariaSort === "descending" : head.className !== "";
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [valueOf(row, index), row]);
    const known = rows.filter(([value]) => value !== "");
    known.sort(([a], [b]) => (ascending ? compare(a, b) : compare(b, a)));
    body.append(...known.map(([, row]) => row),
      ...rows.filter(([value]) => value === "").map(([, row]) => row));
    table.querySelectorAll("th[aria-sort]").forEach((each) => each.removeAttribute("aria-sort"));
    head.ariaSort = ascending ? "ascending" : "descending";
    announcement.textContent = `Sorted by ${head.textContent}, ${head.ariaSort}`;
  };
  document.querySelectorAll("table[data-sortable]").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      if (head.className === "drawing") return;
      const sorter = document.createElement("button");
      sorter.type = "button";
      sorter.textContent = head.textContent;
      sorter.addEventListener("click", () => sort(table, head, index));
      head.replaceChildren(sorter);
    });
  });
})();
