import {element, follow, picture} from './live.js';
import {write, writeReduction} from './money.js';
import {Pad} from './pad.js';
import {ask, makeId} from './ask.js';
import {askForRefund, refundsChanged} from './refund.js';
import {closeDay} from './day.js';
import {deviceRow, statusPills} from './health.js';
import {join, language, loadTexts, say, sayWord, switchLanguage} from './text.js';

const HOLDING = ['gathering', 'authorising', 'waiting', 'cancelling'];
const CANCELLABLE = ['gathering', 'authorising', 'waiting', 'unknown'];
const DUE_WORDS = {paid: 'sale.paid', unpaid: 'pad.title', cancelled: 'pad.title'};
const PROBLEM_MS = 7000;

const currency = document.documentElement.dataset.currency;
const at = (id) => document.getElementById(id);
const pad = new Pad(Number(document.documentElement.dataset.exponent), currency, start);
let view = null;
let asking = null;
let hiding = 0;

function complain(reason) {
  at('problem').textContent = sayWord('reason', reason);
  at('problem').hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { at('problem').hidden = true; }, PROBLEM_MS);
}

async function start(minor) {
  if (at(minor === null ? 'basket' : 'start').disabled || minor === 0) return;
  const amount = minor === null ? null : {minor, currency};
  // The same wish keeps its id until the terminal has answered, so that a lost answer opens no second sale.
  if (asking === null || asking.amount?.minor !== amount?.minor) asking = {id: makeId(), amount};
  at('start').disabled = true;
  at('basket').disabled = true;
  const {reason} = await ask('/cashier/sales', asking);
  if (reason === 'unreachable') {
    complain(reason);
  } else {
    asking = null;
    if (reason) complain(reason);
    else pad.clear();
  }
  showPad();
}

async function cancel(sale) {
  const {reason} = await ask(`/cashier/sales/${encodeURIComponent(sale)}/cancel`, {});
  if (reason) complain(reason);
}

function show(next) {
  view = next;
  showStatus();
  showPad();
  showSale();
  showLast();
  showDevices();
  refundsChanged();
}

function showStatus() {
  at('status').replaceChildren(...statusPills(view));
}

function showPad() {
  const blocked = !view || !view.in_service || (view.sale && HOLDING.includes(view.sale.phase));
  pad.allow(!blocked);
  at('basket').disabled = Boolean(blocked);
}

function showSale() {
  const sale = view.sale;
  const parts = sale ? saleParts(sale) : [restPart()];
  if (view.jammed) parts.push(notePart('warn', say(`jammed.${view.jammed}`)));
  at('state').replaceChildren(...parts);
  at('actions').replaceChildren(...(sale ? actionsOf(sale) : []));
}

function restPart() {
  const rest = element('div', 'rest');
  const wave = element('img');
  wave.src = '/pages/wave.svg';
  wave.alt = '';
  wave.width = 96;
  const out = !view.in_service;
  rest.append(
    wave,
    element('strong', '', out ? say('status.out-of-service') : say('sale.none')),
    element('span', '', out ? sayWord('reason', view.trouble) : say('sale.none.hint')),
  );
  return rest;
}

function saleParts(sale) {
  const parts = [phasePart(sale), duePart(sale), sumsPart(sale)];
  if (!view.in_service) parts.unshift(notePart('bad', sayWord('reason', view.trouble)));
  if (view.guidance) parts.push(notePart('warn', join(say('guide.cashier'), say(`why.${view.guidance.hint}`))));
  if (sale.notice) parts.push(notePart('', sayWord('notice', sale.notice)));
  const explains = sale.reason && sale.phase !== 'paid' && sale.reason !== 'cancelled';
  if (explains || sale.reason === 'declined-late') parts.push(notePart('warn', sayWord('reason', sale.reason)));
  parts.push(element('p', 'facts', factsOf(sale).join(' · ')));
  return parts;
}

function phasePart(sale) {
  const part = element('div', `phase ${sale.phase}`);
  const words = element('div');
  words.append(element('strong', '', say(`phase.${sale.phase}`)), element('span', '', say(`hint.${sale.phase}`)));
  part.append(picture(sale.phase), words);
  return part;
}

