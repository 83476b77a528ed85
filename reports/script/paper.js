// Paper: every chart is drawn, in the colours and to the width of the page, and the margin of each
// page says whose it is, and of which days.
"use strict";

const paper = (() => {
  const margin = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, margin];
  const quoted = (text) => `"${text.replace(/[^\p{L}\p{N} ]/gu, (char) => `\\${char.codePointAt(0).toString(16)} `)}"`;
  const short = (text) => (text.length > 80 ? `${text.slice(0, 79).trimEnd()}…` : text);

  const head = (text) => margin.replaceSync(`@page { @top-left { content: ${quoted(short(text))}; } }`);

  const fit = (plot) => {
    const { width } = plot.getBoundingClientRect();
    Plotly.relayout(plot, { width: Math.floor(width), height: plot.clientHeight });
  };
  // `draw` draws one of the plots. Pages are counted before any hears of the printer's width: by
  // then each chart has its height. Plotly's own redrawing would come too late for the printer.
  const equip = (plots, draw) => {
    const shown = () => plots.filter((plot) => plot.checkVisibility());
    addEventListener("beforeprint", () => shown().forEach(draw));
    matchMedia("print").addEventListener("change", (event) => {
      if (event.matches) {
        shown().forEach(draw);
        shown().forEach(fit);
      } else {
        setTimeout(() => shown().forEach((plot) => { draw(plot); Plotly.Plots.resize(plot); }));
      }
    });
  };

  return { head, equip };
})();
