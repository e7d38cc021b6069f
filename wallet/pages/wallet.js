// The page of a shopper's phone: payment code, sound, scanning, cards, last payments.

import { read, readBlob, send, sendPicture, takeKeyFromAddress, takePaymentFromAddress } from "/api.js";
import { closeCamera, frameOf, openCamera, photoOf } from "/camera.js";
import { playToken } from "/sound.js";
import { digitsOf, has, languageNow, moneyText, otherLanguage, symbolOf, text, timeText, useLanguage } from "/texts.js";

const STATE_EVERY_MS = 5000;
const FRAME_EVERY_MS = 250;
const BAD_CODE_PAUSE_MS = 1200;

const at = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let state = null;
let seenSales = null;
let stateAt = 0;
let codeUntil = 0;
let codeSeconds = 30;
let codeBusy = false;
let offer = null;
let boundTo = null;
let shownProblem = null;

// --- words -----------------------------------------------------------------------------------------------------------

function problemText(problem) {
  if (problem.reason && has(`reason-${problem.reason}`)) return text(`reason-${problem.reason}`);
  const name = `problem-${problem.kind ?? problem.problem}`;
  return has(name) ? text(name) : text("problem");
}

function applyTexts() {
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = text(element.dataset.label);
  for (const element of document.querySelectorAll("[data-alt]")) element.alt = text(element.dataset.alt);
  at("language").textContent = text("other-language");
  at("language").ariaLabel = text("other-language-label");
  at("language").lang = otherLanguage();
  at("sound-text").textContent = text("sound");
  showKindHint();
  showBound();
  showNotice(shownProblem);
  if (state) showState();
}

function chooseLanguage(language) {
  useLanguage(language);
  localStorage.setItem("tillwave.language", languageNow());
  applyTexts();
}

function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.querySelector('meta[name="theme-color"]').content = theme === "dark" ? "#123a31" : "#0b5d4e";
}

// --- small parts -----------------------------------------------------------------------------------------------------

function showNotice(problem) {
  shownProblem = problem;
  at("notice").hidden = problem === null;
  if (problem) at("notice").textContent = problemText(problem);
}

function showAmount(element, amount) {
  const symbol = document.createElement("span");
  symbol.className = "symbol";
  symbol.textContent = symbolOf(amount.currency);
  element.replaceChildren(symbol, digitsOf(amount));
}

function showPicture(image, blob) {
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = content;
  return made;
}

const merchantOf = (shown) => (languageNow() === "zh" && shown.local_merchant) || shown.merchant;

// --- the account -----------------------------------------------------------------------------------------------------

