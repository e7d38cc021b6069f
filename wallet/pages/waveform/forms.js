/** The shapes of a token; docs/waveform.md says what each number is. */

export const VERSION = 1;
export const NATIVE_HZ = 48000;
export const BODY = 2048;
export const PREFIX = 384;
export const RAMP = 48;
export const SYMBOL = PREFIX + BODY;
export const PREAMBLE = 4096;
export const CARRIER_HZ = NATIVE_HZ / BODY;

export const AUDIBLE = Object.freeze({ name: "audible", code: 0, first: 52, carriers: 384, centreHz: 5700, crest: 1.8 });
export const HIGH = Object.freeze({ name: "high", code: 1, first: 640, carriers: 192, centreHz: 17250, crest: 2.4 });
export const BANDS = [AUDIBLE, HIGH];

export const TOKEN = 0;
export const CHALLENGE = 1;

export const SHORT = Object.freeze({ name: "short", code: 1, half: 4, shortest: 8, longest: 24 });
export const NORMAL = Object.freeze({ name: "normal", code: 2, half: 9, shortest: 8, longest: 64 });
export const LONG = Object.freeze({ name: "long", code: 3, half: 13, shortest: 65, longest: 192 });
export const FORMS = [SHORT, NORMAL, LONG];

export const firstHz = (band) => band.first * CARRIER_HZ;
export const widthHz = (band) => band.carriers * CARRIER_HZ;
export const streamOf = (band, direction) => 256 * (2 * band.code + direction);

/** Where the body of a symbol begins, in samples after the middle of the preamble. */
export function bodyStart(symbol) {
  return (symbol >= 0 ? PREAMBLE / 2 : -PREAMBLE / 2) + symbol * SYMBOL + PREFIX;
}
