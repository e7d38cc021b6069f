// The amount pad: digits come in from the right, as on any till. Keys of the keyboard work too.

import {LONGEST, digitsOf, signOf} from './money.js';

const BURST_MS = 30;
const SCANNER_KEYS = 5;
const QUIET_MS = 250;

export class Pad {
  constructor(exponent, currency, start) {
    this.digits = '';
    this.exponent = exponent;
    this.currency = currency;
    this.allowed = false;
    this.start = start;
    this.before = '';
    this.lastKeyAt = -QUIET_MS;
    this.run = 0;
    for (const key of document.querySelectorAll('[data-digit]')) {
      key.addEventListener('click', () => this.type(key.dataset.digit));
    }
    document.getElementById('back').addEventListener('click', () => this.back());
    document.getElementById('clear').addEventListener('click', () => this.clear());
    document.addEventListener('keydown', (event) => this.press(event));
  }

  get minor() {
    return Number(this.digits || '0');
  }

  type(digits) {
    const next = (this.digits + digits).replace(/^0+/, '');
    if (next.length <= LONGEST) this.digits = next;
    this.show();
  }

  back() {
    this.digits = this.digits.slice(0, -1);
    this.show();
  }

  clear() {
    this.digits = '';
    this.show();
  }

  allow(allowed) {
    this.allowed = allowed;
    this.show();
  }

  show() {
    const typed = document.getElementById('typed');
    typed.textContent = signOf(this.currency) + digitsOf(this.minor, this.exponent);
    typed.classList.toggle('empty', !this.digits);
    document.getElementById('start').disabled = !this.allowed || this.minor === 0;
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest('dialog, input')) return;
    if (this.isScanner(event)) {
      event.preventDefault();
      return;
    }
    if (/^[0-9]$/.test(event.key)) this.type(event.key);
    else if (event.key === 'Backspace') this.back();
    else if (event.key === 'Delete') this.clear();
    else if (event.key === 'Enter' && event.target === document.body) this.start(this.minor);
  }

  // A scanner that works as a keyboard types faster than anybody: what it types here is no amount.
  isScanner(event) {
    if (event.repeat) return false;
    const since = event.timeStamp - this.lastKeyAt;
    this.lastKeyAt = event.timeStamp;
    if (since > (this.run >= SCANNER_KEYS ? QUIET_MS : BURST_MS)) {
      this.run = 0;
      this.before = this.digits;
    }
    this.run += 1;
    if (this.run === SCANNER_KEYS) {
      this.digits = this.before;
      this.show();
    }
    return this.run >= SCANNER_KEYS;
  }
}
