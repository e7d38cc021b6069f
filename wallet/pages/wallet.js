// The page of a shopper's phone: puts its parts together.

import { onPaid, refreshState, showState } from "/account.js";
import { takeKeyFromAddress, takePaymentFromAddress } from "/api.js";
import { bindTo, expireCode, renewCode, showCodeTexts, tick } from "/code.js";
import { wireHearer } from "/hearer.js";
import { showOffer, tellPaid, wireOffer } from "/offer.js";
import { at, showNotice } from "/page.js";
import { scanText, wireScanner } from "/scanner.js";
import { wireSpeaker } from "/speaker.js";
import { languageNow, otherLanguage, text, useLanguage } from "/texts.js";

const STATE_EVERY_MS = 5000;

function applyTexts() {
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = text(element.dataset.label);
  for (const element of document.querySelectorAll("[data-alt]")) element.alt = text(element.dataset.alt);
  at("language").textContent = text("other-language");
  at("language").ariaLabel = text("other-language-label");
  at("language").lang = otherLanguage();
  showCodeTexts();
  showNotice();
  showState();
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

function takePaid(payment) {
  if (!tellPaid(payment)) return;
  bindTo(null);
  expireCode();
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
      showCodeTexts();
      renewCode();
    });
  }
  at("renew").addEventListener("click", renewCode);
  at("unbind").addEventListener("click", () => bindTo(null));
  onPaid(takePaid);
  wireScanner(showOffer);
  wireHearer(showOffer);
  wireOffer();
  wireSpeaker();
  document.addEventListener("visibilitychange", wake);
  addEventListener("hashchange", () => takeKeyFromAddress() && wake());
}

function wake() {
  if (document.hidden) return;
  expireCode();
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
