/** Tokens at the rate of a loudspeaker. */

import { AUDIBLE, LONG, NATIVE_HZ, NORMAL, SHORT, TOKEN } from "./forms.js";
import { modulate } from "./modulator.js";
import { resampled } from "./resample.js";

/** Give the quickest form for a payload; with the high band's fewer carriers the normal one instead of the short. */
export function formFor(length, band) {
  if (length > NORMAL.longest) return LONG;
  return band === AUDIBLE && length <= SHORT.longest ? SHORT : NORMAL;
}

/** Give the samples of a payload (Uint8Array) at a rate, as Float32Array in [-1, 1]. */
export function played(payload, form, rateHz, band = AUDIBLE, direction = TOKEN) {
  const samples = modulate(payload, form, band, direction);
  const own = rateHz === NATIVE_HZ ? Float32Array.from(samples) : resampled(samples, NATIVE_HZ, rateHz);
  return own.map((sample) => Math.min(1, Math.max(-1, sample)));
}
