/** Colours: those that the reader chose, else those of the system. */

/** Gives the button its work.
 * @param {() => void} changed called after the colours have changed */
export const startTheme = (changed) => {
  const button = document.getElementById("theme"), root = document.documentElement;
  const isSystemDark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => root.dataset.theme ?? (isSystemDark.matches ? "dark" : "light");
  const label = () => {
    button.textContent = theme() === "dark" ? "Light colours" : "Dark colours";
  };
  try {
    const stored = localStorage.getItem("theme");
    if (stored === "light" || stored === "dark") root.dataset.theme = stored;
  } catch { /* the reader keeps nothing */ }
  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* not kept */ }
    label();
    changed();
  });
  isSystemDark.addEventListener("change", () => { label(); changed(); });
  label();
  button.hidden = false;
};
