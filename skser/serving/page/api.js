// Requests to the service: errors as sentences, the API key, and waiting where the service is busy.

const BUSY = [429, 503];
const TRIES = 5;
let key = "";

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export const setKey = (value) => { key = value; };
export const currentKey = () => key;

const pause = (seconds) => new Promise((done) => { setTimeout(done, 1000 * seconds); });

async function detailOf(response) {
  try {
    return (await response.json()).detail ?? response.statusText;
  } catch {
    return `the service answered ${response.status} ${response.statusText}`;
  }
}

export async function ask(path, options = {}) {
  for (let tried = 1; ; tried += 1) {
    let response;
    try {
      const headers = key ? { Authorization: `Bearer ${key}` } : {};
      response = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, "the service cannot be reached");
    }
    if (response.ok) return response.json();
    const wait = Number(response.headers.get("Retry-After")) || tried;
    if (!BUSY.includes(response.status) || tried === TRIES) {
      throw new Refused(response.status, await detailOf(response));
    }
    await pause(Math.min(wait, 10));
  }
}

export function form(file) {
  const body = new FormData();
  body.append("files", file, file.name);
  return body;
}

export function socketAddress(model) {
  const address = new URL(`v1/live?model=${encodeURIComponent(model)}`, document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}
