/** Looks closely at one sighting of a preamble: clock, channel, length, bits. */

import { SOUNDED, WINDOW, cellLevel, sentPreamble, taken } from "./carriers.js";
import { codeOf, codedBits, decode, encode } from "./convolution.js";
import { channel, noiseModel, noisePower, sharpen } from "./estimate.js";
import { CARRIER_HZ, FORMS, SHORT, firstHz } from "./forms.js";
import { CHECK_BYTES, payloadOf } from "./frame.js";
import { DATA, PILOT, SPELLING, layout, spelled } from "./layout.js";
import { values } from "./modulator.js";
import { highestHz, median } from "./stream.js";

const COARSE = ladder(2700, 60);
const FINE = ladder(60, 10);
const FULL = ladder(1320, 20);
const FAR = 100e-6;
const BLUNT = 16;
const SHARP = 60;
const UNSPELLED = 3;
const LIKELY = 0.8;
const VAGUE = 0.5;
const BRIEF = 32;
const TRUST = 0.8;
const WIDE = 17;
const words = new Map();

export class Listener {
  constructor(tape, band, direction, rateHz) {
    const usable = Math.min(band.carriers, Math.floor((highestHz(rateHz) - firstHz(band)) / CARRIER_HZ));
    this.air = { tape, usable };
    this.map = (form) => layout(band, direction, form);
  }

  /** Find the sender's clock from the inner symbols: {centre, stretch}, or null if this is nothing. */
  tune({ centre, stretch }) {
    const map = this.map(SHORT);
    let tuned = this.sharpened(map, { centre, stretch }, COARSE);
    if (Math.abs(tuned.stretch - stretch) > FAR) tuned = this.sharpened(map, tuned, FULL);
    return tuned.sharpness >= BLUNT ? tuned : null;
  }

  /** Give the payload if this is a token of this form, else null. */
  attempt(tuned, form) {
    const map = this.map(form);
    const clock = form === SHORT ? tuned : this.sharpened(map, tuned, tuned.sharpness > SHARP ? FINE : FULL);
    const ones = { re: new Float64Array(map.kinds.length).fill(1), im: new Float64Array(map.kinds.length) };
    const cut = taken(this.air, map, clock);
    const pilots = weightsOf(map, 1, 0, 0);
    let heard = withChannel(map, cut, noisePower(cut.cells, map.band.carriers), pilots, ones);
    heard = withChannel(map, heard.cut, residual(heard, pilots, ones), pilots, ones);
    const told = spell(heard);
    const own = told.find((word) => word.form === form);
    if (own.score < UNSPELLED || own.score < LIKELY * Math.max(...told.map((word) => word.score))) return null;
    return decided(withSpelling(heard, own.length), own.length);
  }

  sharpened(map, { centre, stretch }, offsets) {
    const { cells, sounding } = taken(this.air, map, { centre, stretch });
    const { carriers } = map.band;
    const noise = noisePower(cells, carriers);
    const products = scaled(cells, (cell) => (map.kinds[cell] === PILOT ? 1 / Math.sqrt(noise[cell]) : 0));
    const levels = columnMedians(noise, carriers);
    const importance = soundingWeight(map);
    const swept = scaled(sounding, (k) => importance[k] / Math.sqrt(levels[k]));
    const { offset, sharpness } = sharpen(products, swept, map, offsets, stretch);
    return { centre, stretch: stretch + offset, sharpness };
  }
}

/** Decode, and use a wrong decision to hear more clearly, once or twice. */
function decided(first, length) {
  const { map } = first;
  const code = codeOf(map.form);
  let heard = first;
  for (let rounds = length <= BRIEF ? 2 : 1; ; rounds -= 1) {
    const soft = codedSoft(heard, length);
    const bits = decode(soft, code);
    const coded = encode(bits, code);
    const payload = payloadOf(bits, map.form, map.direction);
    const total = soft.reduce((sum, value) => sum + Math.abs(value), 0);
    const agreed = soft.reduce((sum, value, place) => sum + (coded[place] ? -value : value), 0);
    if (agreed < VAGUE * total) return null;
    if (payload || rounds === 0) return payload;
    const sent = values(map, coded, length);
    const noise = residual(heard, weightsOf(map, 1, 1, 1), sent);
    heard = withChannel(map, heard.cut, noise, weightsOf(map, 1, 1, TRUST), sent);
  }
}

function spell(heard) {
  const { map } = heard;
  const soft = softOf(heard).re.filter((_, cell) => map.kinds[cell] === SPELLING);
  const scale = Math.sqrt(soft.reduce((sum, value) => sum + value * value, 0)) + 1e-30;
  return FORMS.filter((form) => form.half >= map.form.half).map((form) => {
    const scores = wordsOf(map, form).map((signs) => signs.reduce((sum, sign, place) => sum + sign * soft[place], 0));
    const best = Math.max(...scores);
    return { form, length: form.shortest + scores.indexOf(best), score: best / scale };
  });
}

