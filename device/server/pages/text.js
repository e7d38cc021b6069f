// Texts of the pages in the chosen language. A word without a text shows a general sentence.

const STORE = 'tillwave-language';
let texts = {};

export function language() {
  return document.documentElement.lang;
}

export async function loadTexts() {
  await use(remembered() || document.documentElement.lang);
}

export async function switchLanguage() {
  const next = language() === 'zh' ? 'en' : 'zh';
  try {
    localStorage.setItem(STORE, next);
  } catch {
    // A browser without storage forgets the choice; nothing else depends on it.
  }
  await use(next);
}

export function say(key, values = {}) {
  const text = texts[key] ?? '';
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

export function sayWord(kind, word) {
  const other = kind === 'notice' ? 'reason' : 'notice';
  return word ? (texts[`${kind}.${word}`] ?? texts[`${other}.${word}`] ?? say(`${kind}.default`)) : '';
}

export function join(...sentences) {
  return sentences.filter(Boolean).join(language() === 'zh' ? '' : ' ');
}

function remembered() {
  try {
    const kept = localStorage.getItem(STORE);
    return kept === 'zh' || kept === 'en' ? kept : '';
  } catch {
    return '';
  }
}

async function use(chosen) {
  const answer = await fetch(`/pages/${chosen}.json`);
  texts = await answer.json();
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = say(element.dataset.text);
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', say(element.dataset.label));
    element.title = say(element.dataset.label);
  }
  document.documentElement.classList.add('ready');
  document.dispatchEvent(new Event('language'));
}
