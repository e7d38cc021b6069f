// What a terminal asks for, paying it, and what became of it.

import { send } from "/api.js";
import { balanceNow, markSeen, refreshState } from "/account.js";
import { bindTo } from "/code.js";
import { at, merchantOf, problemText, showAmount } from "/page.js";
import { openSpeaker } from "/speaker.js";
import { has, moneyText, text } from "/texts.js";

let offer = null;

export function wireOffer() {
  at("pay").addEventListener("click", () => (offer.isHeard ? paySounding() : pay(at("pay"))));
  at("again").addEventListener("click", () => pay(at("again")));
  at("bind").addEventListener("click", bind);
}

export function showOffer(asked) {
  offer = asked;
  at("offer-merchant").textContent = merchantOf(offer);
  showAmount(at("offer-amount"), offer.amount);
  at("offer-terminal").textContent = text("offer-terminal", { terminal: offer.terminal });
  const balance = balanceNow();
  const short = balance && balance.currency === offer.amount.currency && balance.minor < offer.amount.minor;
  at("offer-warning").hidden = !short;
  at("offer-warning").textContent = text("offer-short");
  at("pay").textContent = text(offer.isHeard ? "pay-sound" : "pay", { amount: moneyText(offer.amount) });
  at("pay").disabled = false;
  at("offer").showModal();
  at("pay").focus();
}

// Shows a payment that the counter took; gives whether there was room for it.
export function tellPaid(payment) {
  if (at("result").open || at("offer").open) return false;
  showResult({ verdict: "approved", ...payment });
  return true;
}

async function pay(button) {
  button.disabled = true;
  button.textContent = text("paying");
  try {
    showResult(await send("/api/pay", { offer: offer.offer }));
  } catch (problem) {
    // The wallet's own backend did not answer: whether it paid is unknown. Every other problem means that it did not.
    const verdict = problem.kind === "server" ? "unknown" : "declined";
    showResult({ ...offer, verdict, problem });
  }
  refreshState();
}

function showResult(result) {
  if (result.verdict === "approved" && result.sale) markSeen(result.sale);
  for (const id of ["offer", "scanner", "speaker", "hearer"]) at(id).close();
  at("result").dataset.verdict = result.verdict;
  at("result-title").textContent = text(`result-${result.verdict}`);
  showAmount(at("result-amount"), result.amount);
  at("result-merchant").textContent = merchantOf(result);
  at("result-text").textContent = resultText(result);
  const open = ["unknown", "pending"].includes(result.verdict) || result.problem !== undefined;
  at("again").hidden = !open;
  at("again").disabled = false;
  at("again").textContent = text(result.verdict === "declined" ? "retry-pay" : "again");
  if (!at("result").open) at("result").showModal();
}

function resultText(result) {
  const usual = text(`text-${result.verdict}`);
  if (result.problem && result.verdict === "declined") return `${problemText(result.problem)} ${usual}`;
  const reason = `reason-${result.reason}`;
  return result.verdict === "declined" && has(reason) ? `${text(reason)} ${usual}` : usual;
}

function bind() {
  at("offer").close();
  bindTo(offer);
}

function paySounding() {
  bind();
  openSpeaker();
}