function wordsOf(map, form) {
  const name = `${map.band.name} ${map.direction} ${map.form.name} ${form.name}`;
  if (!words.has(name)) {
    const lengths = Array.from({ length: form.longest - form.shortest + 1 }, (_, n) => form.shortest + n);
    words.set(name, lengths.map((length) => spelled(map, form, length)));
  }
  return words.get(name);
}

function withSpelling(heard, length) {
  const { map } = heard;
  const signs = spelled(map, map.form, length);
  const sent = { re: new Float64Array(map.kinds.length).fill(1), im: new Float64Array(map.kinds.length) };
  let place = 0;
  map.kinds.forEach((kind, cell) => {
    if (kind !== SPELLING) return;
    sent.re[cell] = signs[place];
    place += 1;
  });
  const known = weightsOf(map, 1, 1, 0);
  return withChannel(map, heard.cut, residual(heard, known, sent), known, sent);
}

function codedSoft(heard, length) {
  const { map } = heard;
  const soft = softOf(heard);
  const slots = new Float64Array(map.order.length);
  let data = 0;
  map.kinds.forEach((kind, cell) => {
    if (kind !== DATA) return;
    slots[2 * data] = soft.re[cell];
    slots[2 * data + 1] = soft.im[cell];
    data += 1;
  });
  const coded = new Float64Array(codedBits(codeOf(map.form), 8 * (length + CHECK_BYTES)));
  map.order.forEach((slot, place) => {
    coded[place % coded.length] += slots[slot];
  });
  return coded;
}

/** Turn each cell by the conjugate channel and weight it by certainty. */
function softOf({ map, cut, noise, gains }) {
  const soft = { re: new Float64Array(noise.length), im: new Float64Array(noise.length) };
  noise.forEach((level, cell) => {
    const k = cell % map.band.carriers;
    soft.re[cell] = (cut.cells.re[cell] * gains.re[k] + cut.cells.im[cell] * gains.im[k]) / level;
    soft.im[cell] = (cut.cells.im[cell] * gains.re[k] - cut.cells.re[cell] * gains.im[k]) / level;
  });
  return soft;
}

function withChannel(map, cut, noise, weights, sent) {
  const { carriers } = map.band;
  const levels = columnMedians(noise, carriers);
  const cells = scaled(cut.cells, (cell) => 1 / Math.sqrt(levels[cell % carriers]));
  const sounding = scaled(cut.sounding, (k) => 1 / Math.sqrt(levels[k]));
  const counts = soundingWeight(map);
  const products = scaled(sounding, (k) => counts[k]);
  noise.forEach((level, cell) => {
    const k = cell % carriers;
    const quiet = Math.min(1, levels[k] / level) * weights[cell];
    counts[k] += quiet * (sent.re[cell] ** 2 + sent.im[cell] ** 2);
    products.re[k] += quiet * (cells.re[cell] * sent.re[cell] + cells.im[cell] * sent.im[cell]);
    products.im[k] += quiet * (cells.im[cell] * sent.re[cell] - cells.re[cell] * sent.im[cell]);
  });
  const relative = noise.map((level, cell) => level / levels[cell % carriers]);
  return { map, cut: { cells, sounding }, noise: relative, gains: channel(products, counts, carriers) };
}

/** Model the noise from what the channel does not explain. */
function residual({ map, cut, gains }, known, sent) {
  const { carriers } = map.band;
  const total = new Float64Array(known.length);
  const power = total.map((_, cell) => {
    const k = cell % carriers;
    const re = cut.cells.re[cell] - (gains.re[k] * sent.re[cell] - gains.im[k] * sent.im[cell]);
    const im = cut.cells.im[cell] - (gains.re[k] * sent.im[cell] + gains.im[k] * sent.re[cell]);
    total[cell] = cut.cells.re[cell] ** 2 + cut.cells.im[cell] ** 2;
    return re * re + im * im + 1e-9;
  });
  return noiseModel(power, (cell) => known[cell] > 0, carriers, WIDE, (cell, value) => {
    const k = cell % carriers;
    return total[cell] > 6 * (value + gains.re[k] ** 2 + gains.im[k] ** 2) ? total[cell] : null;
  });
}

function soundingWeight({ band, direction }) {
  const reference = sentPreamble(band, direction);
  const scale = WINDOW / SOUNDED / cellLevel(band) ** 2;
  return reference.re.map((value, k) => scale * (value * value + reference.im[k] ** 2));
}

function weightsOf(map, pilot, spelling, data) {
  return Float64Array.from(map.kinds, (kind) => (kind === PILOT ? pilot : kind === SPELLING ? spelling : data));
}

function columnMedians(cells, carriers) {
  const column = new Float64Array(cells.length / carriers);
  return Float64Array.from({ length: carriers }, (_, k) => {
    for (let row = 0; row < column.length; row += 1) column[row] = cells[row * carriers + k];
    return median(column);
  });
}

function scaled({ re, im }, factor) {
  return { re: re.map((value, n) => value * factor(n)), im: im.map((value, n) => value * factor(n)) };
}

function ladder(most, step) {
  const steps = [];
  for (let value = -most; value <= most; value += step) steps.push(value * 1e-6);
  return steps;
}
