// Amounts are whole minor units and are written by moving digits, never by dividing.

const SIGNS = {CNY: '¥', EUR: '€', USD: '$', GBP: '£', JPY: '¥', HKD: 'HK$', TWD: 'NT$', SGD: 'S$'};

export const LONGEST = 13;

export function signOf(currency) {
  return SIGNS[currency] ?? `${currency} `;
}

export function digitsOf(minor, exponent) {
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, ',');
  const rest = exponent ? '.' + digits.slice(digits.length - exponent) : '';
  return (minor < 0 ? '−' : '') + whole + rest;
}

export function write(amount) {
  const point = amount.decimal.indexOf('.');
  const exponent = point < 0 ? 0 : amount.decimal.length - point - 1;
  const text = digitsOf(amount.minor, exponent);
  return text.startsWith('−') ? '−' + signOf(amount.currency) + text.slice(1) : signOf(amount.currency) + text;
}

export function writeReduction(amount) {
  return '−' + write(amount);
}
