// What every labelling element has: a task, an answer, a history to undo, keys, classes, and the guess of a model.
// The page sets `task`, reads `answer` and `complete`, and hears "label-change", "label-done" and "label-broken".
import { Choices } from "./label-choices.js";
import { button, make } from "./label-dom.js";

/** A worker's answer in the form of Ground Truth's crowd elements. @typedef {Record<string, any>} Answer */
/** @typedef {{src?: string, text?: string, labels: string[], initial?: Answer | null, guess?: Answer | null, multiple?: boolean, title: string, readonly?: boolean}} Task */

const NAMES = "label-image-classes, label-boxes, label-polygons, label-mask, label-text-classes, label-target-classes, label-spans, label-verify";
const TYPED = "input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]";
const SLIDING = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
const DEEDS = ["Enter", " ", "Tab", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];

/** @template State */
export class LabelElement extends HTMLElement {
  /** @type {Task} */
  given = { labels: [], title: "" };
  /** @type {State} */
  state = /** @type {any} */ (null);
  /** @type {State[]} */
  past = [];
  /** @type {State[]} */
  future = [];
  /** What the last change was of: one drag of keys is one step of the history. */
  burst = "";
  guessing = true;
  built = false;
  choices = new Choices((index) => this.choose(index), () => this.focusMain());
  tools = make("div", "label-tools");
  panel = make("div", "label-panel");
  said = make("p", "visually-hidden");
  back = button("Undo", "Undo (Ctrl+Z)", () => this.undo());
  forth = button("Redo", "Redo (Ctrl+Shift+Z)", () => this.redo());
  guesses = button(...this.naming(), () => this.toggleGuess());
  /** @type {(event: KeyboardEvent) => void} */
  heard = (event) => this.outside(event);

