// Downloads, with the columns of `skser predict --csv`, `skser timeline --csv` and `--srt`.

import { element } from "./build.js";

function cell(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const line = (cells) => `${cells.map(cell).join(",")}\n`;
const bool = (value) => (value ? "True" : "False");
const float = (value) => (Number.isInteger(value) ? `${value}.0` : String(value));

// Python rounds halves to even.
function rounded(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

export function predictionsCsv(predictions, emotions) {
  const rows = predictions.filter((row) => row.error === null).map((row) => [
    row.file,
    row.silence ? "" : row.emotion ?? "",
    ...emotions.map((name) => (row.silence ? "" : row.probabilities[name].toFixed(4))),
    bool(row.silence),
    row.silence ? "" : row.ood_reasons.join("; "),
  ]);
  return [["file", "emotion", ...emotions, "silence", "ood_reasons"], ...rows].map(line).join("");
}

export function timelineCsv(rows, emotions) {
  const lines = rows.map((row) => [
    float(row.start),
    float(row.end),
    row.emotion ?? "",
    bool(row.silence),
    ...emotions.map((name) => (row.silence ? "" : float(Number(row.probabilities[name].toFixed(4))))),
  ]);
  return [["start", "end", "emotion", "silence", ...emotions], ...lines].map(line).join("");
}

// Neighbouring rows of one emotion, or of silence, with the mean probability.
export function segments(rows) {
  const merged = [];
  for (const row of rows) {
    const last = merged.at(-1);
    const value = row.silence ? null : row.probabilities[row.emotion];
    if (last && last.emotion === row.emotion && last.silence === row.silence) {
      last.end = row.end;
      last.values.push(value);
    } else {
      merged.push({ start: row.start, end: row.end, emotion: row.emotion, silence: row.silence, values: [value] });
    }
  }
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return merged.map(({ values, ...rest }) => ({ ...rest, probability: rest.silence ? null : mean(values) }));
}

function clock(seconds) {
  const all = rounded(1000 * seconds);
  const part = (size, modulo, width) => String(Math.floor(all / size) % modulo).padStart(width, "0");
  return `${part(3600000, 100000, 2)}:${part(60000, 60, 2)}:${part(1000, 60, 2)},${part(1, 1000, 3)}`;
}

export function srt(rows) {
  const blocks = segments(rows).filter((row) => !row.silence).map((row, index) => {
    const name = row.emotion.split(/\s+/).filter(Boolean).join(" ");
    const times = `${clock(row.start)} --> ${clock(row.end)}`;
    return `${index + 1}\n${times}\n${name} ${rounded(100 * row.probability)} %\n`;
  });
  return blocks.join("\n");
}

export function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = element("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
