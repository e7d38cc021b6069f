// From the microphone to what a terminal has played: an AudioWorklet cuts out samples, a Worker hears in them.

import { Problem } from "/api.js";
import { letRun } from "/sound.js";

const KINDS = { NotFoundError: "mic-none", OverconstrainedError: "mic-none", NotAllowedError: "mic-denied" };
// What makes voices pleasant takes tokens apart.
const WANTED = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 1 } };
const HEARER = "/hearing.js";
const policy = globalThis.trustedTypes?.createPolicy("tillwave", {
  createScriptURL: (address) => {
    if (address !== HEARER) throw new TypeError(`${address} is no program of this page`);
    return address;
  },
});

// Listens until the context is closed. `heard` gets payloads (Uint8Array), `level` the root mean square of each piece of
// sound, `lost` a Problem that ends it.
export async function listen(audio, { heard, level, lost }) {
  const stream = await openMicrophone();
  const worker = new Worker(policy?.createScriptURL(HEARER) ?? HEARER, { type: "module" });
  whenClosed(audio, () => {
    worker.terminate();
    for (const track of stream.getTracks()) track.stop();
  });
  worker.addEventListener("message", ({ data }) => heard(data));
  worker.addEventListener("error", (error) => lost(new Problem("mic", error.message)));
  stream.getTracks()[0].addEventListener("ended", () => lost(new Problem("mic-none", "the microphone is gone")));
  worker.postMessage(audio.sampleRate);
  await audio.audioWorklet.addModule("/capture.js");
  const capture = new AudioWorkletNode(audio, "capture", { channelCount: 1, channelCountMode: "explicit" });
  capture.port.onmessage = ({ data }) => {
    level(loudness(data));
    worker.postMessage(data, [data.buffer]);
  };
  // A node that leads nowhere is not asked for samples; this one gives silence.
  audio.createMediaStreamSource(stream).connect(capture).connect(audio.destination);
  await letRun(audio);
}

function whenClosed(audio, act) {
  if (audio.state === "closed") act();
  else audio.addEventListener("statechange", () => audio.state === "closed" && act());
}

async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) throw new Problem("mic-insecure", "no mediaDevices");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  } catch (error) {
    throw new Problem(KINDS[error.name] ?? "mic", String(error));
  }
}

function loudness(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
