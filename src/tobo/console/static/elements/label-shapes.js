// What boxes and polygons share: shapes of a class over a picture, one of them chosen, a list of them, the guess beside them.
import { button, make, svg } from "./label-dom.js";
import { Marks } from "./label-marks.js";
import { PictureElement } from "./label-picture.js";

/** @typedef {import("./label-viewport.js").Point} Point */
/** @typedef {import("./label-element.js").Answer} Answer */
/** @template Shape @typedef {{shapes: Shape[], nothing: boolean}} Drawn */

/** Pixels of the screen within which a press is at an edge or a handle. @param {PointerEvent} event */
export const reach = (event) => (event.pointerType === "mouse" ? 8 : 20);

/** @template {{label: string, confidence?: number}} Shape @extends {PictureElement<Drawn<Shape>>} */
export class ShapesElement extends PictureElement {
  /** @type {Drawn<Shape>} */
  state = { shapes: [], nothing: false };
  /** The shapes while one of them is dragged. @type {Shape[] | null} */
  live = null;
  chosen = -1;
  /** The class that the next shape gets. */
  current = 0;
  marks = new Marks((at) => this.select(at));
  nothing = make("input");
  take = button("Take over the guess", "Take over the guess of the model (U)", () => this.takeGuess());

  // What a kind of shape says for itself.
  /** @param {Answer} _answer @returns {Shape[]} */
  shapesOf(_answer) {
    return [];
  }

  /** @param {Shape} _shape @returns {SVGElement} */
  outline(_shape) {
    return svg("g");
  }

  /** @param {Shape} _shape @returns {SVGElement[]} */
  handles(_shape) {
    return [];
  }

  /** Where the name stands. @param {Shape} _shape @returns {Point} */
  corner(_shape) {
    return { x: 0, y: 0 };
  }

  /** The rightmost and lowest that it reaches. @param {Shape} _shape @returns {Point} */
  far(_shape) {
    return { x: 0, y: 0 };
  }

  /** @param {Shape} _shape */
  describe(_shape) {
    return "";
  }

  /** @returns {SVGElement[]} what is being drawn */
  unfinished() {
    return [];
  }

  startByKey() {}

  /** Whether the arrows mean what is being drawn or chosen; false where there is neither. @param {Point} _by @param {KeyboardEvent} _event */
  arrow(_by, _event) {
    return false;
  }

  extras() {
    this.nothing.type = "checkbox";
    this.nothing.addEventListener("change", () => this.commit({ shapes: [], nothing: this.nothing.checked }));
    const empty = make("label", "check", this.nothing, make("span", "", "Nothing to label here ", make("kbd", "", "X")));
    return [this.take, this.marks.root, empty, ...super.extras()];
  }

  main() {
    const removal = button("Delete", "Delete what is chosen (Delete)", () => this.discard());
    const start = button("New", "New, by keys (N)", () => this.startByKey());
    this.tools.append(start, removal);
    return super.main();
  }

  begin() {
    super.begin();
    this.live = null;
    this.chosen = -1;
    this.current = Math.min(this.current, Math.max(this.given.labels.length - 1, 0));
  }

  /** @param {Answer} answer */
  read(answer) {
    return { shapes: this.shapesOf(answer), nothing: false };
  }

  get complete() {
    return this.ready && (this.state.nothing || this.state.shapes.length > 0);
  }

  get shapes() {
    return this.live ?? this.state.shapes;
  }

  /** @returns {Shape | undefined} */
  get selected() {
    return this.shapes[this.chosen];
  }

  /** @param {Shape[]} shapes @param {string} [burst] */
  keep(shapes, burst) {
    this.live = null;
    this.commit({ shapes, nothing: false }, burst);
  }

  /** @param {Shape} shape @param {string} [burst] */
  replace(shape, burst) {
    this.keep(this.state.shapes.map((one, at) => (at === this.chosen ? shape : one)), burst && `${burst} ${this.chosen}`);
  }

  /** @param {Shape} shape */
  add(shape) {
    this.chosen = this.state.shapes.length;
    this.keep([...this.state.shapes, shape]);
    this.say();
  }

