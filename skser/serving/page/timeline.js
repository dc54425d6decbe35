// Emotions over time, as skser.plotting.TimelineDisplay draws them: a row for each emotion, darker
// where it is more probable, under a strip of the most probable one. Silence is hatched.

import { button, clock, drawn, element, percent } from "./build.js";
import { save, segments, srt, timelineCsv } from "./export.js";

const ROW = 24;
const STRIP = 26;
const AXIS = 24;
const MOST = 300; // columns; more are not visible
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const COLOURS = 9;
const ON_DARK = [0]; // colours that white text is legible on
const LETTER = 7.5;

// Means over several rows, silent where more than half of them are.
export function coarsened(rows, emotions) {
  const size = Math.ceil(rows.length / MOST);
  if (size <= 1) return rows;
  const means = [];
  for (let first = 0; first < rows.length; first += size) {
    const part = rows.slice(first, first + size);
    const spoken = part.filter((row) => !row.silence);
    const row = { start: part[0].start, end: part.at(-1).end, silence: 2 * spoken.length < part.length };
    const mean = (name) => spoken.reduce((sum, one) => sum + one.probabilities[name], 0) / spoken.length;
    row.probabilities = row.silence ? null : Object.fromEntries(emotions.map((name) => [name, mean(name)]));
    const best = (a, b) => (row.probabilities[b] > row.probabilities[a] ? b : a);
    row.emotion = row.silence ? null : emotions.reduce(best);
    means.push(row);
  }
  return means;
}

function hatch(id) {
  const ground = drawn("rect", { width: 8, height: 8, class: "hatch-ground" });
  const line = drawn("line", { x1: 0, y1: 0, x2: 0, y2: 8, class: "hatch-line" });
  const attributes = { id, width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return drawn("defs", {}, drawn("pattern", attributes, ground, line));
}

function ticks(end, x, y) {
  const most = Math.max(2, (x(end) - x(0)) / 60);
  const step = STEPS.find((one) => end / one < most) ?? STEPS.at(-1) * Math.ceil(end / 86400);
  const marks = [];
  for (let time = 0; time <= end; time += step) {
    const text = clock(time, end);
    const half = LETTER * text.length / 2;
    const at = Math.max(x(0) + half, Math.min(x(time), x(end) - half));
    marks.push(drawn("text", { x: at, y, class: "time", "text-anchor": "middle" }, text));
  }
  return marks;
}

function chart(rows, emotions, width, label, id) {
  const longest = Math.max(...emotions.map((name) => name.length));
  const left = Math.min(22 + LETTER * longest, 0.35 * width);
  const end = rows.at(-1).end;
  const [top, height] = [STRIP + 4, emotions.length * ROW];
  const x = (time) => left + (time / end) * (width - left);
  const span = (row) => ({ x: x(row.start), width: Math.max(0, x(row.end) - x(row.start)) });
  const shown = coarsened(rows, emotions);
  const parts = [hatch(id), drawn("rect", { x: left, y: top, width: width - left, height, class: "ground" })];
  for (const row of shown.filter((one) => !one.silence)) {
    emotions.forEach((name, i) => {
      const opacity = row.probabilities[name].toFixed(3);
      parts.push(drawn("rect", { ...span(row), y: top + i * ROW, height: ROW, class: "cell", "fill-opacity": opacity }));
    });
  }
  for (const part of segments(shown)) {
    if (part.silence) {
      parts.push(drawn("rect", { ...span(part), y: 0, height: top + height, fill: `url(#${id})`, class: "silence" }));
      continue;
    }
    const colour = emotions.indexOf(part.emotion) % COLOURS;
    const place = span(part);
    parts.push(drawn("rect", { ...place, y: 0, height: STRIP, class: `strip c${colour}` }));
    if (place.width > LETTER * part.emotion.length + 6) {
      const tone = colour === 7 ? "on-ink" : ON_DARK.includes(colour) ? "on-dark" : "on-light";
      const middle = { x: place.x + place.width / 2, y: STRIP / 2 + 5, "text-anchor": "middle" };
      parts.push(drawn("text", { ...middle, class: tone }, part.emotion));
    }
  }
  emotions.forEach((name, i) => {
    const y = top + i * ROW;
    if (i) parts.push(drawn("line", { x1: left, x2: width, y1: y, y2: y, class: "rule" }));
    parts.push(drawn("rect", { x: 0, y: y + 5, width: 8, height: ROW - 10, class: `c${i % COLOURS}` }));
    const room = Math.floor((left - 18) / LETTER);
    const text = name.length > room ? `${name.slice(0, room - 1)}…` : name;
    parts.push(drawn("text", { x: 14, y: y + ROW / 2 + 5 }, text));
  });
  parts.push(...ticks(end, x, top + height + 18));
  const box = `0 0 ${width} ${top + height + AXIS}`;
  return drawn("svg", { viewBox: box, role: "img", "aria-label": label }, ...parts);
}

function table(parts) {
  const cells = (row) => [clock(row.start), clock(row.end), row.emotion ?? "silence",
    row.silence ? "" : percent(row.probability)];
  const head = element("tr", {}, ...["from", "to", "emotion", "probability"].map((text) =>
    element("th", { scope: "col" }, text)));
  const body = parts.map((row) => element("tr", {}, ...cells(row).map((text) => element("td", {}, text))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

let made = 0;

// A timeline in a part of the page, with its segments as a table and its downloads.
export class Timeline {
  constructor(place, emotions, name) {
    made += 1;
    this.emotions = emotions;
    this.rows = [];
    this.id = `hatch-${made}`;
    this.picture = element("div");
    this.list = element("div", { class: "segments", tabindex: "0", role: "region", "aria-label": "Segments" });
    const details = element("details", {}, element("summary", {}, "Segments as a table"), this.list);
    details.addEventListener("toggle", () => this.show());
    this.details = details;
    const csv = button("Download CSV", () => save(`${name}.csv`, "text/csv", timelineCsv(this.rows, emotions)));
    const subtitles = button("Download SRT", () => save(`${name}.srt`, "application/x-subrip", srt(this.rows)));
    const note = element("p", { class: "note" }, "Each row compares the categories of the model with each other, "
      + "over the seconds around it; a stronger colour is more probable, hatched is silence. It does not show what somebody feels.");
    place.replaceChildren(this.picture, note, element("p", { class: "actions" }, csv, subtitles), details);
    this.observer = new ResizeObserver(() => this.show());
    this.observer.observe(place);
  }

  set(row) {
    this.rows[row.index] = row;
  }

  show() {
    const width = Math.floor(this.picture.clientWidth);
    if (!this.rows.length || !width) return;
    const parts = segments(this.rows);
    const label = `Emotions over ${clock(this.rows.at(-1).end)}: ${parts.length} segments, listed in the table below`;
    this.picture.replaceChildren(chart(this.rows, this.emotions, width, label, this.id));
    if (this.details.open) this.list.replaceChildren(table(parts));
  }

  end() {
    this.observer.disconnect();
  }
}
