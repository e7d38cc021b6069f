// The terminal's code before the camera, in a photo, typed, or in a link.

import { send, sendPicture } from "/api.js";
import { closeCamera, frameOf, openCamera, photoOf } from "/camera.js";
import { at, pause, problemText } from "/page.js";
import { text } from "/texts.js";

const FRAME_EVERY_MS = 250;
const BAD_CODE_PAUSE_MS = 1200;

let showOffer = null;

export function wireScanner(show) {
  showOffer = show;
  at("scan").addEventListener("click", openScanner);
  at("scanner").addEventListener("close", () => closeCamera(at("video")));
  at("photo").addEventListener("change", scanPhoto);
  at("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    scanText(at("typed-text").value, say);
    at("typed-text").value = "";
  });
}

export async function openScanner() {
  at("scanner").showModal();
  at("scanner-state").textContent = text("scanner-starting");
  try {
    const stream = await openCamera(at("video"));
    if (!at("scanner").open) return closeCamera(at("video"));
    at("scanner-state").textContent = text("scanner-looking");
    await lookThrough(stream);
  } catch (problem) {
    say(problem);
  }
}

export async function scanText(code, tell) {
  try {
    take(await send("/api/scan", { text: code }));
  } catch (problem) {
    tell(problem);
  }
}

async function lookThrough(stream) {
  while (at("scanner").open && stream.active) {
    try {
      const frame = await frameOf(at("video"));
      if (frame && take(await sendPicture("/api/scan/picture", frame))) return;
      await pause(FRAME_EVERY_MS);
    } catch (problem) {
      say(problem);
      await pause(BAD_CODE_PAUSE_MS);
    }
  }
}

async function scanPhoto() {
  const [file] = at("photo").files;
  at("photo").value = "";
  if (!file) return;
  try {
    const scanned = await sendPicture("/api/scan/picture", await photoOf(file));
    if (!take(scanned)) at("scanner-state").textContent = text("photo-empty");
  } catch (problem) {
    say(problem);
  }
}

function take(scanned) {
  if (scanned.offer === null || at("offer").open) return false;
  at("scanner").close();
  showOffer(scanned);
  return true;
}

const say = (problem) => (at("scanner-state").textContent = problemText(problem));
