// The refund dialog. It keeps its id until the terminal has answered, and follows the refund to its end.

import {ask, look, makeId} from './ask.js';
import {write} from './money.js';
import {join, say, sayWord} from './text.js';

const at = (id) => document.getElementById(id);
let sale = null;
let asking = null;
let pending = '';

export function askForRefund(about) {
  sale = about;
  asking = null;
  pending = '';
  const left = leftOf(sale);
  at('refund-about').textContent = say('refund.left', {amount: write(left)});
  at('refund-amount').value = left.decimal;
  at('refund-badge').value = '';
  at('refund-result').textContent = '';
  at('refund-start').disabled = false;
  at('refund-dialog').showModal();
  at('refund-badge').focus();
}

export async function refundsChanged() {
  if (!pending) return;
  const {answer} = await look(`/cashier/refunds/${encodeURIComponent(pending)}`);
  if (answer && pending === answer.id) follow(answer);
}

function leftOf(about) {
  const minor = about.amount.minor - about.refunded.minor;
  return {minor, currency: about.amount.currency, decimal: decimalOf(minor)};
}

function exponent() {
  return Number(document.documentElement.dataset.exponent);
}

function decimalOf(minor) {
  const digits = String(minor).padStart(exponent() + 1, '0');
  return exponent() ? `${digits.slice(0, -exponent())}.${digits.slice(-exponent())}` : digits;
}

function minorOf(text) {
  const match = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text.trim());
  if (!match || (match[2] ?? '').length > exponent()) return null;
  return Number(match[1] + (match[2] ?? '').padEnd(exponent(), '0'));
}

async function give() {
  const minor = minorOf(at('refund-amount').value);
  const badge = at('refund-badge').value;
  at('refund-badge').value = '';
  if (!minor || !badge) {
    at('refund-result').textContent = sayWord('reason', badge ? 'bad-request' : 'not-allowed');
    return;
  }
  if (asking === null || asking.amount.minor !== minor) {
    asking = {id: makeId(), payment: sale.payment, amount: {minor, currency: sale.amount.currency}};
  }
  at('refund-start').disabled = true;
  const {answer, reason} = await ask('/cashier/refunds', {...asking, badge});
  at('refund-start').disabled = false;
  if (answer) {
    follow(answer);
  } else {
    if (reason !== 'unreachable') asking = null;
    at('refund-result').textContent = sayWord('reason', reason);
    at('refund-badge').focus();
  }
}

function follow(refund) {
  pending = refund.final ? '' : refund.id;
  const why = refund.state === 'declined' ? sayWord('reason', refund.reason) : '';
  at('refund-result').textContent = join(say(`refund.${refund.state}`), why);
  at('refund-start').disabled = refund.state !== 'declined';
  if (refund.state === 'declined') asking = null;
}

at('refund-form').addEventListener('submit', (event) => {
  event.preventDefault();
  give();
});
at('refund-dialog').addEventListener('close', () => { at('refund-badge').value = ''; });
