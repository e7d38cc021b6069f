import {drawGuide} from './guide.js';
import {element, follow, picture} from './live.js';
import {write, writeReduction} from './money.js';
import {join, loadTexts, say, sayWord, switchLanguage} from './text.js';

const SHOWN_MS = {paid: 8000, unpaid: 6000, cancelled: 6000};
const DECLINED_MS = 4500;
const MOST_LINES = 5;
const LONG_AMOUNT = 9;
const GOOD_NOTICES = ['coupon-taken', 'member-taken', 'goods-added'];

const at = (id) => document.getElementById(id);
let view = null;
let before = null;
let declinedUntil = 0;
let endsAt = 0;
let timer = 0;
let codeTimer = 0;
let drawn = '';
let shownResult = '';

function take(next) {
  before = view?.sale ?? null;
  view = next;
  const sale = view.sale;
  if (isDeclined(sale)) declinedUntil = Date.now() + DECLINED_MS;
  if (sale?.final && !(before?.sale === sale.sale && before.final)) {
    // A page that has just been opened does not celebrate old sales; one that saw it happen trusts no wall clock.
    const age = before?.sale === sale.sale ? 0 : Math.max(0, view.now_ms - sale.closed_ms);
    endsAt = Date.now() + SHOWN_MS[sale.phase] - age;
  }
  showPairing();
  show();
}

// A decline is news when this sale was seen before without it; the reason then stays as a notice.
function isDeclined(sale) {
  if (sale?.phase !== 'gathering' || !sale.reason || before?.sale !== sale.sale) return false;
  return before.phase !== 'gathering' || before.reason !== sale.reason;
}

function show() {
  clearTimeout(timer);
  const sale = view.sale;
  const now = Date.now();
  if (sale?.final ? now < endsAt : sale) {
    const declined = sale.phase === 'gathering' && now < declinedUntil;
    if (declined) showResult('declined', sale, join(sayWord('reason', sale.reason), say('display.again')));
    else if (sale.phase === 'gathering') showAsk(sale);
    else showResult(sale.phase, sale, sale.notice ? sayWord('notice', sale.notice) : say(`display.${sale.phase}.hint`));
    if (declined) timer = setTimeout(show, declinedUntil - now);
    if (sale.final) timer = setTimeout(show, endsAt - now);
  } else if (!view.in_service) {
    showResult('closed', null, say('display.out-of-service.hint'));
  } else {
    open('idle');
  }
}

function open(name) {
  for (const screen of document.querySelectorAll('.screen')) screen.hidden = screen.id !== name;
  if (name !== 'result') shownResult = '';
}

function showAsk(sale) {
  at('hello').textContent = sale.member ? say('display.hello', {name: sale.member}) : '';
  at('total').textContent = write(sale.amount);
  at('total').classList.toggle('long', write(sale.amount).length > LONG_AMOUNT);
  at('total-title').textContent = say(sale.challenge ? 'display.total' : 'display.scanning');
  at('sums').replaceChildren(...sums(sale));
  showNotice(sale);
  showCode(sale);
  at('ways').replaceChildren(...(sale.challenge ? ['scan', 'show', ...(view.sound ? ['sound'] : [])].map(way) : []));
  at('ask').classList.toggle('without-code', !sale.challenge);
  showGuide(view.guidance);
  open('ask');
}

// What the camera says takes the place of the ways to pay: the shopper has chosen one.
function showGuide(guidance) {
  at('guide').hidden = !guidance;
  at('ask').classList.toggle('guided', Boolean(guidance));
  if (!guidance) return;
  drawGuide(at('guide-picture'), guidance);
  at('guide-text').textContent = say(`guide.${guidance.hint}`);
}

function sums(sale) {
  const rows = sale.lines.slice(-MOST_LINES).map((line) =>
    row('lines', line.quantity > 1 ? `${line.label} × ${line.quantity}` : line.label, write(line.amount)));
  if (sale.discounts.length) rows.push(row('', say('sale.goods'), write(sale.goods)));
  for (const discount of sale.discounts) {
    const label = discount.label === 'member' ? say('discount.member') : discount.label;
    rows.push(row('off', label, writeReduction(discount.amount)));
  }
  return rows;
}

function row(kind, label, amount) {
  const made = element('div', kind);
  made.append(element('span', '', label), element('span', 'amount', amount));
  return made;
}

function way(name) {
  const made = element('li');
  made.append(picture(name), element('span', '', say(`display.${name}`)));
  return made;
}

function showNotice(sale) {
  const text = sale.notice ? sayWord('notice', sale.notice) : sayWord('reason', sale.reason);
  at('notice').hidden = !text;
  at('notice').textContent = sale.notice || !text ? text : join(text, say('display.again'));
  at('notice').classList.toggle('warn', !GOOD_NOTICES.includes(sale.notice));
}

function showCode(sale) {
  const wanted = sale.challenge ? `/display/challenge.svg?sale=${sale.sale}&code=${sale.challenge}` : '';
  at('code').alt = say('display.code.alt');
  if (wanted && wanted !== drawn) at('code').src = wanted;
  drawn = wanted;
}

function showResult(kind, sale, hint) {
  const shown = `${kind} ${sale?.sale ?? ''}`;
  if (shown !== shownResult) at('symbol').replaceChildren(picture(kind));
  shownResult = shown;
  at('result').className = `screen ${kind}`;
  at('outcome').textContent = say(kind === 'closed' ? 'display.out-of-service' : `display.${kind}`);
  at('outcome-amount').textContent = sale?.amount.minor ? write(sale.amount) : '';
  at('outcome-hint').textContent = hint;
  open('result');
  shownResult = shown;
}

function showPairing() {
  clearTimeout(codeTimer);
  at('pairing').hidden = !view.code;
  at('pairing-code').textContent = view.code.replace(/(\d{4})(\d{4})/, '$1 $2');
  if (view.code) codeTimer = setTimeout(() => { at('pairing').hidden = true; }, view.code_left_ms);
}

at('language').addEventListener('click', switchLanguage);
document.addEventListener('language', () => { if (view) show(); });

await loadTexts();
follow('/display/events', take);
