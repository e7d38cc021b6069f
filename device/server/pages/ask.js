// One request to the terminal: gives {answer} or {reason}, and throws nothing.

const TIMEOUT_MS = 20000;

export async function ask(address, body) {
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers: {'content-type': 'application/json'},
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return await read(answer);
  } catch {
    return {reason: 'unreachable'};
  }
}

export async function look(address) {
  try {
    return await read(await fetch(address, {signal: AbortSignal.timeout(TIMEOUT_MS)}));
  } catch {
    return {reason: 'unreachable'};
  }
}

export function makeId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return 'page-' + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function read(answer) {
  const said = await answer.json();
  return answer.ok ? {answer: said} : {reason: said.error.reason, text: said.error.text};
}
