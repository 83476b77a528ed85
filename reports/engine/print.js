/** Paper: every chart is drawn, in the colours and to the width of the page, and the margin of
 * each page says whose it is, and of which days. */
import { shortened } from "./format.js";

const printMargin = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, printMargin];

/** @param {string} text what stands at the top of each printed page; longer ones are cut */
export const printHead = (text) => {
  const escape = (char) => `\\${char.codePointAt(0).toString(16)} `;
  const quoted = shortened(text, 80).replace(/[^\p{L}\p{N} ]/gu, escape);
  printMargin.replaceSync(`@page { @top-left { content: "${quoted}"; } }`);
};

/** Draws all charts for the printer. Pages are counted before any script hears of the printer's
 * width: by then each chart has its height. Plotly's own redrawing would come too late.
 * @param {Element[]} plots @param {(plot: Element) => void} draw draws one of the plots */
export const startPrint = (plots, draw) => {
  const shown = () => (globalThis.Plotly ? plots.filter((plot) => plot.checkVisibility()) : []);
  addEventListener("beforeprint", () => {
    const folded = document.querySelectorAll("[data-folded]");
    folded.forEach((section) => section.removeAttribute("data-folded")); // paper has them open
    shown().forEach(draw);
    folded.forEach((section) => section.setAttribute("data-folded", ""));
  });
  matchMedia("print").addEventListener("change", ({ matches }) => {
    if (!matches) {
      // From paper, Plotly keeps a size that the page's style sheet no longer gives.
      setTimeout(() => shown().forEach((plot) => { Plotly.purge(plot); draw(plot); }));
      return;
    }
    for (const plot of shown()) {
      draw(plot);
      const width = Math.floor(plot.getBoundingClientRect().width);
      Plotly.relayout(plot, { width, height: plot.clientHeight });
    }
  });
};
