/** From the stream to cells: the spectrum of each symbol at exactly the carriers, by a chirp transform (Bluestein). */

import { forward, inverse } from "./fft.js";
import { BODY, CARRIER_HZ, NATIVE_HZ, PREAMBLE, bodyStart, firstHz } from "./forms.js";
import { preamble } from "./modulator.js";
import { STREAM_HZ } from "./stream.js";

export const WINDOW = (BODY * STREAM_HZ) / NATIVE_HZ;
export const EARLY = 24;
export const SOUNDED = ((PREAMBLE + 192) * STREAM_HZ) / NATIVE_HZ + 2 * EARLY;
const KEPT_BY_CLIPPING = 0.93;
const sent = new Map();

/** What a cell of modulus 1 is received as where the preamble is received as it was sent. */
export const cellLevel = (band) => (KEPT_BY_CLIPPING * WINDOW * Math.sqrt(2 / band.carriers)) / band.crest;

/** Cut a token out of a tape: its cells, turned back, and what its preamble says of the channel. */
export function taken(air, map, { centre, stretch }) {
  const { band } = map;
  const symbols = 2 * map.form.half;
  const cells = { re: new Float64Array(symbols * band.carriers), im: new Float64Array(symbols * band.carriers) };
  const chirp = chirps(band, stretch, WINDOW);
  for (let row = 0; row < symbols; row += 1) {
    const body = bodyStart(row - map.form.half);
    const begin = Math.floor(centre + (1 + stretch) * body * (STREAM_HZ / NATIVE_HZ) - EARLY);
    const values = received(air.tape.read(begin, WINDOW), begin, body, band, { centre, stretch }, chirp);
    for (let k = 0; k < air.usable; k += 1) {
      const cell = row * band.carriers + k;
      const [c, s] = [[1, 0], [0, -1], [-1, 0], [0, 1]][map.quarters[cell]];
      cells.re[cell] = values.re[k] * c - values.im[k] * s;
      cells.im[cell] = values.re[k] * s + values.im[k] * c;
    }
  }
  return { cells, sounding: sounding(air, map, { centre, stretch }) };
}

function sounding(air, { band, direction }, clock) {
  const begin = Math.floor(clock.centre - (1 + clock.stretch) * (PREAMBLE / 2) * (STREAM_HZ / NATIVE_HZ) - EARLY);
  const values = received(air.tape.read(begin, SOUNDED), begin, 0, band, clock, chirps(band, clock.stretch, SOUNDED));
  const reference = sentPreamble(band, direction);
  const level = cellLevel(band);
  for (let k = 0; k < band.carriers; k += 1) {
    const power = k < air.usable ? (reference.re[k] ** 2 + reference.im[k] ** 2) / level : Infinity;
    const re = (values.re[k] * reference.re[k] + values.im[k] * reference.im[k]) / power;
    values.im[k] = (values.im[k] * reference.re[k] - values.re[k] * reference.im[k]) / power;
    values.re[k] = re;
  }
  return values;
}

/** Give the preamble's spectrum at the carriers, in the units of received cells. */
export function sentPreamble(band, direction) {
  const name = `${band.name} ${direction}`;
  if (!sent.has(name)) sent.set(name, spectrumOf(preamble(band, direction), band));
  return sent.get(name);
}

function spectrumOf(samples, band) {
  const re = new Float64Array(band.carriers);
  const im = new Float64Array(band.carriers);
  const scale = (2 * STREAM_HZ) / NATIVE_HZ;
  for (let k = 0; k < band.carriers; k += 1) {
    const turn = (2 * Math.PI * (band.first + k)) / BODY;
    samples.forEach((sample, n) => {
      re[k] += scale * sample * Math.cos(turn * (n - PREAMBLE / 2));
      im[k] -= scale * sample * Math.sin(turn * (n - PREAMBLE / 2));
    });
  }
  return { re, im };
}

function received(window, begin, body, band, { centre, stretch }, chirp) {
  const re = new Float64Array(chirp.length);
  const im = new Float64Array(chirp.length);
  multiply(window, chirp.before, { re, im }, window.re.length);
  const spectrum = forward(re, im);
  multiply(spectrum, chirp.spectrum, spectrum, chirp.length);
  const back = inverse(spectrum.re, spectrum.im);
  const from = window.re.length - 1;
  const values = { re: back.re.slice(from, from + band.carriers), im: back.im.slice(from, from + band.carriers) };
  multiply(values, chirp.after, values, band.carriers);
  const late = (begin - centre) / STREAM_HZ / (1 + stretch) - body / NATIVE_HZ;
  const cycles = ((band.centreHz * begin) / STREAM_HZ) % 1;
  const turns = polar(band.carriers, (k) => -2 * Math.PI * (late * (band.first + k) * CARRIER_HZ - cycles));
  multiply(values, turns, values, band.carriers);
  return values;
}

function chirps(band, stretch, width) {
  const first = (2 * Math.PI * (firstHz(band) / (1 + stretch) - band.centreHz)) / STREAM_HZ;
  const step = (2 * Math.PI * CARRIER_HZ) / (1 + stretch) / STREAM_HZ;
  let length = 1;
  while (length < width + band.carriers - 1) length *= 2;
  const filter = polar(width + band.carriers - 1, (n) => (step / 2) * (n - width + 1) ** 2);
  const padded = { re: new Float64Array(length), im: new Float64Array(length) };
  padded.re.set(filter.re);
  padded.im.set(filter.im);
  return {
    length,
    before: polar(width, (n) => -(first * n + (step / 2) * n * n)),
    spectrum: forward(padded.re, padded.im),
    after: polar(band.carriers, (k) => (-step / 2) * k * k),
  };
}

/** Give complex numbers of modulus 1. */
export function polar(length, angle) {
  const re = new Float64Array(length);
  const im = new Float64Array(length);
  for (let n = 0; n < length; n += 1) {
    re[n] = Math.cos(angle(n));
    im[n] = Math.sin(angle(n));
  }
  return { re, im };
}

/** Multiply complex arrays into a third, which may be one of them. */
export function multiply(a, b, into, length) {
  for (let n = 0; n < length; n += 1) {
    const re = a.re[n] * b.re[n] - a.im[n] * b.im[n];
    into.im[n] = a.re[n] * b.im[n] + a.im[n] * b.re[n];
    into.re[n] = re;
  }
}
