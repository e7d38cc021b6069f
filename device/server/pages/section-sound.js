// What the microphones hear: level, spectrum, how well the last token came through. Never what it said.

import {element} from './live.js';
import {say} from './text.js';

export const title = 'sound.title';

const LOWEST_DB = -90;
const CLIPPED_MS = 3000;
const TICKS_HZ = [200, 1000, 5000, 10000];
const SPACE = 'http://www.w3.org/2000/svg';

export function make(body) {
  const clipped = new Map();
  return (figures) => {
    const now = performance.now();
    for (const ear of figures.microphones) if (ear.levels?.clipped) clipped.set(ear.name, now);
    const isClipped = (ear) => now - (clipped.get(ear.name) ?? -CLIPPED_MS) < CLIPPED_MS;
    body.replaceChildren(
      ...figures.microphones.map((ear) => microphone(ear, isClipped(ear))),
      ...figures.speakers.map(speaker),
    );
    if (!figures.microphones.length) body.append(element('p', 'empty-list', say('sound.none')));
  };
}

function microphone(ear, isClipped) {
  const made = element('div', 'ear');
  const head = element('h3', '', ear.name);
  if (ear.rate_hz) head.append(element('span', 'rate', `${ear.rate_hz / 1000} kHz`));
  if (isClipped) head.append(element('span', 'clipping', say('sound.clipped')));
  made.append(head);
  if (ear.levels) made.append(levelMeter(ear.levels, isClipped), spectrum(ear.levels));
  else made.append(element('p', 'empty-list', say('sound.silent')));
  made.append(table([...tokenFacts(ear.last), ...counters(ear)]));
  return made;
}

function levelMeter(levels, isClipped) {
  const made = drawing('level', 100, 10);
  made.setAttribute('preserveAspectRatio', 'none');
  made.setAttribute('role', 'img');
  made.setAttribute('aria-label', levelText(levels));
  made.append(
    shape('rect', {x: 0, y: 0, width: 100, height: 10, class: 'ground'}),
    shape('rect', {x: 0, y: 0, width: 100 * part(levels.rms_dbfs), height: 10, class: isClipped ? 'rms hot' : 'rms'}),
    shape('rect', {x: Math.max(0, 100 * part(levels.peak_dbfs) - 0.6), y: 0, width: 0.6, height: 10, class: 'peak'}),
  );
  const both = element('div', 'levels');
  both.append(made, element('span', 'digits', levelText(levels)));
  return both;
}

function levelText(levels) {
  return say('sound.level', {peak: levels.peak_dbfs.toFixed(1), rms: levels.rms_dbfs.toFixed(1)});
}

function spectrum(levels) {
  const bands = levels.bands_dbfs;
  const made = drawing('spectrum', 10 * bands.length, 100);
  made.setAttribute('role', 'img');
  made.setAttribute('aria-label', say('sound.spectrum'));
  for (const db of [-30, -60]) {
    made.append(shape('path', {d: `M0 ${100 * (1 - part(db))}h${10 * bands.length}`, class: 'line'}), label(-2, 100 * (1 - part(db)) + 2.5, db, 'end'));
  }
  bands.forEach((db, band) => {
    const height = 100 * part(db);
    made.append(shape('rect', {x: 10 * band + 1, y: 100 - height, width: 8, height, rx: 1, class: 'bar'}));
  });
  for (const hertz of TICKS_HZ) {
    const band = levels.bands_hz.findIndex((middle) => middle * 2 ** (1 / 6) > hertz);
    if (band >= 0) made.append(label(10 * band + 5, 110, hertz < 1000 ? hertz : `${hertz / 1000}k`, 'middle'));
  }
  made.setAttribute('viewBox', `-13 0 ${10 * bands.length + 13} 113`);
  return made;
}

function tokenFacts(last) {
  if (!last) return [[say('sound.token'), say('sound.token.none')]];
  const kind = [last.waveform, last.form && say(`form.${last.form}`), last.band && say(`band.${last.band}`)];
  const facts = [
    [say('sound.token'), kind.filter(Boolean).join(' · ')],
    [say('sound.when'), say('sound.ago', {seconds: Math.round(last.ago_s)})],
  ];
  if (last.snr_db !== null) facts.push([say('sound.snr'), `${last.snr_db.toFixed(1)} dB`]);
  if (last.clock_ppm !== null) facts.push([say('sound.clock'), `${last.clock_ppm} ppm`]);
  return facts;
}

function counters(ear) {
  return [
    [say('sound.heard'), ear.heard],
    [say('sound.unread'), ear.unread],
    [say('sound.lost'), ear.overruns + ear.dropped],
  ];
}

function speaker(mouth) {
  const made = element('div', 'ear');
  made.append(element('h3', '', mouth.name), table([
    [say('kind.speaker'), say(`health.${mouth.state}`)],
    [say('sound.torn'), mouth.underruns],
  ]));
  return made;
}

function table(facts) {
  const made = element('dl');
  made.append(...facts.flatMap(([term, fact]) => [element('dt', '', term), element('dd', '', String(fact))]));
  return made;
}

function part(db) {
  return Math.min(1, Math.max(0, 1 - db / LOWEST_DB));
}

function drawing(kind, width, height) {
  const made = document.createElementNS(SPACE, 'svg');
  made.setAttribute('viewBox', `0 0 ${width} ${height}`);
  made.classList.add(kind);
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

function label(x, y, text, anchor) {
  const made = shape('text', {x, y, 'text-anchor': anchor});
  made.textContent = String(text);
  return made;
}
