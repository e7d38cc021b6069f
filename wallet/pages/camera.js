// The camera, and pictures small enough to be sent: browsers on many systems cannot read codes by themselves.

import { Problem } from "/api.js";

const WIDEST = 1280;
const KINDS = { NotFoundError: "camera-none", OverconstrainedError: "camera-none", NotAllowedError: "camera-denied" };

export async function openCamera(video) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Problem("camera-insecure", "no mediaDevices");
  try {
    const wanted = { video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } };
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    video.srcObject = stream;
    await video.play();
    return stream;
  } catch (error) {
    throw new Problem(KINDS[error.name] ?? "camera", String(error));
  }
}

export function closeCamera(video) {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

export function frameOf(video) {
  return drawn(video, video.videoWidth, video.videoHeight, 0.85);
}

export async function photoOf(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch (error) {
    throw new Problem("not-payable", String(error));
  }
  return drawn(picture, picture.width, picture.height, 0.92);
}

function drawn(source, width, height, quality) {
  const scale = Math.min(1, WIDEST / Math.max(width, height, 1));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}
