// Texts of the pages in the chosen language. A word without a text shows a general sentence.

const STORE = 'tillwave-language';
const LANGUAGES = ['zh', 'en'];
const all = {};
let texts = {};

export function language() {
  return document.documentElement.lang;
}

export async function loadTexts() {
  await Promise.all(LANGUAGES.map(async (name) => {
    const answer = await fetch(`/pages/${name}.json`);
    all[name] = await answer.json();
  }));
  use(remembered() || document.documentElement.lang);
}

export function switchLanguage() {
  const next = language() === 'zh' ? 'en' : 'zh';
  try {
    localStorage.setItem(STORE, next);
  } catch {
    // A browser without storage forgets the choice; nothing else depends on it.
  }
  use(next);
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
    return LANGUAGES.includes(kept) ? kept : '';
  } catch {
    return '';
  }
}

function use(chosen) {
  texts = all[chosen];
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
