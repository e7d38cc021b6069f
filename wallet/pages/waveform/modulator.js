/** Makes the sound of a token at 48 kHz: Float64Array of samples in [-1, 1]. */

import { codeOf, encode } from "./convolution.js";
import { forward, inverse } from "./fft.js";
import {
  AUDIBLE, BODY, NATIVE_HZ, NORMAL, PREAMBLE, PREFIX, RAMP, SYMBOL, TOKEN, bodyStart, firstHz, widthHz,
} from "./forms.js";
import { frameBits } from "./frame.js";
import { DATA, SPELLING, layout, spelled } from "./layout.js";

const PEAK = 0.95;
const CLIP = 1.55;
const ROUNDS = 4;

/** Give the samples of a payload (Uint8Array); throws RangeError if it does not fit the form. */
export function modulate(payload, form = NORMAL, band = AUDIBLE, direction = TOKEN) {
  const coded = encode(frameBits(payload, form, direction), codeOf(form));
  const map = layout(band, direction, form);
  return sound(turned(map, values(map, coded, payload.length)), map);
}

/** Give what a sender fills in, before the turns. */
export function values(map, coded, length) {
  const slots = new Float64Array(map.order.length);
  map.order.forEach((slot, place) => {
    slots[slot] = coded[place % coded.length] ? -Math.SQRT1_2 : Math.SQRT1_2;
  });
  const signs = spelled(map, map.form, length);
  const re = new Float64Array(map.kinds.length);
  const im = new Float64Array(map.kinds.length);
  let data = 0;
  let spelling = 0;
  map.kinds.forEach((kind, cell) => {
    re[cell] = kind === DATA ? slots[2 * data] : kind === SPELLING ? signs[spelling] : 1;
    im[cell] = kind === DATA ? slots[2 * data + 1] : 0;
    data += kind === DATA;
    spelling += kind === SPELLING;
  });
  return { re, im };
}

function turned(map, { re, im }) {
  map.quarters.forEach((quarter, cell) => {
    for (let turn = 0; turn < quarter; turn += 1) [re[cell], im[cell]] = [-im[cell], re[cell]];
  });
  return { re, im };
}

function sound({ re, im }, { band, direction, form }) {
  const samples = new Float64Array(2 * form.half * SYMBOL + PREAMBLE + RAMP);
  const middle = form.half * SYMBOL + PREAMBLE / 2;
  for (let symbol = -form.half; symbol < form.half; symbol += 1) {
    const from = (symbol + form.half) * band.carriers;
    const piece = symbolOf(re.subarray(from, from + band.carriers), im.subarray(from, from + band.carriers), band);
    add(samples, piece, middle + bodyStart(symbol) - PREFIX);
  }
  add(samples, preamble(band, direction), middle - PREAMBLE / 2);
  return samples.map((sample) => PEAK * Math.min(1, Math.max(-1, sample)));
}

/** Give the sweep over the band, upwards for a token, downwards for a challenge. */
export function preamble(band, direction) {
  const rate = widthHz(band) / (PREAMBLE / NATIVE_HZ);
  const [first, slope] = direction === TOKEN ? [firstHz(band), rate] : [firstHz(band) + widthHz(band), -rate];
  const sweep = Float64Array.from({ length: PREAMBLE + RAMP }, (_, n) => {
    const seconds = n / NATIVE_HZ;
    return Math.cos(2 * Math.PI * (first * seconds + (slope / 2) * seconds * seconds));
  });
  return faded(sweep);
}

function symbolOf(re, im, band) {
  let body = bodyOf(re, im, band);
  for (let round = 0; round < ROUNDS; round += 1) {
    const limit = CLIP * rms(body);
    const spectrum = forward(body.map((sample) => Math.min(limit, Math.max(-limit, sample))), new Float64Array(BODY));
    const within = [band.first, band.first + band.carriers];
    body = bodyOf(spectrum.re.subarray(...within), spectrum.im.subarray(...within), band);
  }
  const scale = 1 / (band.crest * rms(body));
  body = body.map((sample) => Math.min(1, Math.max(-1, sample * scale)));
  const piece = new Float64Array(SYMBOL + RAMP);
  piece.set(body.subarray(BODY - PREFIX), 0);
  piece.set(body, PREFIX);
  piece.set(body.subarray(0, RAMP), SYMBOL);
  return faded(piece);
}

function bodyOf(re, im, band) {
  const fullRe = new Float64Array(BODY);
  const fullIm = new Float64Array(BODY);
  for (let carrier = 0; carrier < band.carriers; carrier += 1) {
    fullRe[band.first + carrier] = fullRe[BODY - band.first - carrier] = re[carrier];
    fullIm[band.first + carrier] = im[carrier];
    fullIm[BODY - band.first - carrier] = -im[carrier];
  }
  return inverse(fullRe, fullIm).re;
}

function rms(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

function faded(piece) {
  for (let n = 0; n < RAMP; n += 1) {
    const rise = Math.sin(((Math.PI / 2) * (n + 0.5)) / RAMP) ** 2;
    piece[n] *= rise;
    piece[piece.length - 1 - n] *= rise;
  }
  return piece;
}

function add(samples, piece, from) {
  for (let n = 0; n < piece.length; n += 1) samples[from + n] += piece[n];
}
