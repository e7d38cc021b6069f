// The close of day: asks first, then shows both sides' figures next to each other.

import {ask} from './ask.js';
import {element, picture} from './live.js';
import {write} from './money.js';
import {say, sayWord} from './text.js';

const at = (id) => document.getElementById(id);

export function closeDay() {
  at('day-result').replaceChildren(element('p', '', say('day.question')));
  at('day-start').hidden = false;
  at('day-start').disabled = false;
  at('day-dialog').showModal();
}

async function count() {
  at('day-start').disabled = true;
  const {answer, reason} = await ask('/cashier/close-day', {});
  at('day-start').disabled = false;
  if (reason) {
    at('day-result').replaceChildren(element('p', 'note bad', sayWord('reason', reason)));
    return;
  }
  at('day-start').hidden = true;
  at('day-result').replaceChildren(...result(answer));
}

function result(day) {
  const table = element('table');
  table.append(row('th', '', say('day.terminal'), say('day.settlement')));
  for (const kind of ['paid', 'refunded']) {
    table.append(row('td', say(`day.${kind}`), figure(day.terminal, kind), figure(day.settlement, kind)));
  }
  const verdict = element('p', `verdict ${day.agrees ? 'good' : 'bad'}`);
  verdict.append(picture(day.agrees ? 'paid' : 'closed'), element('span', '', say(day.agrees ? 'day.agrees' : 'day.differs')));
  const parts = [table, verdict];
  if (day.open_records) parts.push(element('p', '', say('day.open', {count: day.open_records})));
  return parts;
}

function figure(totals, kind) {
  return `${write(totals[kind])}  (${totals[`${kind}_count`]})`;
}

function row(tag, ...cells) {
  const made = element('tr');
  made.append(...cells.map((cell) => element(tag, 'amount', cell)));
  return made;
}

at('day-start').addEventListener('click', count);
