/** The frame inside a token: payload and check. Throws RangeError for a length that does not fit. */

import { VERSION } from "./forms.js";

export const CHECK_BYTES = 4;

/** Give payload and check as bits, most significant first. */
export function frameBits(payload, form, direction) {
  if (payload.length < form.shortest || payload.length > form.longest) {
    throw new RangeError(`a token of sound carries ${form.shortest} to ${form.longest} bytes, not ${payload.length}`);
  }
  const check = checkOf(payload, form, direction);
  const frame = [...payload, check >>> 24, (check >>> 16) & 255, (check >>> 8) & 255, check & 255];
  return Uint8Array.from(frame.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => (byte >> shift) & 1)));
}

/** Give the payload of received bits, or null if the check does not agree. */
export function payloadOf(bits, form, direction) {
  const bytes = Uint8Array.from({ length: bits.length / 8 }, (_, place) =>
    bits.subarray(8 * place, 8 * place + 8).reduce((byte, bit) => byte * 2 + bit, 0),
  );
  const payload = bytes.slice(0, -CHECK_BYTES);
  const check = bytes.subarray(-CHECK_BYTES).reduce((sum, byte) => sum * 256 + byte, 0);
  return check === checkOf(payload, form, direction) ? payload : null;
}

function checkOf(payload, form, direction) {
  let rest = 0xffffffff;
  for (const byte of [VERSION, direction, form.code, payload.length, ...payload]) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return (rest ^ 0xffffffff) >>> 0;
}
