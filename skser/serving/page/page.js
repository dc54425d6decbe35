// The page: models, tabs, the key, and problems. Recordings are in upload.js, the socket in live.js.

import { ask, currentKey, setKey } from "./api.js";
import { element, find } from "./build.js";
import { openCard } from "./card.js";
import * as live from "./live.js";
import * as upload from "./upload.js";

const models = new Map();
let lacksKey = false;

function report(error) {
  if (error?.status === 401) {
    askForKey();
    return;
  }
  const text = error?.message ?? "";
  find("problem").textContent = text && `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
  find("problem").hidden = !text;
}

function askForKey() {
  report(currentKey() ? new Error("this is not the API key of the service") : null);
  lacksKey = true;
  find("access").hidden = false;
  find("key").focus();
}

const chosen = () => models.get(find("model").value);

async function describe(name) {
  if (!models.has(name)) models.set(name, await ask(`v1/models/${encodeURIComponent(name)}`));
}

async function load() {
  const { models: rows } = await ask("v1/models");
  const choices = rows.map((row) => element("option", { value: row.name }, row.name));
  find("model").replaceChildren(...choices);
  find("model").disabled = rows.length < 2;
  await Promise.all(rows.map((row) => describe(row.name)));
  for (const id of ["about", "record", "record-clip", "choose"]) find(id).disabled = false;
}

function select(tab) {
  const tabs = [find("tab-files"), find("tab-live")];
  for (const one of tabs) {
    one.setAttribute("aria-selected", String(one === tab));
    one.tabIndex = one === tab ? 0 : -1;
    find(one.getAttribute("aria-controls")).hidden = one !== tab;
  }
}

function prepareTabs() {
  const tabs = [find("tab-files"), find("tab-live")];
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: -1 }[key];
      if (to === undefined) return;
      const other = tabs.at(to % tabs.length);
      select(other);
      other.focus();
    });
  }
}

async function begin() {
  try {
    await load();
    report(null);
  } catch (error) {
    report(error);
  }
  upload.goOn();
}

find("access").addEventListener("submit", (event) => {
  event.preventDefault();
  setKey(find("key").value);
  lacksKey = false;
  find("access").hidden = true;
  report(null);
  if (!models.size) begin();
  upload.goOn();
  find("tab-files").focus();
});
find("about").addEventListener("click", () => openCard(chosen()));
find("model").addEventListener("change", upload.again);
window.addEventListener("beforeunload", (event) => {
  if (live.isLive()) event.preventDefault();
});

const app = { model: chosen, report, askForKey, needsKey: () => lacksKey, showFiles: () => select(find("tab-files")) };
prepareTabs();
upload.prepare(app);
live.prepare(app);
for (const id of ["record", "record-clip", "choose"]) find(id).disabled = true;
begin();