async function refreshState() {
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

function showState() {
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

// A payment that the counter took from a shown or played token is told here, too.
function announceNewPayments() {
  const approved = state.payments.filter((payment) => payment.verdict === "approved");
  if (seenSales !== null) {
    const fresh = approved.find((payment) => !seenSales.has(payment.sale));
    if (fresh && !at("result").open && !at("offer").open) {
      showResult({ verdict: "approved", ...fresh });
      unbind();
      codeUntil = 0;
    }
  }
  if (!state.problem || seenSales !== null) seenSales = new Set([...(seenSales ?? []), ...approved.map((one) => one.sale)]);
}

// --- the payment code ------------------------------------------------------------------------------------------------

const kindNow = () => document.querySelector('input[name="kind"]:checked').value;
const showKindHint = () => (at("kind-hint").textContent = text(`kind-hint-${kindNow()}`));

async function renewCode() {
  if (codeBusy) return;
  codeBusy = true;
  try {
    const code = await send(`/api/code?kind=${kindNow()}`);
    showPicture(at("code"), new Blob([code.svg], { type: "image/svg+xml" }));
    at("code").hidden = false;
    at("code-missing").hidden = true;
    codeSeconds = code.seconds;
    codeUntil = Date.now() + code.seconds * 1000;
  } catch (problem) {
    showNotice(problem);
    at("code").hidden = true;
    at("code-missing").hidden = false;
    codeUntil = Date.now() + 5000;
  } finally {
    codeBusy = false;
  }
}

function tick() {
  if (document.hidden) return;
  const left = Math.max(0, Math.ceil((codeUntil - Date.now()) / 1000));
  at("countdown").max = codeSeconds;
  at("countdown").value = left;
  at("fresh").textContent = text("fresh", { seconds: left });
  if (left === 0 && !at("tab-pay").hidden) renewCode();
}

async function playSound() {
  const button = at("sound");
  if (button.disabled) return;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  at("sound-text").textContent = text("sound-playing");
  at("kind-hint").textContent = text("sound-hint");
  try {
    await playToken();
    showNotice(null);
  } catch (problem) {
    showNotice(problem);
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    at("sound-text").textContent = text("sound");
    showKindHint();
  }
}

// --- scanning --------------------------------------------------------------------------------------------------------

async function openScanner() {
  at("scanner").showModal();
  at("scanner-state").textContent = text("scanner-starting");
  try {
    const stream = await openCamera(at("video"));
    if (!at("scanner").open) return closeCamera(at("video"));
    at("scanner-state").textContent = text("scanner-looking");
    await lookThrough(stream);
  } catch (problem) {
    at("scanner-state").textContent = problemText(problem);
  }
}

async function lookThrough(stream) {
  while (at("scanner").open && stream.active) {
    try {
      const frame = await frameOf(at("video"));
      if (frame && takeScanned(await sendPicture("/api/scan/picture", frame))) return;
      await pause(FRAME_EVERY_MS);
    } catch (problem) {
      at("scanner-state").textContent = problemText(problem);
      await pause(BAD_CODE_PAUSE_MS);
    }
  }
}

function takeScanned(scanned) {
  if (scanned.offer === null || at("offer").open) return false;
  at("scanner").close();
  showOffer(scanned);
  return true;
}

async function scanPhoto() {
  const [file] = at("photo").files;
  at("photo").value = "";
  if (!file) return;
  try {
    const scanned = await sendPicture("/api/scan/picture", await photoOf(file));
    if (!takeScanned(scanned)) at("scanner-state").textContent = text("photo-empty");
  } catch (problem) {
    at("scanner-state").textContent = problemText(problem);
  }
}

async function scanText(code, tell) {
  try {
    takeScanned(await send("/api/scan", { text: code }));
  } catch (problem) {
    tell(problem);
  }
}

// --- paying ----------------------------------------------------------------------------------------------------------

function showOffer(scanned) {
  offer = scanned;
  at("offer-merchant").textContent = merchantOf(offer);
  showAmount(at("offer-amount"), offer.amount);
  at("offer-terminal").textContent = text("offer-terminal", { terminal: offer.terminal });
  const balance = state?.balance;
  const short = balance && balance.currency === offer.amount.currency && balance.minor < offer.amount.minor;
  at("offer-warning").hidden = !short;
  at("offer-warning").textContent = text("offer-short");
  at("pay").textContent = text("pay", { amount: moneyText(offer.amount) });
  at("pay").disabled = false;
  at("offer").showModal();
  at("pay").focus();
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
  if (result.verdict === "approved" && result.sale) seenSales?.add(result.sale);
  at("offer").close();
  at("scanner").close();
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

async function bind() {
  try {
    await send("/api/bind", { offer: offer.offer });
    boundTo = offer;
    at("offer").close();
    openTab("pay");
    showBound();
    await renewCode();
  } catch (problem) {
    showNotice(problem);
  }
}

async function unbind() {
  if (boundTo === null) return;
  try {
    await send("/api/bind", { offer: null });
    boundTo = null;
    showBound();
    await renewCode();
  } catch (problem) {
    showNotice(problem);
  }
}

function showBound() {
  at("bound").hidden = boundTo === null;
  if (boundTo) at("bound-text").textContent = text("bound", { merchant: `${merchantOf(boundTo)}, ${moneyText(boundTo.amount)}` });
}

// --- the page --------------------------------------------------------------------------------------------------------

function openTab(name) {
  document.body.dataset.tab = name;
  for (const button of document.querySelectorAll("button[data-tab]")) {
    const chosen = button.dataset.tab === name;
    at(`tab-${button.dataset.tab}`).hidden = !chosen;
    if (chosen) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
}

function wire() {
  at("language").addEventListener("click", () => chooseLanguage(otherLanguage()));
  at("theme").addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("tillwave.theme", theme);
    chooseTheme(theme);
  });
  for (const button of document.querySelectorAll("button[data-tab]")) {
    button.addEventListener("click", () => openTab(button.dataset.tab));
  }
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  for (const input of document.querySelectorAll('input[name="kind"]')) {
    input.addEventListener("change", () => {
      showKindHint();
      renewCode();
    });
  }
  at("renew").addEventListener("click", renewCode);
  at("sound").addEventListener("click", playSound);
  at("scan").addEventListener("click", openScanner);
  at("scanner").addEventListener("close", () => closeCamera(at("video")));
  at("photo").addEventListener("change", scanPhoto);
  at("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    scanText(at("typed-text").value, (problem) => (at("scanner-state").textContent = problemText(problem)));
    at("typed-text").value = "";
  });
  at("pay").addEventListener("click", () => pay(at("pay")));
  at("again").addEventListener("click", () => pay(at("again")));
  at("bind").addEventListener("click", bind);
  at("unbind").addEventListener("click", unbind);
  document.addEventListener("visibilitychange", wake);
  addEventListener("hashchange", () => takeKeyFromAddress() && wake());
}

function wake() {
  if (document.hidden) return;
  codeUntil = 0;
  tick();
  refreshState();
}

async function start() {
  takeKeyFromAddress();
  const preferred = navigator.language.startsWith("zh") ? "zh" : "en";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => localStorage.getItem("tillwave.theme") ?? (dark.matches ? "dark" : "light");
  chooseTheme(theme());
  dark.addEventListener("change", () => chooseTheme(theme()));
  useLanguage(localStorage.getItem("tillwave.language") ?? preferred);
  applyTexts();
  wire();
  setInterval(tick, 250);
  setInterval(() => document.hidden || refreshState(), STATE_EVERY_MS);
  const asked = takePaymentFromAddress();
  tick();
  await refreshState();
  if (asked !== null) await scanText(asked, showNotice);
}

start();
