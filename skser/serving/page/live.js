// The live view: the microphone to the socket, rows and levels from it.

import { Refused, currentKey, socketAddress } from "./api.js";
import { clock, element, find, percent } from "./build.js";
import { Microphone } from "./microphone.js";
import { Timeline } from "./timeline.js";

const QUIETEST = -70; // dB
const MOST_UNSENT = 8 * 2 ** 20; // bytes
const ALIVE = 20; // seconds between messages of a pause, which the service would take for an end
const LONGEST_PAUSE = 30; // such messages
const SETTINGS = { format: "pcm16", channels: 1 };
let app;
let session = null;

function showLevel(db) {
  const shown = Math.max(QUIETEST, Math.min(0, db));
  const isSound = shown > QUIETEST;
  const text = isSound ? `${shown.toFixed(0)} dB` : "–";
  find("meter").setAttribute("aria-valuenow", shown.toFixed(0));
  find("meter").setAttribute("aria-valuetext", isSound ? text : "no sound");
  find("meter").firstElementChild.style.width = `${100 * (1 - shown / QUIETEST)}%`;
  find("level-text").textContent = text;
}

const say = (text) => { find("live-status").textContent = text; };

function buttons(state) {
  const isOn = state === "on" || state === "paused";
  find("record").disabled = state !== "off";
  find("pause").disabled = !isOn;
  find("stop").disabled = !isOn;
  find("pause").setAttribute("aria-pressed", String(state === "paused"));
  find("model").disabled = state !== "off" || find("model").options.length < 2;
  // A button that is disabled cannot keep the focus.
  const isLost = document.activeElement === document.body || document.activeElement.disabled;
  if (isLost && state !== "starting" && !find("live").hidden) find(isOn ? "stop" : "record").focus();
}

class Session {
  constructor(model) {
    this.model = model;
    this.state = "starting";
    this.unsent = [];
    this.socket = null;
    this.isReady = false;
    this.isComplete = false;
    this.microphone = null;
    this.said = null;
    const place = find("live-result");
    place.hidden = false;
    this.now = element("strong", {}, "–");
    this.nowNote = element("span", { class: "note" }, "The first row comes after some seconds.");
    const head = element("p", { class: "now" }, this.now, this.nowNote);
    const picture = element("div", { class: "timeline" });
    place.replaceChildren(head, picture);
    this.timeline = new Timeline(picture, model.emotions, "live");
  }

  async start() {
    buttons(this.state);
    say("Waiting for the microphone.");
    this.microphone = await Microphone.open((samples) => this.send(samples));
    this.socket = new WebSocket(socketAddress(this.model.name));
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      const key = currentKey() ? { api_key: currentKey() } : {};
      this.socket.send(JSON.stringify({ ...SETTINGS, sr: this.microphone.sr, ...key }));
    };
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    this.socket.onclose = ({ reason }) => this.fail(reason || "the connection to the service has ended");
  }

  send(samples) {
    if (this.state === "off" || this.isComplete) return;
    if (!this.isReady) {
      this.unsent.push(samples);
    } else if (this.socket.bufferedAmount > MOST_UNSENT) {
      this.fail("the connection is too slow for the sound of the microphone");
    } else {
      this.socket.send(samples);
    }
  }

  receive(message) {
    const kinds = {
      ready: () => this.ready(),
      level: () => this.level(message),
      row: () => this.row(message),
      end: () => this.end(message),
      error: () => this.refuse(message),
    };
    kinds[message.type]?.();
  }

  ready() {
    this.isReady = true;
    this.unsent.forEach((samples) => this.socket.send(samples));
    this.unsent = [];
    if (this.state !== "starting") return;
    this.state = "on";
    buttons(this.state);
    say("Recording.");
  }

  level({ db, at }) {
    if (this.state === "on") showLevel(db ?? QUIETEST);
    find("clock").textContent = clock(Math.floor(at));
  }

  row(row) {
    this.timeline.set(row);
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.timeline.show();
    });
    const last = this.timeline.rows.at(-1);
    this.now.textContent = last.emotion ?? "silence";
    const [from, to] = [clock(last.start), clock(last.end)];
    const place = from === to ? from : `${from} to ${to}`; // the last row may be short
    this.nowNote.textContent = last.silence ? place : `${percent(last.probabilities[last.emotion])}, ${place}`;
    const name = last.emotion ?? "silence";
    if (name !== this.said && this.state === "on") say(`Recording. ${clock(last.start)}: ${name}.`);
    this.said = name;
  }

  async pause() {
    const pauses = this.state === "on";
    this.state = pauses ? "paused" : "on";
    await (pauses ? this.microphone.pause() : this.microphone.resume());
    clearInterval(this.alive);
    if (pauses) {
      showLevel(QUIETEST);
      let left = LONGEST_PAUSE;
      this.alive = setInterval(() => {
        left -= 1;
        if (left) this.socket.send(new ArrayBuffer(0));
        else this.stop();
      }, 1000 * ALIVE);
    }
    buttons(this.state);
    say(pauses ? "Paused: nothing is sent." : "Recording.");
  }

  async stop() {
    clearInterval(this.alive);
    this.state = "stopping";
    buttons(this.state);
    say("Waiting for the last rows.");
    await this.microphone.close();
    showLevel(QUIETEST);
    this.isComplete = true; // nothing may come after the end
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "end" }));
  }

  end({ duration, rows }) {
    find("clock").textContent = clock(duration);
    this.close();
    say(`The recording has ended: ${duration.toFixed(1)} s, ${rows} rows.`);
  }

  refuse({ status, title, detail }) {
    this.fail(detail ?? title, status);
  }

  fail(reason, status = 0) {
    if (this.state === "off") return;
    this.close();
    app.report(new Refused(status, reason));
    const kept = this.timeline.rows.length ? " The rows so far are below." : "";
    say(`The recording has ended early.${kept}`);
  }

  close() {
    clearInterval(this.alive);
    this.state = "off";
    this.microphone?.close();
    this.socket?.close();
    showLevel(QUIETEST);
    buttons(this.state);
    if (!this.timeline.rows.length) find("live-result").hidden = true;
  }
}

async function record() {
  app.report(null);
  session?.timeline.end();
  find("clock").textContent = clock(0);
  const own = new Session(app.model());
  session = own;
  try {
    await own.start();
  } catch (error) {
    own.fail(error.message);
  }
}

export const isLive = () => session !== null && session.state !== "off";

export function prepare(given) {
  app = given;
  find("record").addEventListener("click", record);
  find("pause").addEventListener("click", () => session.pause());
  find("stop").addEventListener("click", () => session.stop());
}