function duePart(sale) {
  const part = element('div', 'due');
  part.append(
    element('span', '', say(DUE_WORDS[sale.phase] ?? 'sale.due')),
    element('strong', 'amount', write(sale.amount)),
  );
  return part;
}

function sumsPart(sale) {
  const part = element('div', 'sums');
  for (const line of sale.lines) {
    part.append(row('lines', line.quantity > 1 ? `${line.label} × ${line.quantity}` : line.label, write(line.amount)));
  }
  if (sale.discounts.length) part.append(row('', say('sale.goods'), write(sale.goods)));
  for (const discount of sale.discounts) {
    const label = discount.label === 'member' ? say('discount.member') : discount.label;
    part.append(row('off', label, writeReduction(discount.amount)));
  }
  part.hidden = !part.children.length;
  return part;
}

function row(kind, label, amount) {
  const made = element('div', kind);
  made.append(element('span', '', label), element('span', 'amount', amount));
  return made;
}

function notePart(kind, text) {
  return element('p', `note ${kind}`, text);
}

function factsOf(sale) {
  const facts = [];
  if (sale.member) facts.push(`${say('sale.member')} ${sale.member}`);
  if (sale.payer) facts.push(sale.payer);
  else if (sale.scheme) facts.push(sale.scheme);
  if (sale.offline) facts.push(say('sale.offline'));
  if (sale.attempt_ms) facts.push(say('sale.took', {ms: sale.attempt_ms}));
  if (sale.refunded.minor) facts.push(say('sale.refunded', {amount: write(sale.refunded)}));
  if (sale.register !== 'cashier') facts.push(say('sale.by', {register: sale.register}));
  return facts;
}

function marksOf(sale) {
  if (sale.refunded.minor) return [say('sale.refunded', {amount: write(sale.refunded)})];
  return sale.offline ? [say('sale.offline')] : [];
}

function actionsOf(sale) {
  const actions = [];
  if (CANCELLABLE.includes(sale.phase)) actions.push(action('stop', 'sale.cancel', () => cancel(sale.sale)));
  if (canGoBack(sale)) actions.push(action('plain', 'sale.refund', () => askForRefund(sale)));
  return actions;
}

function action(kind, text, act) {
  const made = element('button', kind, say(text));
  made.addEventListener('click', () => {
    made.disabled = true;
    Promise.resolve(act()).finally(() => { made.disabled = false; });
  });
  return made;
}

function canGoBack(sale) {
  return sale.phase === 'paid' && sale.refunded.minor < sale.amount.minor;
}

function showLast() {
  at('last').replaceChildren(...view.last.map(lastRow));
  if (!view.last.length) at('last').append(element('p', 'empty-list', say('last.none')));
}

function lastRow(sale) {
  const made = element('li', sale.phase);
  const words = element('div');
  const time = new Date(sale.opened_ms).toLocaleTimeString(language(), {hour: '2-digit', minute: '2-digit'});
  words.append(
    element('div', 'amount', write(sale.amount)),
    element('div', 'about', [time, say(`phase.${sale.phase}`), ...marksOf(sale)].join(' · ')),
  );
  made.append(picture(sale.phase), words);
  if (canGoBack(sale)) made.append(action('plain', 'sale.refund', () => askForRefund(sale)));
  return made;
}

function showDevices() {
  at('devices').replaceChildren(...view.devices.map((device) => deviceRow(device, device.state === 'working' ? '' : device.detail)));
  if (!view.devices.length) at('devices').append(element('p', 'empty-list', say('devices.none')));
}

async function stillPaired() {
  const answer = await fetch('/cashier/state').catch(() => null);
  if (answer?.status === 401) location.reload();
}

at('start').addEventListener('click', () => start(pad.minor));
at('basket').addEventListener('click', () => start(null));
at('day').addEventListener('click', closeDay);
at('language').addEventListener('click', switchLanguage);
for (const button of document.querySelectorAll('[data-close]')) {
  button.addEventListener('click', () => button.closest('dialog').close());
}
document.addEventListener('language', () => {
  pad.show();
  if (view) show(view);
});

await loadTexts();
follow('/cashier/events', show, stillPaired);
