// <label-spans>: named entities of a text, marked by selecting, by tapping a word, or word by word with the arrow keys.
import { button, make } from "./label-dom.js";
import { entitiesOf, pieces } from "./label-entities.js";
import { Marks } from "./label-marks.js";
import { TextElement } from "./label-text.js";

/** @typedef {import("./label-entities.js").Entity} Entity */
/** @typedef {[number, number]} Range from, to (after the last) */

/** Words of a text, as its language parts them. @param {string} text @returns {Range[]} */
function wordsOf(text) {
  if (typeof Intl.Segmenter !== "function") return [...text.matchAll(/[\p{L}\p{N}\p{M}_'’-]+/gu)].map((it) => [it.index, it.index + it[0].length]);
  const parts = [...new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)];
  return parts.filter((part) => part.isWordLike).map((part) => [part.index, part.index + part.segment.length]);
}

/** @extends {TextElement<{entities: Entity[], nothing: boolean}>} */
class LabelSpans extends TextElement {
  /** @type {{entities: Entity[], nothing: boolean}} */
  state = { entities: [], nothing: false };
  /** What would be marked. @type {Range | null} */
  caret = null;
  chosen = -1;
  current = 0;
  /** @type {Range[]} */
  words = [];
  /** A selection by handles ends with no pointer: a class that is chosen then marks it. */
  selecting = () => {
    this.caret = this.selection() ?? this.caret;
  };
  nothing = make("input");
  marks = new Marks((at) => this.select(at));
  take = button("Take over the guess", "Take over the guess of the model (U)", () => this.takeGuess());

  main() {
    const main = super.main();
    this.tools.append(
      button("Shorter", "A word less (Shift+←)", () => this.stretch(-1)),
      button("Longer", "A word more (Shift+→)", () => this.stretch(1)),
      button("Mark", "Mark it (Enter)", () => this.mark()),
      button("Delete", "Delete what is chosen (Delete)", () => this.discard()),
    );
    main.addEventListener("pointerdown", () => {
      const over = new AbortController();
      const ended = (/** @type {PointerEvent} */ event) => {
        over.abort();
        if (event.type === "pointerup") setTimeout(() => this.pointed(event)); // when the selection is done
      };
      document.addEventListener("pointerup", ended, { signal: over.signal });
      document.addEventListener("pointercancel", ended, { signal: over.signal });
    });
    return main;
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("selectionchange", this.selecting);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("selectionchange", this.selecting);
  }

  extras() {
    this.nothing.type = "checkbox";
    this.nothing.addEventListener("change", () => this.commit({ entities: [], nothing: this.nothing.checked }));
    const empty = make("label", "check", this.nothing, make("span", "", "Nothing to label here ", make("kbd", "", "X")));
    return [this.take, this.marks.root, empty];
  }

  /** @returns {[string, string][]} */
  keys() {
    return [
      ["← →", "from word to word; with Shift, more or fewer words; with Ctrl, by characters"],
      ["Enter", "mark it"],
      ["P", "choose the next entity; with Shift, the one before"],
      ["Delete", "delete it"],
      ["X", "nothing to label here"],
      ["U", "take over the guess"],
    ];
  }

  begin() {
    super.begin();
    this.caret = null;
    this.chosen = -1;
    this.current = Math.min(this.current, Math.max(this.given.labels.length - 1, 0));
    this.words = wordsOf(this.whole);
  }

  get whole() {
    return this.given.text ?? "";
  }

  /** @param {import("./label-element.js").Answer} answer */
  read(answer) {
    return { entities: entitiesOf(answer), nothing: false };
  }

  write() {
    return { entities: this.state.entities.map(({ startOffset, endOffset, label }) => ({ startOffset, endOffset, label })) };
  }

  get complete() {
    return this.ready && (this.state.nothing || this.state.entities.length > 0);
  }

  draw() {
    const { entities } = this.state;
    if (this.chosen >= entities.length) this.chosen = -1;
    const guesses = this.guessed ? entitiesOf(this.guessed) : [];
    this.take.hidden = !guesses.length || Boolean(this.given.readonly);
    this.nothing.checked = this.state.nothing;
    this.nothing.disabled = Boolean(this.given.readonly);
    this.text.replaceChildren(...pieces(this.whole, this.given.labels, { entities, guesses, chosen: this.chosen, caret: this.caret }));
    const chosen = entities[this.chosen];
    this.choices.mark([chosen ? this.index(chosen.label) : this.current]);
    const rows = entities.map(({ startOffset, endOffset, label }) => ({
      label,
      index: this.index(label),
      words: this.whole.slice(startOffset, endOffset),
    }));
    this.marks.show(rows, this.chosen);
  }

  /** A selection of the text by the mouse is marked at once; by a finger it waits for a class. @param {PointerEvent} event */
  pointed(event) {
    const range = this.selection();
    if (range) {
      this.caret = range;
      if (event.pointerType === "mouse") this.mark();
      else this.refresh();
      return;
    }
    const piece = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("mark[data-at]"));
    if (piece) return this.select(Number(piece.dataset.at));
    const at = this.placeAt(event);
    this.caret = this.words.find(([from, to]) => from <= at && at <= to) ?? null;
    this.chosen = -1;
    this.refresh();
  }

  /** @param {Node | null} node @param {number} offset @returns {number} the place in the text, -1 beside it */
  placeOf(node, offset) {
    if (!node || !this.text.contains(node)) return -1;
    const before = document.createRange();
    before.selectNodeContents(this.text);
    before.setEnd(node, offset);
    return before.toString().length;
  }

  /** @param {PointerEvent} event @returns {number} the place in the text that is pointed at, -1 beside it */
  placeAt({ clientX, clientY }) {
    const caret = document.caretPositionFromPoint?.(clientX, clientY);
    if (caret) return this.placeOf(caret.offsetNode, caret.offset);
    const range = document.caretRangeFromPoint?.(clientX, clientY); // Safari before 18.4
    return range ? this.placeOf(range.startContainer, range.startOffset) : -1;
  }

  /** What is selected of the text, without space around. @returns {Range | null} */
  selection() {
    const selected = getSelection();
    if (!selected?.rangeCount || selected.isCollapsed) return null;
    const range = selected.getRangeAt(0);
    if (!range.intersectsNode(this.text)) return null;
    let from = Math.max(this.placeOf(range.startContainer, range.startOffset), 0);
    let to = this.placeOf(range.endContainer, range.endOffset);
    if (to < 0) to = this.whole.length;
    while (from < to && /\s/.test(this.whole[from] ?? "")) from += 1;
    while (from < to && /\s/.test(this.whole[to - 1] ?? "")) to -= 1;
    return from < to ? [from, to] : null;
  }

  /** What is to be marked becomes an entity; those that it touches give way. */
  mark() {
    const range = this.caret;
    const label = this.given.labels[this.current];
    if (!range || label === undefined || this.given.readonly) return;
    const [startOffset, endOffset] = range;
    const rest = this.state.entities.filter((one) => one.endOffset <= startOffset || one.startOffset >= endOffset);
    const entity = { startOffset, endOffset, label };
    const entities = [...rest, entity].sort((one, other) => one.startOffset - other.startOffset);
    getSelection()?.removeAllRanges();
    this.caret = null;
    this.chosen = entities.indexOf(entity);
    this.commit({ entities, nothing: false });
    this.say();
  }

  say() {
    const entity = this.state.entities[this.chosen];
    const words = entity ? this.whole.slice(entity.startOffset, entity.endOffset) : this.caret ? this.whole.slice(...this.caret) : "";
    this.said.textContent = entity ? `${words}: ${entity.label}` : words;
  }

  /** @param {number} at */
  select(at) {
    if (at === this.chosen) return;
    this.chosen = at;
    this.caret = null;
    const entity = this.state.entities[at];
    if (entity && this.index(entity.label) >= 0) this.current = this.index(entity.label);
    this.refresh();
    this.say();
  }

  /** @param {number} index */
  choose(index) {
    const label = this.given.labels[index];
    if (label === undefined || this.given.readonly) return;
    this.current = index;
    const chosen = this.state.entities[this.chosen];
    if (this.caret) this.mark();
    else if (chosen && chosen.label !== label) {
      const entities = this.state.entities.map((one, at) => (at === this.chosen ? { ...one, label } : one));
      this.commit({ entities, nothing: false });
    } else this.refresh();
  }

  discard() {
    if (!this.state.entities[this.chosen] || this.given.readonly) return;
    const entities = this.state.entities.filter((_, at) => at !== this.chosen);
    this.chosen = -1;
    this.commit({ entities, nothing: false });
  }

  takeGuess() {
    const there = this.state.entities;
    const free = entitiesOf(this.given.guess ?? {}).filter((its) => !there.some((one) => one.startOffset < its.endOffset && its.startOffset < one.endOffset));
    if (!free.length) return;
    const fresh = free.map(({ startOffset, endOffset, label }) => ({ startOffset, endOffset, label }));
    this.commit({ entities: [...there, ...fresh].sort((one, other) => one.startOffset - other.startOffset), nothing: false });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const ahead = getComputedStyle(this.text).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const key = event.key.toLowerCase();
    if (event.altKey) return false;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const by = event.key === ahead ? 1 : -1;
      if (event.ctrlKey || event.metaKey) this.shift(by, event.shiftKey);
      else if (event.shiftKey) this.stretch(by);
      else this.walk(by);
    } else if (event.ctrlKey || event.metaKey) return false;
    else if (key === "enter" && this.caret) this.mark();
    else if (key === "x") this.nothing.click();
    else if (key === "u") this.takeGuess();
    else if (key === "delete" || key === "backspace") this.discard();
    else if (key === "escape" && (this.caret || this.chosen >= 0)) this.put(null);
    else if (key === "p" && this.state.entities.length) this.step(event.shiftKey ? -1 : 1);
    else return false;
    return true;
  }

  /** @param {number} by */
  step(by) {
    const many = this.state.entities.length;
    this.select((Math.max(this.chosen, by > 0 ? -1 : 0) + by + many) % many);
  }

  /** @param {Range | null} caret */
  put(caret) {
    this.caret = caret;
    this.chosen = -1;
    this.refresh();
    this.text.querySelector(".caret")?.scrollIntoView({ block: "nearest" });
    this.say();
  }

  /** Where the walk goes on: behind the caret or what is chosen. @returns {Range} */
  get here() {
    const chosen = this.state.entities[this.chosen];
    return this.caret ?? (chosen ? [chosen.startOffset, chosen.endOffset] : [-1, -1]);
  }

  /** @param {number} by 1 for the next word, -1 for the one before */
  walk(by) {
    const [from, to] = this.here;
    const next = by > 0 ? this.words.find((word) => word[0] >= Math.max(to, 0)) : this.words.filter((word) => word[1] <= from).at(-1);
    if (next) this.put(next);
    else if (from < 0 && this.words[0]) this.put(this.words[0]);
  }

  /** @param {number} by a word more or less at the end */
  stretch(by) {
    const [from, to] = this.here;
    if (from < 0) return this.walk(1);
    const ends = this.words.map((word) => word[1]).filter((end) => (by > 0 ? end > to : end < to && end > from));
    const end = by > 0 ? ends[0] : ends.at(-1);
    if (end !== undefined) this.put([from, end]);
  }

  /** @param {number} by characters @param {boolean} end its end, else its begin */
  shift(by, end) {
    const [from, to] = this.here;
    if (from < 0) return this.walk(1);
    const low = end ? from : Math.max(from + by, 0);
    const high = end ? Math.min(to + by, this.whole.length) : to;
    if (low < high) this.put([low, high]);
  }
}

customElements.define("label-spans", LabelSpans);
