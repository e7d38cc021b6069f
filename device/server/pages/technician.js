import {element, follow} from './live.js';
import {deviceRow, statusPills} from './health.js';
import {language, loadTexts, say, sayWord, switchLanguage} from './text.js';

const CLOCK_MS = 5000;

const at = (id) => document.getElementById(id);
const sections = new Map();
let view = null;
let ahead = 0;

function show(next) {
  view = next;
  ahead = view.now_ms - Date.now();
  at('status').replaceChildren(...statusPills(view));
  at('devices').replaceChildren(...view.devices.map((device) => deviceRow(device, kindOf(device), device.detail)));
  if (!view.devices.length) at('devices').append(element('p', 'empty-list', say('devices.none')));
  showFacts();
  for (const name of view.sections) open(name);
}

function kindOf(device) {
  return device.kind ? `${say(`kind.${device.kind}`)} · ${device.driver}` : '';
}

function showFacts() {
  at('terminal').replaceChildren(...facts().flatMap(([term, fact]) => [element('dt', '', term), element('dd', '', fact)]));
}

function facts() {
  const time = (ms) => new Date(ms).toLocaleString(language(), {dateStyle: 'medium', timeStyle: 'short'});
  return [
    [say('technician.service'), view.in_service ? say('status.in-service') : sayWord('reason', view.trouble)],
    [say('technician.queue'), String(view.queue)],
    [say('technician.clock'), `${time(Date.now() + ahead)} · ${say(`clock.${view.time_quality}`)}`],
    [say('technician.began'), time(view.began_ms)],
    [say('technician.version'), view.version],
  ];
}

// A section is a script: `title` names its heading, `make(body)` fills its card once and gives what shows figures.
async function open(name) {
  if (sections.has(name)) return;
  const section = {title: '', last: null, show: () => {}};
  sections.set(name, section);
  const card = element('section', `card section-${name}`);
  const heading = element('h2');
  const body = element('div', 'body');
  card.append(heading, body);
  at('sections').append(card);
  const script = await import(`/pages/section-${name}.js`);
  const draw = script.make(body);
  section.show = () => {
    heading.textContent = say(script.title);
    if (section.last) draw(section.last);
  };
  section.show();
}

function showFigures(figures) {
  for (const [name, figure] of Object.entries(figures)) {
    const section = sections.get(name);
    if (!section) continue;
    section.last = figure;
    section.show();
  }
}

async function stillPaired() {
  const answer = await fetch('/technician/state').catch(() => null);
  if (answer?.status === 401) location.reload();
}

at('language').addEventListener('click', switchLanguage);
document.addEventListener('language', () => {
  if (view) show(view);
  for (const section of sections.values()) section.show();
});

await loadTexts();
const rest = follow('/technician/events', show, stillPaired, showFigures);
document.addEventListener('visibilitychange', rest);
setInterval(() => view && showFacts(), CLOCK_MS);
