/** What the pilots tell: noise, the sender's clock, and the channel. Cells are numbered by symbol, then by carrier. */

import { multiply, polar } from "./carriers.js";
import { forward, inverse } from "./fft.js";
import { BODY, CARRIER_HZ, NATIVE_HZ, PREAMBLE, TOKEN, bodyStart } from "./forms.js";
import { median } from "./stream.js";

const TAPS = 512;
const FIRST_DELAY_S = -0.002;
const LAST_DELAY_S = 0.016;
const FASTEST = 1700e-6;
const QUIETEST = 1e-12;
const LOUD = 6;
const LN2 = 0.6931;
const STRICTNESS = 3;
const inside = Array.from({ length: TAPS }, (_, tap) => {
  const delay = ((tap < TAPS / 2 ? tap : tap - TAPS) * BODY) / NATIVE_HZ / TAPS;
  return delay >= FIRST_DELAY_S && delay <= LAST_DELAY_S;
});

/** Model power as (carrier) times (symbol), from the cells that are known, and more where a cell sticks out. */
export function noiseModel(power, known, carriers, width, isLoud) {
  const rows = power.length / carriers;
  const columns = smooth(
    Float64Array.from({ length: carriers }, (_, k) => {
      const column = [];
      for (let row = 0; row < rows; row += 1) if (known(row * carriers + k)) column.push(power[row * carriers + k]);
      return median(column);
    }),
    width,
  ).map((value) => value / LN2);
  const model = new Float64Array(power.length);
  for (let row = 0; row < rows; row += 1) {
    const ratios = [];
    for (let k = 0; k < carriers; k += 1) {
      if (known(row * carriers + k)) ratios.push(power[row * carriers + k] / columns[k]);
    }
    const level = median(ratios) / LN2;
    for (let k = 0; k < carriers; k += 1) model[row * carriers + k] = columns[k] * level;
  }
  return model.map((value, cell) => isLoud(cell, value) ?? value);
}

/** The noise before anything else is known. */
export function noisePower({ re, im }, carriers) {
  const power = re.map((value, cell) => value * value + im[cell] * im[cell] + QUIETEST);
  return noiseModel(power, () => true, carriers, 9, (cell, value) => (power[cell] > LOUD * value ? power[cell] : null));
}

/** Find the clock offset that makes pilots and preamble agree: {offset, sharpness}. */
export function sharpen(products, sounding, map, offsets, stretch) {
  const times = timesOf(map);
  let best = null;
  const scores = offsets.map((offset) => {
    if (Math.abs(stretch + offset) > FASTEST) return 0;
    const power = pathsAt(products, sounding, map, times, offset);
    let score = 0;
    power.forEach((value, tap) => {
      if (inside[tap]) score += value * value;
    });
    score *= 1 - Math.abs(stretch + offset) / (4 * FASTEST);
    if (!best || score > best.score) best = { score, power, offset };
    return score;
  });
  const top = Math.max(...Array.from(best.power).filter((_, tap) => inside[tap]));
  return { offset: between(offsets, scores), sharpness: top / (median(best.power) + 1e-30) };
}

function pathsAt(products, sounding, { band, form }, times, offset) {
  const sum = { re: new Float64Array(TAPS), im: new Float64Array(TAPS) };
  for (let row = 0; row <= 2 * form.half; row += 1) {
    const from = row * band.carriers;
    const values = row < 2 * form.half ? products : sounding;
    const start = row < 2 * form.half ? from : 0;
    for (let k = 0; k < band.carriers; k += 1) {
      const re = values.re[start + k];
      const im = values.im[start + k];
      if (re === 0 && im === 0) continue;
      const angle = 2 * Math.PI * offset * times[from + k];
      const c = Math.cos(angle);
      const s = Math.sin(angle);
      sum.re[k] += re * c - im * s;
      sum.im[k] += re * s + im * c;
    }
  }
  const paths = inverse(sum.re, sum.im);
  return paths.re.map((value, tap) => value * value + paths.im[tap] * paths.im[tap]);
}

/** Cycles that an offset of 1 would turn each cell by; the last row is the preamble's. */
function timesOf({ band, direction, form }) {
  const rows = 2 * form.half + 1;
  return Float64Array.from({ length: rows * band.carriers }, (_, cell) => {
    const row = Math.floor(cell / band.carriers);
    const k = cell % band.carriers;
    const sweep = ((k / band.carriers - 0.5) * PREAMBLE * (direction === TOKEN ? 1 : -1)) / NATIVE_HZ;
    const seconds = row === rows - 1 ? sweep : (bodyStart(row - form.half) + BODY / 2) / NATIVE_HZ;
    return seconds * (band.first + k) * CARRIER_HZ;
  });
}

function between(offsets, scores) {
  const best = scores.indexOf(Math.max(...scores));
  if (best === 0 || best === scores.length - 1) return offsets[best];
  const [left, top, right] = scores.slice(best - 1, best + 2);
  const bend = left - 2 * top + right;
  return offsets[best] + (bend < 0 ? (0.5 * (left - right)) / bend : 0) * (offsets[1] - offsets[0]);
}

/** Estimate the channel's gains from sums of received times conjugate of sent, and what they count. */
export function channel(products, counts, carriers) {
  const gains = { re: new Float64Array(TAPS), im: new Float64Array(TAPS) };
  for (let k = 0; k < carriers; k += 1) {
    gains.re[k] = products.re[k] / Math.max(counts[k], 0.25);
    gains.im[k] = products.im[k] / Math.max(counts[k], 0.25);
  }
  const paths = inverse(gains.re, gains.im);
  const power = paths.re.map((value, tap) => value * value + paths.im[tap] * paths.im[tap]);
  const floor = median(power.filter((_, tap) => !inside[tap])) / LN2 + 1e-30;
  const kept = polar(TAPS, () => 0);
  kept.re.forEach((_, tap) => {
    kept.re[tap] = inside[tap] ? Math.max(0, 1 - (STRICTNESS * floor) / (power[tap] + 1e-30)) : 0;
  });
  multiply(paths, kept, paths, TAPS);
  const smoothed = forward(paths.re, paths.im);
  return { re: smoothed.re.slice(0, carriers), im: smoothed.im.slice(0, carriers) };
}

/** Average over neighbouring carriers, mirrored at the ends. */
function smooth(values, width) {
  const half = width >> 1;
  const last = values.length - 1;
  const mean = values.map((_, k) => {
    let sum = 0;
    for (let n = k - half; n <= k + half; n += 1) sum += values[n < 0 ? -n : n > last ? 2 * last - n : n];
    return sum / width;
  });
  const least = QUIETEST + 1e-7 * Math.max(...mean);
  return mean.map((value) => Math.max(value, least));
}
