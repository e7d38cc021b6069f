import {loadTexts, say, sayWord, switchLanguage} from './text.js';

const form = document.getElementById('form');
const code = document.getElementById('code');
const problem = document.getElementById('problem');
const side = document.documentElement.dataset.side;

async function pair() {
  problem.textContent = '';
  try {
    const answer = await fetch(`/${side}/pair`, {
      method: 'POST',
      headers: {'content-type': 'application/json'},
      body: JSON.stringify({code: code.value.trim()}),
    });
    if (answer.ok) {
      location.replace(`/${side}`);
      return;
    }
    const {error} = await answer.json();
    problem.textContent = sayWord('reason', error.reason);
  } catch {
    problem.textContent = say('reason.unreachable');
  }
  code.value = '';
  code.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  pair();
});
document.getElementById('language').addEventListener('click', switchLanguage);
document.addEventListener('language', () => {
  document.getElementById('title').textContent = say(side === 'technician' ? 'technician.pair' : 'title.pair');
});

await loadTexts();
const given = new URLSearchParams(location.hash.slice(1)).get('pair');
if (given) {
  history.replaceState(null, '', `/${side}`);
  code.value = given;
  pair();
}
