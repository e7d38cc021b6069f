// A Worker: gets the sample rate, then samples, and gives the payloads that terminals have played.

import { CHALLENGE } from "/waveform/forms.js";
import { TokenReceiver } from "/waveform/receiver.js";

let receiver = null;

addEventListener("message", ({ data }) => {
  if (typeof data === "number") receiver = new TokenReceiver(data, CHALLENGE);
  else for (const payload of receiver.feed(data)) postMessage(payload);
});
