// A labelling element over a picture: the viewport in the middle, and a cross that keys move where a pointer would point.
import { make, numeral, own, percent, series, svg } from "./label-dom.js";
import { LabelElement } from "./label-element.js";
import { Viewport } from "./label-viewport.js";

/** @typedef {import("./label-viewport.js").Point} Point */

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STRIDE = 8;

/** @template State @extends {LabelElement<State>} */
export class PictureElement extends LabelElement {
  view = new Viewport(this.tool());
  /** @type {Point | null} */
  cross = null;

  /** @returns {import("./label-viewport.js").Tool} */
  tool() {
    return { loaded: () => this.seen(), broken: () => this.tell("label-broken"), viewed: () => this.refresh() };
  }

  main() {
    this.tools.append(...this.view.buttons());
    return this.view.stage;
  }

  /** @returns {HTMLElement[]} */
  extras() {
    return [this.view.light()];
  }

  /** @returns {[string, string][]} */
  keys() {
    return [["+ − 0", "zoom in, out, fit"], ["Space", "hold and drag to move the picture (or two fingers)"]];
  }

  begin() {
    this.cross = null;
    if (this.given.src) this.view.show(this.given.src, this.given.title);
    else this.view.blank();
  }

  focusMain() {
    this.view.stage.focus({ preventScroll: true });
  }

  /** The picture is there: what depends on its size can be read. */
  seen() {
    if (!this.past.length && !this.future.length) this.state = this.read(this.given.initial ?? {});
    this.refresh();
  }

  get ready() {
    return this.view.ready;
  }

  get size() {
    return { width: this.view.width, height: this.view.height };
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    return this.view.press(event);
  }

  /** How far an arrow key goes, in pixels of the picture: one at a tap, more while it is held. @param {KeyboardEvent} event @returns {Point | null} */
  stride(event) {
    const [x, y] = ARROWS[/** @type {keyof typeof ARROWS} */ (event.key)] ?? [];
    if (x === undefined || y === undefined) return null;
    const far = Math.max(1, Math.round((event.repeat ? STRIDE : 1) / this.view.scale));
    return { x: x * far, y: y * far };
  }

  /** @param {Point} by */
  moveCross(by) {
    const from = this.cross ?? this.view.middle();
    this.cross = this.view.inside({ x: from.x + by.x, y: from.y + by.y });
    this.view.reveal(this.cross);
    this.refresh();
  }

  /** @returns {SVGElement[]} */
  crossMarks() {
    if (!this.cross) return [];
    const { x, y } = this.view.onStage(this.cross);
    const d = `M${x - 14} ${y}h28M${x} ${y - 14}v28`;
    return [svg("path", { d, class: "halo" }), svg("path", { d, class: "cross" })];
  }

  /** The number of a class, by which it has its colour. @param {string} label */
  place(label) {
    return this.index(label);
  }

  /** @param {{left: number, top: number, width: number, height: number}} box */
  rectangle(box) {
    const { x, y } = this.view.onStage({ x: box.left, y: box.top });
    return svg("rect", { x, y, width: box.width * this.view.scale, height: box.height * this.view.scale });
  }

  /** @param {Point[]} vertices @param {"polygon" | "polyline"} [kind] */
  line(vertices, kind = "polygon") {
    const points = vertices.map((vertex) => Object.values(this.view.onStage(vertex)).join(",")).join(" ");
    return svg(kind, { points });
  }

  /** A shape in the colour of its class, with a rim that parts it from any picture. @param {string} label @param {() => SVGElement} outline @param {string} look @param {SVGElement[]} [handles] */
  group(label, outline, look, handles = []) {
    const group = svg("g", { class: `shape ${look} ${series(this.place(label))}` });
    const halo = outline();
    halo.classList.add("halo");
    group.append(halo, outline(), ...handles);
    return group;
  }

  /** The number and name of a class at a place of the picture; it stays in sight as long as what is named reaches there. @param {Point} at @param {string} label @param {string} look @param {{confidence?: number, far?: Point}} [of] */
  nameTag(at, label, look, { confidence, far = at } = {}) {
    const index = this.place(label);
    const words = [look === "guess" ? "guess" : "", percent(confidence)].filter(Boolean).join(" ");
    const tag = make("span", `label-tag ${look} ${series(index)}`, make("b", "", numeral(index)), own(label), ...(words ? [make("span", "", words)] : []));
    const { x, y } = this.view.onStage(at);
    const end = this.view.onStage(far);
    tag.hidden = end.x < 0 || end.y < 0;
    tag.style.left = `${Math.max(x, 0)}px`;
    tag.style.top = `${Math.max(y, 22)}px`;
    return tag;
  }
}
