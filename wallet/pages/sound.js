// Web Audio: one context for each time that something is played or listened to, and a token through the loudspeaker.

import { Problem } from "/api.js";
import { pause } from "/page.js";
import { NATIVE_HZ } from "/waveform/forms.js";
import { formFor, played } from "/waveform/playing.js";

// Carries both bands; receivers cut sound into fiftieths of a second.
const fits = (rateHz) => rateHz >= 44100 && rateHz % 50 === 0;
const PATIENCE_MS = 5000;
const SLACK_MS = 15000;
// Loudspeakers wake up late, and contexts end early.
const LEAD_S = 0.15;
const TAIL_S = 0.4;

// Call it straight from a tap: browsers let no page sound before that. Close what it gives.
export function openAudio() {
  try {
    const usual = new AudioContext({ latencyHint: "playback" });
    if (fits(usual.sampleRate)) return usual;
    closeAudio(usual);
    return new AudioContext({ latencyHint: "playback", sampleRate: NATIVE_HZ });
  } catch (error) {
    throw new Problem("play", String(error));
  }
}

export function closeAudio(audio) {
  if (audio && audio.state !== "closed") audio.close();
}

export async function letRun(audio) {
  if (audio.state === "running" || audio.state === "closed") return;
  const tapped = navigator.userActivation?.hasBeenActive ?? true;
  if (tapped) await Promise.race([audio.resume().catch(() => {}), pause(PATIENCE_MS)]);
  if (!["running", "closed"].includes(audio.state)) throw new Problem("play-blocked", audio.state);
}

// Resolves when the token (Uint8Array) was played, or the context closed before.
export async function play(audio, token, band) {
  await letRun(audio);
  if (audio.state === "closed") return;
  const rate = audio.sampleRate;
  const samples = played(token, formFor(token.length, band), rate, band);
  const buffer = audio.createBuffer(1, samples.length + Math.round((LEAD_S + TAIL_S) * rate), rate);
  buffer.copyToChannel(samples, 0, Math.round(LEAD_S * rate));
  const source = audio.createBufferSource();
  source.buffer = buffer;
  source.connect(audio.destination);
  source.start();
  const isOver = await Promise.race([ended(source, audio), pause(buffer.duration * 1000 + SLACK_MS)]);
  if (!isOver) throw new Problem("play", "the sound did not end");
}

function ended(source, audio) {
  return new Promise((resolve) => {
    source.addEventListener("ended", () => resolve(true), { once: true });
    audio.addEventListener("statechange", () => audio.state === "closed" && resolve(true));
  });
}