  connectedCallback() {
    if (!this.built) this.build();
    document.addEventListener("keydown", this.heard, true);
    if (Object.hasOwn(this, "task")) {
      const early = this.task; // set before the element was defined
      Reflect.deleteProperty(this, "task");
      this.task = early;
    } else if (this.dataset.task) this.task = JSON.parse(this.dataset.task);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.heard, true);
  }

  build() {
    this.built = true;
    this.classList.add("labelling");
    this.tools.setAttribute("role", "group");
    this.tools.setAttribute("aria-label", "Tools");
    this.said.setAttribute("role", "status");
    this.guesses.setAttribute("aria-pressed", "true");
    this.tools.append(this.back, this.forth, this.guesses);
    this.panel.append(this.choices.root, ...this.extras(), this.help());
    this.replaceChildren(this.tools, this.main(), this.panel, this.said);
    this.addEventListener("keydown", (event) => this.press(event));
  }

  // What an element says for itself.
  /** The picture or the text. @returns {HTMLElement} */
  main() {
    return make("div");
  }

  /** Where keys go on after a class was chosen by click or by typing. */
  focusMain() {}

  /** What stands under the classes. @returns {HTMLElement[]} */
  extras() {
    return [];
  }

  /** What the button of the guess says, and what it does. @returns {[string, string]} */
  naming() {
    return ["Guess", "Show the guess of the model (G)"];
  }

  /** Keys and what they do. @returns {[string, string][]} */
  keys() {
    return [];
  }

  /** @param {Answer} _answer @returns {State} */
  read(_answer) {
    return this.state;
  }

  /** @returns {Answer} */
  write() {
    return {};
  }

  draw() {}

  /** A class was chosen by click or key. @param {number} _index */
  choose(_index) {}

  /** A key that only this element has. @param {KeyboardEvent} _event @returns {boolean} whether it was one */
  key(_event) {
    return false;
  }

  /** Whether the worker sees what is to be labelled. */
  get ready() {
    return true;
  }

  get complete() {
    return this.ready;
  }

  get answer() {
    return this.write();
  }

  get task() {
    return this.given;
  }

  set task(task) {
    this.given = task;
    if (!this.built) this.build();
    this.past = [];
    this.future = [];
    this.burst = "";
    this.choices.show(task.labels, Boolean(task.multiple));
    this.guesses.hidden = !task.guess;
    this.classList.toggle("readonly", Boolean(task.readonly));
    this.begin();
    this.state = this.read(task.initial ?? {});
    this.refresh();
  }

  /** Before the state of another task is read. */
  begin() {}

  refresh() {
    this.back.disabled = !this.past.length;
    this.forth.disabled = !this.future.length;
    this.draw();
  }

  /** @param {State} state @param {string} [burst] changes of one burst are undone together */
  commit(state, burst = "") {
    if (this.given.readonly) return this.refresh();
    if (!burst || burst !== this.burst) this.past.push(this.state);
    this.burst = burst;
    this.future = [];
    this.state = state;
    this.changed();
  }

  changed() {
    this.refresh();
    this.tell("label-change");
  }

  /** @param {string} name */
  tell(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  /** @param {State[]} from @param {State[]} to */
  travel(from, to) {
    const state = from.pop();
    if (state === undefined || this.given.readonly) return;
    to.push(this.state);
    this.burst = "";
    this.state = state;
    this.changed();
  }

  /** @param {string} label */
  index(label) {
    return this.given.labels.indexOf(label);
  }

  /** The guess, where there is one and it is switched on. */
  get guessed() {
    return this.guessing ? (this.given.guess ?? null) : null;
  }

  toggleGuess() {
    if (!this.given.guess) return;
    this.guessing = !this.guessing;
    this.guesses.setAttribute("aria-pressed", String(this.guessing));
    this.draw();
  }

  /** The classes that the model guesses, with its confidence where it has said one. @returns {Map<number, number | undefined>} */
  guessedClasses() {
    const guess = this.guessed;
    /** @type {(string | {label: string, confidence?: number})[]} */
    const found = guess?.labels ?? (guess?.label === undefined ? [] : [{ label: guess.label, confidence: guess.confidence }]);
    return new Map(
      found.map((one, at) =>
        typeof one === "string" ? [this.index(one), guess?.confidences?.[at]] : [this.index(one.label), one.confidence],
      ),
    );
  }

  help() {
    const list = make("dl", "label-keys");
    /** @type {[string, string][]} */
    const all = [["1 … 9", "choose a class"], ["F", "find a class"], ["G", "guess on or off"], ["Ctrl+Z", "undo; with Shift, redo"]];
    for (const [key, words] of [...all, ...this.keys()]) list.append(make("dt", "", make("kbd", "", key)), make("dd", "", words));
    return make("details", "label-help", make("summary", "", "Keys"), list);
  }

  /** Keys that are pressed elsewhere count where nothing else takes them and no other element of the page could mean them. @param {KeyboardEvent} event */
  outside(event) {
    const target = /** @type {Element} */ (event.target);
    if (this.contains(target) || document.querySelectorAll(NAMES).length > 1 || document.querySelector("dialog[open]")) return;
    if (target !== document.body && DEEDS.includes(event.key)) return;
    this.press(event);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.defaultPrevented || event.isComposing || target.closest(TYPED)) return;
    if ((event.key === "Enter" || event.key === " ") && target.closest("button, summary, a, input")) return;
    if (SLIDING.includes(event.key) && target.closest("input[type=range]")) return;
    if (this.command(event) || this.common(event) || this.key(event)) event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  command(event) {
    if (!(event.ctrlKey || event.metaKey)) return false;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.undo();
    else if (key === "z" || key === "y") this.redo();
    else return false;
    return true;
  }

  /** @param {KeyboardEvent} event */
  common(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const key = event.key.toLowerCase();
    const digit = /^[1-9]$/.test(key) ? key : !event.shiftKey && key !== "-" && /^Digit([1-9])$/.exec(event.code)?.[1];
    if (digit && Number(digit) <= this.given.labels.length) this.choose(Number(digit) - 1);
    else if (key === "g") this.toggleGuess();
    else if (key === "f" && !this.choices.filter.hidden) this.choices.filter.focus();
    else return false;
    return true;
  }
}
