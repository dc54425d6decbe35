// Recordings from files or the microphone: a request for each, two at a time, a row for each answer.

import { Refused, ask, form } from "./api.js";
import { button, element, find, percent } from "./build.js";
import { predictionsCsv, save } from "./export.js";
import { Microphone, wav } from "./microphone.js";
import { Timeline } from "./timeline.js";

const AT_A_TIME = 2;
const SHOWN = 3; // emotions, before the others are opened
const MB = 2 ** 20;
const waiting = [];
const answers = [];
const held = []; // files of the rows
let app;
let running = 0;
let nClips = 0;
let overTime = null;
let generation = 0;

function bars(probabilities) {
  const ranked = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  const lines = ranked.map(([name, value]) => {
    const filled = element("span");
    filled.style.width = `${100 * value}%`;
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, filled);
    return element("li", {}, element("span", { title: name }, name), bar, element("span", {}, percent(value)));
  });
  const first = element("ul", { class: "bars" }, ...lines.slice(0, lines.length === SHOWN + 1 ? SHOWN + 1 : SHOWN));
  if (lines.length <= SHOWN + 1) return [first];
  const others = element("ul", { class: "bars" }, ...lines.slice(SHOWN));
  return [first, element("details", {}, element("summary", {}, `${lines.length - SHOWN} others`), others)];
}

function remarks(answer) {
  if (answer.silence) return ["silent"];
  const list = [];
  if (answer.abstained) list.push("no emotion is probable enough");
  const reasons = answer.ood_reasons.join("; ");
  if (reasons) list.push(`unlike the training recordings: ${reasons}`);
  return list;
}

function fillRow(row, file, answer) {
  const [name, emotion, probabilities, duration, notes] = row.cells;
  if (answer.error !== null) {
    emotion.replaceChildren(element("span", { class: "none" }, "not predicted"));
    notes.replaceChildren(element("span", { class: "failed" }, answer.error));
    return;
  }
  const label = answer.silence ? null : answer.emotion;
  emotion.replaceChildren(label ?? element("span", { class: "none" }, answer.silence ? "no speech" : "too uncertain"));
  if (!answer.silence) probabilities.replaceChildren(...bars(answer.probabilities));
  duration.textContent = `${answer.duration.toFixed(2)} s`;
  const list = remarks(answer).map((text) => element("li", {}, text));
  if (list.length) notes.replaceChildren(element("ul", { class: "remarks" }, ...list));
  const open = button("Over time", () => showOverTime(file, open));
  open.setAttribute("aria-label", `Over time: ${file.name}`);
  name.append(open);
}

function addRow(file) {
  const cells = ["name", "emotion", "", "number", ""].map((kind) => element("td", { role: "cell", class: kind }));
  cells[0].append(element("span", {}, file.name));
  cells[1].append(element("span", { class: "none" }, "waiting"));
  const row = element("tr", { role: "row" }, ...cells);
  find("predictions").tBodies[0].append(row);
  return row;
}

function say() {
  const nFailed = answers.filter((answer) => answer?.error).length;
  const nDone = answers.filter(Boolean).length;
  const failed = nFailed ? `, ${nFailed} could not be used` : "";
  const last = answers.length === 1 && answers[0] && !answers[0].error ? `: ${answers[0].emotion ?? "no emotion named"}` : "";
  find("files-status").textContent = `${nDone} of ${answers.length} recordings done${failed}${last}.`;
}

async function answerFor(file, model, abstain) {
  const most = app.model().limits.upload_mb;
  if (file.size > most * MB) throw new Refused(413, `larger than ${most} MB`);
  const query = new URLSearchParams({ model, abstain_below: abstain });
  const { predictions } = await ask(`v1/predict?${query}`, { method: "POST", body: form(file) });
  return predictions[0];
}

