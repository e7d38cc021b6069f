// Speaks with the wallet's own backend. The key came in the fragment of the address that the command printed.

const KEY = "tillwave.key";

export class Problem extends Error {
  constructor(kind, message, reason = "") {
    super(message);
    this.kind = kind;
    this.reason = reason;
  }
}

export function takeKeyFromAddress() {
  const found = /^#key=([a-z2-7]+)$/.exec(location.hash);
  if (found) {
    localStorage.setItem(KEY, found[1]);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return found !== null;
}

export function takePaymentFromAddress() {
  const code = new URLSearchParams(location.search).get("pay");
  if (code !== null) history.replaceState(null, "", location.pathname);
  return code;
}

async function ask(method, path, body, type) {
  const headers = { "X-Tillwave-Key": localStorage.getItem(KEY) ?? "" };
  if (type) headers["Content-Type"] = type;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body, cache: "no-store", credentials: "omit" });
  } catch (error) {
    throw new Problem("server", String(error));
  }
  if (!answer.ok) throw await problemIn(answer);
  return answer;
}

async function problemIn(answer) {
  try {
    const said = await answer.json();
    return new Problem(said.problem, said.message, said.reason);
  } catch {
    return new Problem("server", `HTTP ${answer.status}`);
  }
}

export const read = async (path) => (await ask("GET", path)).json();
export const readBlob = async (path) => (await ask("GET", path)).blob();
export const send = async (path, value = {}) =>
  (await ask("POST", path, JSON.stringify(value), "application/json")).json();
export const sendPicture = async (path, blob) => (await ask("POST", path, blob, blob.type)).json();
export const sendForBytes = async (path) => (await ask("POST", path)).arrayBuffer();
