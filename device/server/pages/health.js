// How the state of terminal and devices looks, in the same way on every page.

import {element} from './live.js';
import {say} from './text.js';

const MARKS = {
  working: ['good', '●'],
  starting: ['warn', '◌'],
  missing: ['bad', '○'],
  failed: ['bad', '✕'],
  stopped: ['warn', '■'],
};

export function statusPills(view) {
  return [
    view.in_service ? pill('good', '●', say('status.in-service')) : pill('bad', '■', say('status.out-of-service')),
    view.online
      ? pill('good', '▲', say('status.online'))
      : pill('warn', '△', say(view.offline_allowed ? 'status.offline-allowed' : 'status.offline')),
    view.queue ? pill('warn', '↑', say('status.queue', {count: view.queue})) : pill('good', '✓', say('status.queue.none')),
  ];
}

export function deviceRow(device, ...about) {
  const [kind, symbol] = MARKS[device.state];
  const made = element('li', kind);
  const name = element('span', 'name', device.name);
  name.append(...about.filter(Boolean).map((text) => element('span', 'detail', text)));
  made.append(mark(symbol), name, element('span', 'how', say(`health.${device.state}`)));
  return made;
}

function pill(kind, symbol, text) {
  const made = element('li', kind);
  made.append(mark(symbol), element('span', '', text));
  return made;
}

function mark(symbol) {
  const made = element('span', 'symbol', symbol);
  made.setAttribute('aria-hidden', 'true');
  return made;
}