async function work(job) {
  const { file, row, number, own } = job;
  row.cells[1].firstChild.textContent = "listening";
  let answer;
  try {
    answer = await answerFor(file, app.model().name, job.abstain);
  } catch (error) {
    if (own !== generation) return;
    if (error.status === 401) {
      waiting.unshift(job);
      row.cells[1].firstChild.textContent = "waiting";
      app.askForKey();
      return;
    }
    const none = { emotion: null, probabilities: null, duration: null, silence: false, abstained: false };
    answer = { ...none, ood_reasons: [], error: error.message };
  }
  if (own !== generation) return; // cleared or asked again meanwhile
  answers[number] = { ...answer, file: file.name };
  fillRow(row, file, answers[number]);
  say();
}

export function goOn() {
  // Files may be dropped before the models are known.
  while (running < AT_A_TIME && waiting.length && app.model() && !app.needsKey()) {
    running += 1;
    work(waiting.shift()).finally(() => {
      running -= 1;
      goOn();
    });
  }
}

export function add(files) {
  for (const file of files) {
    held.push(file);
    const number = answers.push(null) - 1;
    const job = { file, number, row: addRow(file), own: generation };
    waiting.push({ ...job, abstain: Number(find("abstain").value) || 0 });
  }
  find("files-result").hidden = !answers.length;
  if (answers.length) say();
  goOn();
}

function forget() {
  generation += 1;
  for (const list of [waiting, answers, held]) list.length = 0;
  closeOverTime();
  find("predictions").tBodies[0].replaceChildren();
}

// The rows and their CSV are of one model and one setting, so another one answers all recordings.
export function again() {
  const files = [...held];
  forget();
  add(files);
}

function clear() {
  forget();
  find("files-result").hidden = true;
  find("files-status").textContent = "";
  find("choose").focus();
}

function closeOverTime() {
  overTime?.end();
  overTime = null;
  find("over-time").hidden = true;
}

async function showOverTime(file, opener) {
  const own = generation;
  const { name, emotions } = app.model();
  opener.disabled = true;
  try {
    const query = new URLSearchParams({ model: name, format: "json" });
    const rows = await ask(`v1/timeline?${query}`, { method: "POST", body: form(file) });
    if (own !== generation) return;
    closeOverTime();
    find("over-time").hidden = false;
    find("over-time-title").textContent = `${file.name} over time`;
    const stem = file.name.replace(/\.[^.]*$/, "") || "recording";
    overTime = new Timeline(find("over-time").querySelector(".timeline"), emotions, stem);
    rows.forEach((row, index) => overTime.set({ ...row, index }));
    overTime.show();
    find("over-time-title").focus();
  } catch (error) {
    app.report(error);
  } finally {
    opener.disabled = false;
  }
}

// One recording of the microphone, as a WAV file.
function prepareRecording() {
  const control = find("record-clip");
  let microphone = null;
  let blocks = [];
  control.addEventListener("click", async () => {
    control.disabled = true;
    try {
      if (!microphone) {
        blocks = [];
        microphone = await Microphone.open((block) => blocks.push(block));
        find("files-status").textContent = "Recording. Press Stop recording to end.";
      } else {
        const { sr } = microphone;
        const ended = microphone;
        microphone = null;
        await ended.close();
        nClips += 1;
        add([new File(wav(blocks, sr), `recording ${nClips}.wav`, { type: "audio/wav" })]);
      }
    } catch (error) {
      app.report(error);
    }
    control.disabled = false;
    control.textContent = microphone ? "Stop recording" : "Record one";
    control.setAttribute("aria-pressed", String(Boolean(microphone)));
    control.focus();
  });
}

export function prepare(given) {
  app = given;
  const [zone, picker] = [find("drop"), find("picker")];
  find("choose").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    add(picker.files);
    picker.value = "";
  });
  const over = (isOver) => (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("over", isOver);
  };
  document.addEventListener("dragover", over(true));
  document.addEventListener("dragleave", over(false));
  document.addEventListener("drop", (event) => {
    over(false)(event);
    if (!event.dataTransfer.files.length || !app.model()) return;
    app.showFiles();
    add(event.dataTransfer.files);
  });
  find("files-csv").addEventListener("click", () => {
    save("emotions.csv", "text/csv", predictionsCsv(answers.filter(Boolean), app.model().emotions));
  });
  find("files-clear").addEventListener("click", clear);
  find("abstain").addEventListener("change", again);
  prepareRecording();
}
