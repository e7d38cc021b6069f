/** Changes the sample rate of a sound by any ratio: a windowed sinc, with a row of taps for each place between samples. */

const HALF_WIDTH = 16;
const KAISER_BETA = 8;
const PASS = 0.95;

/** Give a whole sound at another rate, as Float32Array. */
export function resampled(samples, fromHz, toHz) {
  const common = divisor(fromHz, toHz);
  const phases = toHz / common;
  const step = fromHz / common;
  const cutoff = Math.min(1, toHz / fromHz);
  const half = Math.ceil(HALF_WIDTH / cutoff);
  const taps = polyphase(phases, half, cutoff * PASS);
  const padded = new Float64Array(samples.length + 2 * half);
  padded.set(samples, half - 1);
  return Float32Array.from({ length: Math.ceil((samples.length * phases) / step) }, (_, n) => {
    const begin = Math.floor((n * step) / phases);
    const row = taps[(n * step) % phases];
    let sum = 0;
    for (let tap = 0; tap < row.length; tap += 1) sum += padded[begin + tap] * row[tap];
    return sum;
  });
}

/** Make a row of 2 * half taps for each phase; every row passes a constant unchanged. */
function polyphase(phases, half, cutoff) {
  return Array.from({ length: phases }, (_, phase) => {
    const row = Float64Array.from({ length: 2 * half }, (_, tap) => {
      const offset = tap + 1 - half - phase / phases;
      const inside = Math.max(0, 1 - (offset / half) ** 2);
      return sinc(cutoff * offset) * bessel(KAISER_BETA * Math.sqrt(inside));
    });
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => value / total);
  });
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The modified Bessel function of order zero, by its series. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > 1e-12 * sum; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}
