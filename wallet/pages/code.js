// The payment code on the screen, renewed in time, and the one sale for which it may be good alone.

import { send } from "/api.js";
import { at, merchantOf, showNotice, showPicture } from "/page.js";
import { moneyText, text } from "/texts.js";

const AGAIN_MS = 5000;

let until = 0;
let seconds = 30;
let asked = 0;
let answered = 0;
let boundTo = null;

export const kindNow = () => document.querySelector('input[name="kind"]:checked').value;
export const boundNow = () => boundTo;
export const boundText = () => text("bound", { merchant: `${merchantOf(boundTo)}, ${moneyText(boundTo.amount)}` });

export function showCodeTexts() {
  at("kind-hint").textContent = text(`kind-hint-${kindNow()}`);
  at("bound").hidden = boundTo === null;
  if (boundTo) at("bound-text").textContent = boundText();
}

// What to ask the wallet for: a token of the chosen kind, good for the bound sale alone if there is one.
export function wantedToken() {
  const wanted = new URLSearchParams({ kind: kindNow() });
  if (boundTo) wanted.set("offer", boundTo.offer);
  return wanted.toString();
}

export async function renewCode() {
  const own = (asked += 1);
  try {
    const code = await send(`/api/code?${wantedToken()}`);
    if (own !== asked) return;
    showPicture(at("code"), new Blob([code.svg], { type: "image/svg+xml" }));
    showCode(true);
    seconds = code.seconds;
    until = Date.now() + code.seconds * 1000;
  } catch (problem) {
    if (own !== asked) return;
    showNotice(problem);
    showCode(false);
    until = Date.now() + AGAIN_MS;
  } finally {
    answered = Math.max(answered, own);
  }
}

export function expireCode() {
  until = 0;
}

export function tick() {
  if (document.hidden) return;
  const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  at("countdown").max = seconds;
  at("countdown").value = left;
  at("fresh").textContent = text("fresh", { seconds: left });
  if (left === 0 && answered === asked && !at("tab-pay").hidden) renewCode();
}

// Codes and sounds are good for this offer alone from now on, or for any sale again.
export function bindTo(offer) {
  if (offer === boundTo) return;
  boundTo = offer;
  showCodeTexts();
  showCode(false);
  renewCode();
}

function showCode(isThere) {
  at("code").hidden = !isThere;
  at("code-missing").hidden = isThere;
}