  discard() {
    if (!this.selected || this.given.readonly) return;
    const shapes = this.state.shapes.filter((_, at) => at !== this.chosen);
    this.chosen = -1;
    this.keep(shapes);
    this.said.textContent = "Deleted";
  }

  /** @param {number} at */
  select(at) {
    if (at === this.chosen) return;
    this.chosen = at;
    const index = this.selected ? this.index(this.selected.label) : -1;
    if (index >= 0) this.current = index;
    this.burst = "";
    this.refresh();
    this.say();
  }

  say() {
    const shape = this.selected;
    this.said.textContent = shape ? `${this.chosen + 1} of ${this.shapes.length}: ${shape.label}, ${this.describe(shape)}` : "";
  }

  /** The chosen shape gets the class; so does the next one. @param {number} index */
  choose(index) {
    const label = this.given.labels[index];
    if (label === undefined || this.given.readonly) return;
    this.current = index;
    if (this.selected && this.selected.label !== label) this.replace({ ...this.selected, label });
    else this.refresh();
  }

  takeGuess() {
    const shapes = this.shapesOf(this.given.guess ?? {}).map(({ confidence, ...shape }) => /** @type {Shape} */ (shape));
    this.chosen = -1;
    if (shapes.length) this.keep([...this.state.shapes, ...shapes]);
  }

  /** @param {Drawn<Shape>[]} from @param {Drawn<Shape>[]} to */
  travel(from, to) {
    this.live = null;
    super.travel(from, to);
  }

  abandon() {
    this.live = null;
    this.refresh();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return super.key(event);
    const by = this.stride(event);
    if (by) return this.ready && this.arrow(by, event);
    const key = event.key.toLowerCase();
    if (key === "n") this.startByKey();
    else if (key === "x") this.nothing.click();
    else if (key === "u") this.takeGuess();
    else if (key === "delete" || key === "backspace") this.discard();
    else if (key === "escape" && this.selected) this.select(-1);
    else if (key === "p" && this.shapes.length) this.step(event.shiftKey ? -1 : 1);
    else return super.key(event);
    return true;
  }

  /** @param {number} by */
  step(by) {
    const many = this.shapes.length;
    this.select((Math.max(this.chosen, by > 0 ? -1 : 0) + by + many) % many);
    if (this.selected) this.view.reveal(this.corner(this.selected));
  }

  /** @returns {[string, string][]} */
  keys() {
    return [["Shift", "held at a press: draw within what is chosen"], ["N", "start one"], ["P", "choose the next; with Shift, the one before"], ["Delete", "delete it"], ["X", "nothing to label here"], ["U", "take over the guess"], ...super.keys()];
  }

  draw() {
    const shapes = this.shapes;
    if (this.chosen >= shapes.length) this.chosen = -1;
    this.nothing.checked = this.state.nothing;
    this.nothing.disabled = Boolean(this.given.readonly);
    this.choices.mark([this.selected ? this.index(this.selected.label) : this.current]);
    const guesses = this.guessed ? this.shapesOf(this.guessed) : [];
    this.take.hidden = !guesses.length || Boolean(this.given.readonly);
    this.choices.guess(this.guessedClasses());
    const seen = this.ready ? shapes : [];
    this.marks.show(seen.map((shape) => ({ label: shape.label, index: this.index(shape.label), words: this.describe(shape) })), this.chosen);
    this.paint(seen, this.ready ? guesses : []);
  }

  /** @param {Shape[]} shapes @param {Shape[]} guesses */
  paint(shapes, guesses) {
    const look = (/** @type {number} */ at) => (at === this.chosen ? "on" : "");
    this.view.overlay.replaceChildren(
      ...guesses.map((shape) => this.group(shape.label, () => this.outline(shape), "guess")),
      ...shapes.map((shape, at) =>
        this.group(shape.label, () => this.outline(shape), look(at), at === this.chosen ? this.handles(shape) : []),
      ),
      ...(this.ready ? [...this.unfinished(), ...this.crossMarks()] : []),
    );
    this.view.name([
      ...guesses.map((shape) => this.nameTag(this.corner(shape), shape.label, "guess", { ...shape, far: this.far(shape) })),
      ...shapes.map((shape, at) => this.nameTag(this.corner(shape), shape.label, look(at), { far: this.far(shape) })),
    ]);
  }
}
