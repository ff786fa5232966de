"use strict";
// Figures are kept in their light form with the changes of the dark one, and those of a narrow
// window, in which captions stand on more lines; all are data, not code.
const root = document.documentElement;
const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
const isNarrow = window.matchMedia("(max-width: 640px)");
const button = document.getElementById("theme");
const plots = [...document.querySelectorAll(".plot")];
// Of figures up to half a page, two fit on one; some are made a little smaller for that.
const PAPER = { width: 660, page: 880, half: 440, nearlyHalf: 540 };
let dark = wantsDark.matches;

function changed(spec, changes) {
  if (changes === null || typeof changes !== "object" || Array.isArray(changes)) return changes;
  if (spec === null || typeof spec !== "object") return changes;
  const result = Array.isArray(spec) ? [...spec] : { ...spec };
  for (const key of Object.keys(changes)) result[key] = changed(spec[key], changes[key]);
  return result;
}

// A figure too high for its place is drawn wider and made smaller as a whole: nothing is cut.
function shrinkage(height) {
  const room = height <= PAPER.nearlyHalf ? PAPER.half : PAPER.page;
  return Math.max(1, height / room);
}

// Plotly draws a figure a second time once it knows the room that labels need. Of many points it
// is first shown those at the ends, which need the same room, so that all are drawn only once.
const MANY = 1000;
const NUMBERS = { f4: Float32Array, f8: Float64Array, i1: Int8Array, u1: Uint8Array,
  i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array };

function numbers(values) {
  if (!NUMBERS[values?.dtype]) return Array.isArray(values) ? values : [];
  const bytes = Uint8Array.from(atob(values.bdata), (letter) => letter.charCodeAt(0));
  return new NUMBERS[values.dtype](bytes.buffer);
}

function ends(trace) {
  const points = [numbers(trace.x), numbers(trace.y)].map((found) => [...found]);
  const isPlain = points.every((found) => found.length > 2 && found.every(Number.isFinite));
  if (trace.type !== "scatter" || !isPlain) return trace;
  const range = (found) => [
    found.reduce((a, b) => Math.min(a, b)), found.reduce((a, b) => Math.max(a, b)),
  ];
  return { ...trace, x: range(points[0]), y: range(points[1]) };
}

function findRoom(plot, data, layout, config) {
  const frame = data.map(ends);
  const left = data.filter((trace, i) => frame[i] !== trace);
  if (left.some((trace) => numbers(trace.x).length > MANY)) {
    Plotly.react(plot, frame, { ...layout, shapes: [] }, config);
  }
}

// In grey both ends of a scale around 0 are alike: lines, hidden on a screen, say which is which.
function shownOnPaper(shape) {
  return shape.name === "on paper" ? { ...shape, visible: true } : shape;
}

function draw(plot, isDark, onPaper) {
  const stored = JSON.parse(document.getElementById(plot.id + "-data").textContent);
  const themed = isDark ? changed(stored.light, stored.dark) : stored.light;
  const spec = isNarrow.matches && !onPaper ? changed(themed, stored.narrow) : themed;
  const shrink = onPaper ? shrinkage(spec.layout.height) : 1;
  plot.style.zoom = 1 / shrink;
  const size = onPaper ? { width: PAPER.width * shrink, autosize: false } : { autosize: true };
  const layout = { ...spec.layout, ...size };
  if (onPaper) layout.shapes = layout.shapes?.map(shownOnPaper);
  const config = {
    responsive: !onPaper,
    displaylogo: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg", filename: plot.id },
  };
  // Until now its names stood here, for who looks for one.
  if (!plot.matches(".js-plotly-plot")) plot.replaceChildren();
  findRoom(plot, spec.data, layout, config);
  const drawn = Plotly.react(plot, spec.data, layout, config);
  describe(plot);
  return drawn;
}

// What is read aloud moves to the picture itself, as the buttons beside it can be reached as well.
function describe(plot) {
  const [picture, ...others] = plot.querySelectorAll(".main-svg");
  if (!picture || !plot.hasAttribute("role")) return;
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", plot.getAttribute("aria-label"));
  for (const other of others) other.setAttribute("aria-hidden", "true");
  plot.removeAttribute("role");
  plot.removeAttribute("aria-label");
}

// A figure is drawn when it is about to be seen, those in view first; one at a time, so that
// the page answers in between. Its place is kept until then, and printing draws them all.
const waiting = new Set();
const near = new Set();
let busy = false;

function distance(plot) {
  const { top, bottom } = plot.getBoundingClientRect();
  return Math.max(0, top - window.innerHeight, -bottom);
}

function drawNext() {
  busy = false;
  const [next] = [...near].filter((plot) => waiting.has(plot))
    .sort((one, other) => distance(one) - distance(other));
  if (!next) return;
  waiting.delete(next);
  draw(next, dark, false);
  drawSoon();
}

function drawSoon() {
  if (!busy) setTimeout(drawNext);
  busy = true;
}

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) near.add(target);
    else near.delete(target);
  }
  drawSoon();
}, { rootMargin: "100% 0px" });

function show(isDark) {
  root.dataset.theme = isDark ? "dark" : "light";
  button.textContent = isDark ? "Light theme" : "Dark theme";
  for (const plot of plots) waiting.add(plot);
  drawSoon();
}

button.hidden = false;
button.addEventListener("click", () => show((dark = !dark)));
wantsDark.addEventListener("change", (event) => show((dark = event.matches)));
isNarrow.addEventListener("change", () => show(dark));

// Paper is light and narrower than a screen, and a closed part could not be opened on it.
const closed = [];
let printing = false;
function forPaper() {
  if (printing) return Promise.resolve();
  printing = true;
  for (const part of document.querySelectorAll("details:not([open])")) {
    closed.push(part);
    part.open = true;
  }
  root.dataset.theme = "light";
  waiting.clear();
  return Promise.all(plots.map((plot) => draw(plot, false, true)));
}
window.addEventListener("beforeprint", forPaper);
window.addEventListener("afterprint", () => {
  printing = false;
  for (const part of closed.splice(0)) part.open = false;
  show(dark);
});
// For a program that prints: resolves when every figure is drawn for paper.
window.drawnForPaper = forPaper;

show(dark);
for (const plot of plots) observer.observe(plot);
