// The sheet that plays a payment token to the counter.

import { Problem, send } from "/api.js";
import { refreshState } from "/account.js";
import { boundNow, boundText, wantedToken } from "/code.js";
import { at, problemText } from "/page.js";
import { closeAudio, openAudio, play } from "/sound.js";
import { text } from "/texts.js";
import { AUDIBLE, HIGH } from "/waveform/forms.js";

const BAND = "tillwave.band";
const ASK_EVERY_MS = 1500;

let audio = null;
// The same token is played again as long as it is good: a counter that has heard it takes no second payment.
let token = null;

export function wireSpeaker() {
  at("sound").addEventListener("click", openSpeaker);
  at("speak").addEventListener("click", speak);
  at("speaker").addEventListener("close", fallSilent);
  setInterval(() => at("speaker").dataset.state === "waiting" && refreshState(), ASK_EVERY_MS);
  at("quiet").checked = localStorage.getItem(BAND) === HIGH.name;
  at("quiet").addEventListener("change", () => localStorage.setItem(BAND, bandNow().name));
}

// Call it straight from a tap.
export async function openSpeaker() {
  at("speaker-for").textContent = boundNow() ? boundText() : "";
  if (!at("speaker").open) at("speaker").showModal();
  await speak();
}

async function speak() {
  if (["starting", "playing"].includes(at("speaker").dataset.state)) return;
  show("starting");
  let own = null;
  try {
    own = audio = openAudio();
    const payload = await tokenToPlay();
    if (own.state === "closed") return;
    show("playing");
    await play(own, payload, bandNow());
    if (own.state !== "closed") show("waiting");
  } catch (problem) {
    if (own?.state === "closed") return;
    show("problem", problemText(problem instanceof Problem ? problem : new Problem("play")));
  } finally {
    closeAudio(own);
  }
}

async function tokenToPlay() {
  const wanted = wantedToken();
  if (token === null || token.wanted !== wanted || Date.now() > token.until) {
    const made = await send(`/api/sound?${wanted}`);
    token = { wanted, until: Date.now() + made.seconds * 1000, bytes: bytesOf(made.token) };
  }
  return token.bytes;
}

function fallSilent() {
  closeAudio(audio);
  token = null;
  at("speaker").dataset.state = "";
}

function show(state, said = text(`speaker-${state}`)) {
  at("speaker").dataset.state = state;
  at("speaker-state").textContent = said;
  at("speak").disabled = ["starting", "playing"].includes(state);
}

const bandNow = () => (at("quiet").checked ? HIGH : AUDIBLE);
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
