/** Looks for preambles: a matched filter against the noise around it, for three speeds of the sender's clock. */

import { forward, inverse } from "./fft.js";
import { NATIVE_HZ, PREAMBLE, TOKEN, firstHz, widthHz } from "./forms.js";
import { STREAM_HZ, highestHz, median } from "./stream.js";

export const BLOCK = 2048;
export const LOOK = 1024;
const STRETCHES = [-0.001, 0, 0.001];
const SAMPLES = (PREAMBLE * STREAM_HZ) / NATIVE_HZ;
const SMOOTHED = 33;
const FLOOR = 1e-9;
const APART = 120;
const REACH = 480;
const FAINT = 0.2;
const AROUND = 360;
const MEDIAN_OF_MEAN = 0.94;
const THRESHOLD = 4.5;

export class Detector {
  constructor(band, direction, rateHz) {
    this.references = STRETCHES.map((stretch) => referenceOf(band, direction, stretch, rateHz));
    this.noise = null;
  }

  /** Give {centre, stretch, height} of the preambles that begin in the first half of a block. */
  look(block, at) {
    const spectrum = forward(block.re, block.im);
    this.learn(spectrum);
    const magnitudes = this.references.map((reference) => this.filtered(spectrum, reference));
    const floor = floorOf(magnitudes[1]);
    const heights = new Float64Array(LOOK);
    const best = new Uint8Array(LOOK);
    for (let n = 0; n < LOOK; n += 1) {
      for (let which = 1; which < 3; which += 1) if (magnitudes[which][n] > magnitudes[best[n]][n]) best[n] = which;
      heights[n] = magnitudes[best[n]][n] / floor[n];
    }
    return peaks(heights).map((n) => ({ centre: at + n + SAMPLES / 2, stretch: STRETCHES[best[n]], height: heights[n] }));
  }

  learn({ re, im }) {
    const power = re.map((value, n) => value * value + im[n] * im[n]);
    const smooth = new Float64Array(BLOCK);
    const half = SMOOTHED >> 1;
    let sum = 0;
    for (let n = -half - 1; n < half; n += 1) sum += power[(n + BLOCK) % BLOCK];
    for (let n = 0; n < BLOCK; n += 1) {
      sum += power[(n + half) % BLOCK] - power[(n - half - 1 + BLOCK) % BLOCK];
      smooth[n] = Math.max(0, sum) / SMOOTHED;
    }
    const least = FLOOR + (1e-4 * smooth.reduce((total, value) => total + value, 0)) / BLOCK;
    this.noise = smooth.map((value, n) => (this.noise ? 0.7 * this.noise[n] + 0.3 * (value + least) : value + least));
  }

  filtered(spectrum, reference) {
    const re = new Float64Array(BLOCK);
    const im = new Float64Array(BLOCK);
    for (let n = 0; n < BLOCK; n += 1) {
      re[n] = (spectrum.re[n] * reference.re[n] + spectrum.im[n] * reference.im[n]) / this.noise[n];
      im[n] = (spectrum.im[n] * reference.re[n] - spectrum.re[n] * reference.im[n]) / this.noise[n];
    }
    const filtered = inverse(re, im);
    return Float64Array.from({ length: LOOK + AROUND }, (_, n) => Math.hypot(filtered.re[n], filtered.im[n]));
  }
}

function floorOf(magnitude) {
  const total = new Float64Array(magnitude.length + 1);
  magnitude.forEach((value, n) => {
    total[n + 1] = total[n] + value;
  });
  const least = median(magnitude) + 1e-30;
  return Float64Array.from({ length: LOOK }, (_, n) => {
    const left = Math.max(0, n - AROUND);
    return Math.max(least, (MEDIAN_OF_MEAN * (total[n + AROUND] - total[left])) / (n + AROUND - left));
  });
}

function peaks(heights) {
  const order = Array.from(heights.keys()).filter((n) => heights[n] >= THRESHOLD);
  order.sort((a, b) => heights[b] - heights[a]);
  const places = [];
  for (const n of order.slice(0, 256)) {
    const free = places.every((other) => {
      const far = Math.abs(n - other);
      return far > APART && (far >= REACH || heights[n] >= FAINT * heights[other]);
    });
    if (free) places.push(n);
  }
  return places;
}

/** Give the spectrum of a preamble that begins at 0. */
function referenceOf(band, direction, stretch, rateHz) {
  const seconds = PREAMBLE / NATIVE_HZ;
  const rate = widthHz(band) / seconds;
  const [first, slope] = direction === TOKEN ? [firstHz(band), rate] : [firstHz(band) + widthHz(band), -rate];
  const re = new Float64Array(BLOCK);
  const im = new Float64Array(BLOCK);
  for (let n = 0; n < BLOCK; n += 1) {
    const place = (n - SAMPLES / 2) / STREAM_HZ / (1 + stretch) + seconds / 2;
    if (place < 0 || place >= seconds) continue;
    const cycles = first * place + (slope / 2) * place * place - (band.centreHz * n) / STREAM_HZ;
    re[n] = Math.cos(2 * Math.PI * cycles);
    im[n] = Math.sin(2 * Math.PI * cycles);
  }
  const spectrum = forward(re, im);
  const highest = Math.min(firstHz(band) + widthHz(band), highestHz(rateHz));
  for (let n = 0; n < BLOCK; n += 1) {
    const hertz = band.centreHz + ((n < BLOCK / 2 ? n : n - BLOCK) * STREAM_HZ) / BLOCK;
    if (hertz < firstHz(band) || hertz > highest) spectrum.re[n] = spectrum.im[n] = 0;
  }
  return spectrum;
}
