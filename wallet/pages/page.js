// What all parts of the page share: elements, the words for a problem, amounts, pictures.

import { digitsOf, has, languageNow, symbolOf, text } from "/texts.js";

let shownProblem = null;

export const at = (id) => document.getElementById(id);
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const merchantOf = (shown) => (languageNow() === "zh" && shown.local_merchant) || shown.merchant;

export function problemText(problem) {
  if (problem.reason && has(`reason-${problem.reason}`)) return text(`reason-${problem.reason}`);
  const name = `problem-${problem.kind ?? problem.problem}`;
  return has(name) ? text(name) : text("problem");
}

export function showNotice(problem = shownProblem) {
  shownProblem = problem;
  at("notice").hidden = problem === null;
  if (problem) at("notice").textContent = problemText(problem);
}

export function showAmount(place, amount) {
  place.replaceChildren(element("span", "symbol", symbolOf(amount.currency)), digitsOf(amount));
}

export function showPicture(image, blob) {
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

export function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = content;
  return made;
}
