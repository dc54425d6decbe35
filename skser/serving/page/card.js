// The card of a model, from Markdown: headings, lists, tables, code and paragraphs.

import { element, find } from "./build.js";

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`") && part.length > 1) return element("code", {}, part.slice(1, -1));
    if (part.startsWith("**") && part.length > 4) return element("strong", {}, part.slice(2, -2));
    return part;
  });
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());

function table(lines) {
  const [head, , ...rows] = lines.map(cells);
  const line = (kind, row) => element("tr", {}, ...row.map((cell) => element(kind, {}, ...inline(cell))));
  const made = element("table", {}, element("tbody", {}, ...rows.map((row) => line("td", row))));
  if (head.some(Boolean)) made.prepend(element("thead", {}, line("th", head)));
  return made;
}

const KINDS = [
  [/^#{1,6} /, (lines) => element("h3", {}, ...inline(lines[0].replace(/^#+ /, ""))), true],
  [/^[-*] /, (lines) => element("ul", {}, ...lines.map((line) => element("li", {}, ...inline(line.slice(2)))))],
  [/^\|/, table],
];

export function rendered(markdown) {
  const blocks = [];
  const lines = markdown.replace(/^---\n[^]*?\n---\n/, "").split("\n");
  while (lines.length) {
    const first = lines.shift();
    if (!first.trim()) continue;
    if (first.startsWith("```")) {
      const end = lines.findIndex((line) => line.startsWith("```"));
      const code = lines.splice(0, end < 0 ? lines.length : end + 1);
      blocks.push(element("pre", { tabindex: "0" }, code.filter((line) => !line.startsWith("```")).join("\n")));
      continue;
    }
    const [pattern, build, single] = KINDS.find(([start]) => start.test(first)) ?? [null, null, false];
    const block = [first];
    const goesOn = (line) => (pattern ? pattern.test(line) : line.trim() && !KINDS.some(([start]) => start.test(line)));
    while (!single && lines.length && goesOn(lines[0])) block.push(lines.shift());
    blocks.push(build ? build(block) : element("p", {}, ...inline(block.join(" "))));
  }
  return blocks;
}

const LIMITS = [
  ["upload_mb", "Largest upload", "MB"],
  ["duration_s", "Longest recording", "s"],
  ["live_sessions", "Live sessions at a time", ""],
  ["timeout_s", "Longest time for a request", "s"],
];

export function openCard(model) {
  const limits = LIMITS.map(([name, text, unit]) =>
    element("li", {}, `${text}: ${model.limits[name]} ${unit}`.trim()));
  find("card-title").textContent = `Model ${model.name}`;
  find("card-text").replaceChildren(
    ...rendered(model.card ?? "This model has no card."),
    element("h3", {}, "Limits of this service"),
    element("ul", {}, ...limits),
    element("p", { class: "note" }, `SHA-256 of the model file: ${model.sha256}`),
  );
  find("card").showModal();
  find("card-text").scrollTop = 0;
}

find("card-close").addEventListener("click", () => find("card").close());
