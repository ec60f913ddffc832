// The classes to choose from: numbered, coloured, found by typing; the guess' confidence stands beside its class.
import { make, numeral, own, percent, series } from "./label-dom.js";

const KEYS = 9;

export class Choices {
  /** @type {string[]} */
  labels = [];
  /** @type {HTMLElement[]} */
  options = [];
  root = make("div", "label-choices");
  list = make("div", "label-list");
  filter = make("input", "input");
  count = make("p", "small quiet");

  /** @param {(index: number) => void} chosen @param {() => void} left a pointer or the filter has done its work: the focus goes back */
  constructor(chosen, left) {
    this.chosen = chosen;
    this.left = left;
    this.filter.type = "search";
    this.filter.placeholder = "Find a class";
    this.filter.setAttribute("aria-label", "Find a class (F)");
    this.filter.addEventListener("input", () => this.narrow());
    this.filter.addEventListener("keydown", (event) => this.pressFilter(event));
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Classes");
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.list.addEventListener("keydown", (event) => this.press(event));
    this.count.setAttribute("role", "status");
    this.root.append(this.filter, this.count, this.list);
  }

  /** @param {string[]} labels @param {boolean} multiple */
  show(labels, multiple) {
    this.list.setAttribute("aria-multiselectable", String(multiple));
    if (this.options.length && labels.length === this.labels.length && labels.every((label, at) => label === this.labels[at])) {
      if (this.filter.value) this.clear();
      return;
    }
    this.labels = labels;
    this.options = labels.map((label, index) => this.option(label, index));
    this.list.replaceChildren(...this.options);
    this.filter.hidden = labels.length <= KEYS;
    this.clear();
    this.reach(0);
  }

  /** @param {string} label @param {number} index */
  option(label, index) {
    const option = make("div", `label-option ${series(index)}`);
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.index = String(index);
    option.tabIndex = -1;
    option.title = label;
    option.append(make("span", "label-number", numeral(index)), own(label), make("span", "label-confidence"));
    return option;
  }

  clear() {
    this.filter.value = "";
    this.narrow();
  }

  narrow() {
    const words = this.filter.value.trim().toLocaleLowerCase();
    let left = 0;
    this.options.forEach((option, index) => {
      option.hidden = !(this.labels[index] ?? "").toLocaleLowerCase().includes(words);
      if (!option.hidden) left += 1;
    });
    this.count.hidden = this.filter.hidden;
    this.count.textContent = words ? `${left} of ${this.options.length} classes` : `${this.options.length} classes`;
    const first = this.visible()[0];
    if (first && !this.visible().some((option) => option.tabIndex === 0)) this.reach(Number(first.dataset.index));
  }

  visible() {
    return this.options.filter((option) => !option.hidden);
  }

  /** Makes a class the one that Tab reaches. @param {number} index */
  reach(index) {
    for (const option of this.options) option.tabIndex = Number(option.dataset.index) === index ? 0 : -1;
  }

  /** @param {number[]} chosen */
  mark(chosen) {
    for (const option of this.options) {
      const on = chosen.includes(Number(option.dataset.index));
      if (on === (option.getAttribute("aria-selected") === "true")) continue;
      option.setAttribute("aria-selected", String(on));
      if (on) this.reveal(option);
    }
    if (chosen.length && chosen[0] !== undefined) this.reach(chosen[0]);
  }

  /** Scrolls the list alone, never the page. @param {HTMLElement} option */
  reveal(option) {
    const list = this.list.getBoundingClientRect();
    const its = option.getBoundingClientRect();
    if (its.top < list.top) this.list.scrollTop -= list.top - its.top;
    else if (its.bottom > list.bottom) this.list.scrollTop += its.bottom - list.bottom;
  }

  /** @param {Map<number, number | undefined>} guesses confidence by class */
  guess(guesses) {
    this.options.forEach((option, index) => {
      const place = /** @type {HTMLElement} */ (option.lastElementChild);
      const words = guesses.has(index) ? `guess ${percent(guesses.get(index))}`.trim() : "";
      if (place.textContent !== words) place.textContent = words;
    });
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const option = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-index]"));
    if (!option) return;
    this.choose(Number(option.dataset.index));
    if (event.detail) this.left();
  }

  /** @param {number} index */
  choose(index) {
    this.reach(index);
    this.chosen(index);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const option = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-index]"));
    if (!option || event.ctrlKey || event.metaKey || event.altKey) return;
    const there = this.visible();
    const at = there.indexOf(option);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -there.length, End: there.length };
    const by = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (event.key === "Enter" || event.key === " ") this.choose(Number(option.dataset.index));
    else if (by) {
      const next = there[Math.min(Math.max(at + by, 0), there.length - 1)];
      if (next) this.reach(Number(next.dataset.index));
      next?.focus();
    } else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  pressFilter(event) {
    const first = this.visible()[0];
    if (event.key === "Enter" && first && this.filter.value) {
      this.choose(Number(first.dataset.index));
      this.clear();
      this.reveal(first);
      this.left();
    } else if (event.key === "ArrowDown" && first) {
      this.reach(Number(first.dataset.index));
      first.focus();
    } else if (event.key === "Escape") {
      if (!this.filter.value) this.left();
      this.clear();
    } else return;
    event.preventDefault();
  }
}
