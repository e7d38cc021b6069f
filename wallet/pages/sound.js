// Plays a payment token through the loudspeaker.

import { Problem, sendForBytes } from "/api.js";

const RATES = [44100, 48000];
let audio = null;

// Call it straight from a click: browsers let no page sound before that.
export async function playToken() {
  try {
    audio ??= new AudioContext();
    await audio.resume();
  } catch (error) {
    throw new Problem("play", String(error));
  }
  const rate = RATES.includes(audio.sampleRate) ? audio.sampleRate : 48000;
  const wav = await sendForBytes(`/api/sound?rate=${rate}`);
  const source = audio.createBufferSource();
  source.buffer = await audio.decodeAudioData(wav);
  source.connect(audio.destination);
  const ended = new Promise((resolve) => source.addEventListener("ended", resolve, { once: true }));
  source.start();
  await ended;
}
