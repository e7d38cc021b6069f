/** The convolutional codes: encoder, and Viterbi decoder with soft decisions. */

import { LONG } from "./forms.js";

const RATE = 4;
const STRONG = { constraint: 13, generators: [0o11145, 0o12477, 0o15537, 0o16727] };
const QUICK = { constraint: 9, generators: [0o463, 0o535, 0o733, 0o745] };

/** Give the code of a form. */
export const codeOf = (form) => (form === LONG ? QUICK : STRONG);

/** Count the coded bits of a frame. */
export const codedBits = (code, frameBits) => RATE * (frameBits + code.constraint - 1);

/** Give the coded bits. */
export function encode(bits, code) {
  const coded = new Uint8Array(codedBits(code, bits.length));
  let register = 0;
  for (let step = 0; step < coded.length / RATE; step += 1) {
    const bit = step < bits.length ? bits[step] : 0;
    register = (bit << (code.constraint - 1)) | (register >> 1);
    code.generators.forEach((generator, place) => {
      coded[RATE * step + place] = parity(register & generator);
    });
  }
  return coded;
}

/** Give the likeliest bits of a frame; soft values are positive for a coded 0. */
export function decode(soft, code) {
  const steps = soft.length / RATE;
  const states = 1 << (code.constraint - 1);
  const outputs = outputsOf(code);
  const survivors = new Uint8Array(steps * states);
  let metric = new Float64Array(states).fill(-1e30);
  metric[0] = 0;
  for (let step = 0; step < steps; step += 1) {
    metric = advanced(metric, gains(soft, RATE * step), outputs, survivors.subarray(step * states, (step + 1) * states));
  }
  return traced(survivors, steps, code);
}

function advanced(metric, gain, outputs, survivors) {
  const states = metric.length;
  const next = new Float64Array(states);
  for (let state = 0; state < states; state += 1) {
    const bit = state >= states / 2 ? states : 0;
    const older = (state * 2) % states;
    const first = metric[older] + gain[outputs[bit + older]];
    const second = metric[older + 1] + gain[outputs[bit + older + 1]];
    survivors[state] = second > first ? 1 : 0;
    next[state] = second > first ? second : first;
  }
  return next;
}

function gains(soft, from) {
  return Float64Array.from({ length: 16 }, (_, pattern) => {
    let gain = 0;
    for (let place = 0; place < RATE; place += 1) gain += (pattern >> place) & 1 ? -soft[from + place] : soft[from + place];
    return gain;
  });
}

function traced(survivors, steps, code) {
  const states = 1 << (code.constraint - 1);
  const bits = new Uint8Array(steps);
  let state = 0;
  for (let step = steps - 1; step >= 0; step -= 1) {
    bits[step] = state >= states / 2 ? 1 : 0;
    state = ((state * 2) % states) + survivors[step * states + state];
  }
  return bits.subarray(0, steps - (code.constraint - 1));
}

function outputsOf(code) {
  return Uint8Array.from({ length: 1 << code.constraint }, (_, register) =>
    code.generators.reduce((pattern, generator, place) => pattern | (parity(register & generator) << place), 0),
  );
}

function parity(value) {
  let rest = value;
  let odd = 0;
  for (; rest; rest &= rest - 1) odd ^= 1;
  return odd;
}
