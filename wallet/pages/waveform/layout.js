/** Which cell of a token carries what, and how each is turned. Cells are numbered by symbol, then by carrier. */

import { streamOf } from "./forms.js";

const PHASES = 0x54575631;
const SIGNS = 0x54575632;
const ORDER = 0x54575633;
export const PILOT = 0;
export const SPELLING = 1;
export const DATA = 2;

/** The finaliser of MurmurHash3. */
export function mix(value, seed) {
  let x = (Math.imul(value, 0x9e3779b1) + seed) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const modulo = (a, b) => ((a % b) + b) % b;
const drawn = new Map();

/** Draw the map of a form: kinds and quarter turns of cells, and the scattered order of the data cells' slots. */
export function layout(band, direction, form) {
  const name = `${band.name} ${direction} ${form.name}`;
  if (!drawn.has(name)) drawn.set(name, draw(band, direction, form));
  return drawn.get(name);
}

function draw(band, direction, form) {
  const stream = streamOf(band, direction);
  const cells = 2 * form.half * band.carriers;
  const kinds = new Uint8Array(cells);
  const quarters = new Uint8Array(cells);
  for (let cell = 0; cell < cells; cell += 1) {
    const symbol = Math.floor(cell / band.carriers) - form.half;
    const carrier = cell % band.carriers;
    const place = carrier - modulo(symbol, 4);
    const spells = modulo(Math.floor(place / 4) + Math.floor(symbol / 4), 4) === 0;
    kinds[cell] = modulo(place, 4) !== 0 ? DATA : spells ? SPELLING : PILOT;
    quarters[cell] = mix(number(symbol, carrier), PHASES + stream) >>> 30;
  }
  const slots = 2 * kinds.reduce((count, kind) => count + (kind === DATA), 0);
  return { band, direction, form, kinds, quarters, order: scattered(slots, ORDER + stream + form.code) };
}

/** Give the sign of each spelling cell for a length of a form, in the map of this form or of its inner part. */
export function spelled(map, form, length) {
  const word = (form.code * 256 + length) * 65536;
  const stream = streamOf(map.band, map.direction);
  const signs = [];
  map.kinds.forEach((kind, cell) => {
    if (kind !== SPELLING) return;
    const symbol = Math.floor(cell / map.band.carriers) - map.form.half;
    const value = number(symbol, cell % map.band.carriers) + word;
    signs.push(mix(value, SIGNS + stream) >>> 31 ? -1 : 1);
  });
  return Float64Array.from(signs);
}

function number(symbol, carrier) {
  return (symbol + 32) * 512 + carrier;
}

function scattered(slots, seed) {
  const keys = Float64Array.from({ length: slots }, (_, slot) => mix(slot, seed) * 65536 + slot);
  return Uint32Array.from(keys.sort(), (key) => key % 65536);
}
