// What elements share whose answer is a class, or several: which are chosen, and how an answer says so.

/** @typedef {import("./label-element.js").LabelElement<number[]>} Classified */

/** @param {Classified} element @param {import("./label-element.js").Answer} answer @returns {number[]} places in the list of classes */
export function readClasses(element, answer) {
  /** @type {unknown[]} */
  const labels = answer.labels ?? (answer.label === undefined ? [] : [answer.label]);
  const found = labels.map((label) => element.index(String(label))).filter((index) => index >= 0);
  return element.given.multiple ? found : found.slice(0, 1);
}

/** @param {Classified} element @returns {import("./label-element.js").Answer} */
export function writeClasses(element) {
  const labels = element.state.map((index) => element.given.labels[index] ?? "");
  if (element.given.multiple) return { labels };
  return labels.length ? { label: labels[0] } : {};
}

/** A single choice decides at once, also where it is the one that was there. @param {Classified} element @param {number} index */
export function chooseClass(element, index) {
  if (!element.ready || element.given.readonly || element.given.labels[index] === undefined) return;
  const { state } = element;
  if (element.given.multiple) {
    const chosen = state.includes(index) ? state.filter((one) => one !== index) : [...state, index];
    return element.commit(chosen.sort((one, other) => one - other));
  }
  if (state[0] !== index) element.commit([index]);
  element.tell("label-done");
}

/** @param {Classified} element */
export function drawClasses(element) {
  element.choices.mark(element.state);
  element.choices.guess(element.guessedClasses());
}
