/**
 * Hears tokens in a stream of sound. A phone listens for challenges:
 *
 *     const receiver = new TokenReceiver(context.sampleRate, CHALLENGE);
 *     for (const payload of receiver.feed(samples)) ...
 */

import { EARLY } from "./carriers.js";
import { BLOCK, Detector, LOOK } from "./detector.js";
import { BANDS, FORMS, NATIVE_HZ, PREAMBLE, SHORT, SYMBOL, TOKEN, widthHz } from "./forms.js";
import { Listener } from "./listener.js";
import { Mixer, STREAM_HZ, Tape } from "./stream.js";

const KEPT = 2 * STREAM_HZ;
const STRETCH = 0.0025;
const SAME = 120;
const ECHO = 2400;
const MOST_SIGHTINGS = 24;
const WORK_A_SECOND = 8;
const WORK_AT_ONCE = 24;
const COST = { tune: 0.4, short: 1, normal: 2, long: 4 };

class Ear {
  constructor(band, direction, rateHz) {
    this.mixer = new Mixer(rateHz, band);
    this.tape = new Tape(KEPT);
    this.detector = new Detector(band, direction, rateHz);
    this.listener = new Listener(this.tape, band, direction, rateHz);
    this.looked = 0;
    this.waiting = [];
    this.delivered = [];
    this.budget = { left: WORK_AT_ONCE, place: 0 };
  }

  hear(samples) {
    return this.mixer.push(samples).flatMap((hop) => {
      this.tape.append(hop);
      if (this.tape.end >= this.looked + BLOCK) this.look();
      const due = this.waiting.filter((waiting) => dueAt(waiting) <= this.tape.end);
      return due.flatMap((waiting) => (this.waiting.includes(waiting) ? this.attend(waiting) : []));
    });
  }

  look() {
    const seen = this.detector.look(this.tape.read(this.looked, BLOCK), this.looked);
    this.looked += LOOK;
    for (const sighting of seen) {
      const near = this.waiting.filter((other) => Math.abs(other.sighting.centre - sighting.centre) < SAME);
      if (near.every((other) => sighting.height > other.sighting.height)) {
        this.waiting = this.waiting.filter((other) => !near.includes(other));
        this.waiting.push({ sighting, form: SHORT, tuned: null });
      }
    }
    this.waiting.sort((a, b) => b.sighting.height - a.sighting.height);
    this.waiting.length = Math.min(this.waiting.length, MOST_SIGHTINGS);
  }

  attend(waiting) {
    const { sighting, form } = waiting;
    this.waiting = this.waiting.filter((other) => other !== waiting);
    const tuned = waiting.tuned ?? (this.spend(COST.tune) ? this.listener.tune(sighting) : null);
    if (!tuned || !this.spend(COST[form.name])) return [];
    const payload = this.listener.attempt(tuned, form);
    if (payload) return this.delivery(sighting.centre, payload);
    const following = FORMS[FORMS.indexOf(form) + 1];
    if (following) this.waiting.push({ sighting, form: following, tuned });
    return [];
  }

  delivery(centre, payload) {
    this.waiting = this.waiting.filter((other) => Math.abs(other.sighting.centre - centre) >= SAME);
    const text = payload.join();
    const again = this.delivered.some((other) => other.text === text && Math.abs(other.centre - centre) < ECHO);
    this.delivered = [...this.delivered, { centre, text }].slice(-MOST_SIGHTINGS);
    return again ? [] : [payload];
  }

  spend(cost) {
    const { left, place } = this.budget;
    const filled = Math.min(WORK_AT_ONCE, left + ((this.tape.end - place) * WORK_A_SECOND) / STREAM_HZ);
    this.budget = { left: filled >= cost ? filled - cost : filled, place: this.tape.end };
    return filled >= cost;
  }
}

function dueAt({ sighting, form, tuned }) {
  const reach = ((PREAMBLE / 2 + form.half * SYMBOL) * STREAM_HZ) / NATIVE_HZ;
  return Math.trunc(sighting.centre + reach * (1 + (tuned ? tuned.stretch : STRETCH))) - EARLY + 1;
}

export class TokenReceiver {
  constructor(rateHz, direction = TOKEN) {
    const carried = BANDS.filter((band) => band.centreHz < rateHz / 2 - widthHz(band) / 4);
    this.rateHz = rateHz;
    this.ears = carried.map((band) => new Ear(band, direction, rateHz));
  }

  /** Take samples in [-1, 1]; give the payloads (Uint8Array) that they complete, each once. */
  feed(samples) {
    return this.ears.flatMap((ear) => ear.hear(samples));
  }

  /** Hear the last samples to the end, as if silence followed. */
  flush() {
    return this.feed(new Float64Array(this.rateHz / 2));
  }
}
