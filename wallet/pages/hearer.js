// The screen that listens for the sale that the counter plays.

import { Problem, send } from "/api.js";
import { listen } from "/microphone.js";
import { at, problemText } from "/page.js";
import { openScanner } from "/scanner.js";
import { closeAudio, openAudio } from "/sound.js";
import { text } from "/texts.js";

const NOTHING_YET_MS = 12000;
const MUTED_MS = 4000;
const QUIETEST_DB = -66;
const LOUDEST_DB = -12;

let hearing = null;
let showOffer = null;

export function wireHearer(show) {
  showOffer = show;
  at("hear").addEventListener("click", openHearer);
  at("hearer").addEventListener("close", endHearing);
  at("hearer-scan").addEventListener("click", () => {
    at("hearer").close();
    openScanner();
  });
  document.addEventListener("visibilitychange", () => document.hidden && at("hearer").close());
}

async function openHearer() {
  at("hearer").showModal();
  say("starting");
  drawLevel(0);
  const own = (hearing = { audio: null, isReady: false, isAsking: false, since: 0, soundAt: 0 });
  try {
    own.audio = openAudio();
    await listen(own.audio, {
      heard: (payload) => take(own, payload),
      level: (level) => follow(own, level),
      lost: (problem) => fail(own, problem),
    });
    if (own !== hearing) return;
    own.isReady = true;
    own.since = own.soundAt = Date.now();
    if (!own.isAsking) say("listening");
  } catch (problem) {
    fail(own, problem);
  }
}

function fail(own, problem) {
  if (own !== hearing) return;
  endHearing();
  say("problem", problemText(problem instanceof Problem ? problem : new Problem("mic")));
}

function endHearing() {
  closeAudio(hearing?.audio);
  hearing = null;
  drawLevel(0);
}

async function take(own, payload) {
  if (own !== hearing || own.isAsking) return;
  own.isAsking = true;
  say("asking");
  try {
    const offer = await send("/api/hear", { sound: hexOf(payload) });
    if (own !== hearing) return;
    at("hearer").close();
    showOffer({ ...offer, isHeard: true });
  } catch (problem) {
    if (own === hearing) say("problem", problemText(problem));
  } finally {
    own.isAsking = false;
    own.since = Date.now();
  }
}

function follow(own, level) {
  if (own !== hearing || !own.isReady) return;
  drawLevel((20 * Math.log10(level + 1e-9) - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB));
  const now = Date.now();
  if (level > 0) own.soundAt = now;
  if (own.isAsking) return;
  if (now - own.soundAt > MUTED_MS) say("muted");
  else if (now - own.since > NOTHING_YET_MS) say("nothing");
  else if (at("hearer").dataset.state === "muted") say("listening");
}

function say(state, said = text(`hearer-${state}`)) {
  at("hearer").dataset.state = state;
  if (at("hearer-state").textContent !== said) at("hearer-state").textContent = said;
}

const drawLevel = (share) => at("ear").style.setProperty("--level", Math.min(1, Math.max(0, share)).toFixed(2));
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
