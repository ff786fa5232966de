"use strict";
// Figures are kept in their light form with the changes of the dark one; both are data, not code.
const root = document.documentElement;
const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
const button = document.getElementById("theme");
const plots = [...document.querySelectorAll(".plot")];
let dark = wantsDark.matches;

function changed(spec, changes) {
  if (changes === null || typeof changes !== "object" || Array.isArray(changes)) return changes;
  if (spec === null || typeof spec !== "object") return changes;
  const result = Array.isArray(spec) ? [...spec] : { ...spec };
  for (const key of Object.keys(changes)) result[key] = changed(spec[key], changes[key]);
  return result;
}

function draw(plot, isDark, width) {
  const stored = JSON.parse(document.getElementById(plot.id + "-data").textContent);
  const spec = isDark ? changed(stored.light, stored.dark) : stored.light;
  const layout = width ? { ...spec.layout, width } : { ...spec.layout, autosize: true };
  return Plotly.react(plot, spec.data, layout, {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg", filename: plot.id },
  });
}

function show(isDark, width) {
  root.dataset.theme = isDark ? "dark" : "light";
  button.textContent = isDark ? "Light theme" : "Dark theme";
  return Promise.all(plots.map((plot) => draw(plot, isDark, width)));
}

button.hidden = false;
button.addEventListener("click", () => show((dark = !dark)));
wantsDark.addEventListener("change", (event) => show((dark = event.matches)));

// Paper is light and narrower than a screen, and a closed part could not be opened on it.
const closed = [];
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    closed.push(part);
    part.open = true;
  }
  show(false, 660);
});
window.addEventListener("afterprint", () => {
  for (const part of closed.splice(0)) part.open = false;
  show(dark);
});

show(dark);
