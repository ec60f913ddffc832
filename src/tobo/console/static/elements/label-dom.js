// What the labelling elements make their nodes with: names and texts, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** @template {keyof HTMLElementTagNameMap} Name @param {Name} name @param {string} [className] @param {(Node | string)[]} inside @returns {HTMLElementTagNameMap[Name]} */
export function make(name, className = "", ...inside) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
export function svg(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** @param {string} words what stands on it @param {string} hint what it does and by which key, said to those who hear the page too @param {() => void} deed */
export function button(words, hint, deed) {
  const made = make("button", "button compact", words);
  made.type = "button";
  made.title = hint;
  made.setAttribute("aria-label", hint.toLowerCase().includes(words.toLowerCase()) ? hint : `${words}: ${hint}`);
  made.addEventListener("click", deed);
  return made;
}

/** Somebody's words in the direction that they have themselves. @param {string} words */
export function own(words) {
  const made = make("bdi", "", words);
  made.dir = "auto";
  return made;
}

/** The class of the style sheet that colours the class at this place of the list. @param {number} index -1 for none of them */
export function series(index) {
  return `series-${index < 0 ? 0 : (index % 6) + 1}`;
}

/** @param {number} index */
export function numeral(index) {
  return index < 0 ? "?" : String(index + 1);
}

/** @param {unknown} confidence of 0 to 1 @returns {string} "93 %", or "" where there is none */
export function percent(confidence) {
  return typeof confidence === "number" ? `${Math.round(confidence * 100)} %` : "";
}
