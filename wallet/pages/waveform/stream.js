/** From microphone samples to a complex stream of 12 kHz around a band's middle, and the last seconds of it. */

import { forward, inverse } from "./fft.js";
import { firstHz, widthHz } from "./forms.js";

export const STREAM_HZ = 12000;
export const HOP = 240;
const BIN_HZ = 25;
const BINS = 400;
const PASS_HZ = 100;
const EDGE_HZ = 450;

/** Give the highest frequency that is kept whole of sound at a rate. */
export const highestHz = (rateHz) => rateHz / 2 - EDGE_HZ - 2 * BIN_HZ;

/** Cuts a band out of samples at a rate that is a multiple of 50 Hz. */
export class Mixer {
  constructor(rateHz, band) {
    if (rateHz % 50 !== 0) throw new RangeError(`${rateHz} samples a second: open the AudioContext at 48000`);
    this.hop = rateHz / 50;
    this.first = band.centreHz / BIN_HZ - BINS / 2;
    this.gains = gainsOf(band, rateHz);
    this.waiting = new Float64Array(Math.floor(this.hop / 2));
  }

  /** Take samples in [-1, 1]; give the hops of the stream that they complete. */
  push(samples) {
    const all = new Float64Array(this.waiting.length + samples.length);
    all.set(this.waiting);
    all.set(samples, this.waiting.length);
    const hops = [];
    let from = 0;
    for (; from + 2 * this.hop <= all.length; from += this.hop) hops.push(this.cut(all.subarray(from, from + 2 * this.hop)));
    this.waiting = all.slice(from);
    return hops;
  }

  cut(block) {
    const { re, im } = forward(block, new Float64Array(block.length));
    const middleRe = new Float64Array(2 * HOP);
    const middleIm = new Float64Array(2 * HOP);
    for (let bin = 0; bin < BINS && this.first + bin <= this.hop; bin += 1) {
      const place = (bin + 2 * HOP - BINS / 2) % (2 * HOP);
      middleRe[place] = re[this.first + bin] * this.gains[bin];
      middleIm[place] = im[this.first + bin] * this.gains[bin];
    }
    const stream = inverse(middleRe, middleIm);
    return { re: stream.re.slice(HOP / 2, HOP / 2 + HOP), im: stream.im.slice(HOP / 2, HOP / 2 + HOP) };
  }
}

function gainsOf(band, rateHz) {
  const upper = Math.min(firstHz(band) + widthHz(band) + PASS_HZ, highestHz(rateHz));
  return Float64Array.from({ length: BINS }, (_, bin) => {
    const hertz = band.centreHz + (bin - BINS / 2) * BIN_HZ;
    const outside = Math.max(firstHz(band) - PASS_HZ - hertz, hertz - upper);
    return (Math.cos((Math.PI / 2) * Math.min(1, Math.max(0, outside / EDGE_HZ))) ** 2 * 2 * STREAM_HZ) / rateHz;
  });
}

/** The last samples of a stream, addressed by places that count from its beginning. */
export class Tape {
  constructor(kept) {
    this.kept = kept;
    this.re = new Float64Array(2 * kept);
    this.im = new Float64Array(2 * kept);
    this.begin = 0;
    this.end = 0;
  }

  append({ re, im }) {
    let place = this.end - this.begin;
    if (place + re.length > this.re.length) {
      this.re.copyWithin(0, place - this.kept, place);
      this.im.copyWithin(0, place - this.kept, place);
      this.begin = this.end - this.kept;
      place = this.kept;
    }
    this.re.set(re, place);
    this.im.set(im, place);
    this.end += re.length;
  }

  /** Give samples from a place on; what is not there is silence. */
  read(from, width) {
    const re = new Float64Array(width);
    const im = new Float64Array(width);
    const first = Math.max(from, this.begin);
    const last = Math.min(from + width, this.end);
    if (first < last) {
      re.set(this.re.subarray(first - this.begin, last - this.begin), first - from);
      im.set(this.im.subarray(first - this.begin, last - this.begin), first - from);
    }
    return { re, im };
  }
}

/** Give the median of some numbers. */
export function median(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
