// Where the account stands: balance, coupons, member card, last payments.

import { read, readBlob } from "/api.js";
import { at, element, showAmount, showNotice, showPicture } from "/page.js";
import { has, moneyText, text, timeText } from "/texts.js";

let state = null;
let stateAt = 0;
let seenSales = null;
let tellPaid = () => false;

export const balanceNow = () => state?.balance;

// `tell` gets a payment that the counter took from a shown or played token; it gives whether it could be shown.
export const onPaid = (tell) => (tellPaid = tell);
export const markSeen = (sale) => seenSales?.add(sale);

export async function refreshState() {
  try {
    const fresh = await read("/api/state");
    if (!fresh.problem) stateAt = Date.now();
    state = fresh;
    showNotice(fresh.problem);
    showState();
    announceNewPayments();
  } catch (problem) {
    showNotice(problem);
  }
}

export function showState() {
  if (!state) return;
  at("name").textContent = state.name;
  at("as-of").textContent = state.problem && stateAt ? text("as-of", { time: timeText(stateAt) }) : "";
  if (state.balance) showAmount(at("balance"), state.balance);
  showCoupons();
  showMember();
  showPayments();
}

function showCoupons() {
  at("no-coupons").hidden = state.coupons.length > 0;
  at("coupons").replaceChildren(
    ...state.coupons.map((coupon) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(element("strong", "", coupon.label), element("span", "more", "›"));
      button.addEventListener("click", () => openCoupon(coupon));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}

async function openCoupon(coupon) {
  try {
    showPicture(at("coupon-code"), await readBlob(`/api/card?text=${encodeURIComponent(coupon.code)}`));
    at("coupon-label").textContent = coupon.label;
    at("coupon").showModal();
  } catch (problem) {
    showNotice(problem);
  }
}

async function showMember() {
  const image = at("member-code");
  at("member").hidden = !state.member;
  if (!state.member || image.dataset.card === state.member) return;
  image.dataset.card = state.member;
  try {
    showPicture(image, await readBlob(`/api/card?text=${encodeURIComponent(state.member)}`));
  } catch {
    image.dataset.card = "";
  }
}

function showPayments() {
  at("no-payments").hidden = state.payments.length > 0;
  at("payments").replaceChildren(
    ...state.payments.map((payment) => {
      const item = element("li", "payment", "");
      const tone = !payment.refunded && ["approved", "declined"].includes(payment.verdict) ? payment.verdict : "other";
      item.append(
        element("strong", "", payment.merchant || payment.sale),
        element("span", "sum", moneyText(payment.amount)),
        element("small", "", timeText(payment.at_ms)),
        element("span", `verdict ${tone}`, verdictText(payment)),
      );
      return item;
    }),
  );
}

function verdictText(payment) {
  if (payment.refunded) return text("refunded", { amount: moneyText(payment.refunded) });
  return has(`verdict-${payment.verdict}`) ? text(`verdict-${payment.verdict}`) : payment.verdict;
}

function announceNewPayments() {
  const approved = state.payments.filter((payment) => payment.verdict === "approved");
  const fresh = seenSales && approved.find((payment) => !seenSales.has(payment.sale));
  if (fresh) tellPaid(fresh);
  if (!state.problem || seenSales !== null) seenSales = new Set([...(seenSales ?? []), ...approved.map((one) => one.sale)]);
}
