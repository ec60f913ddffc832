// <label-boxes>: boxes of whole pixels around things. A drag draws one, handles size it, arrow keys move and size it.
import { svg } from "./label-dom.js";
import { ShapesElement, reach } from "./label-shapes.js";

/** @typedef {import("./label-viewport.js").Point} Point */
/** @typedef {{left: number, top: number, width: number, height: number, label: string, confidence?: number}} Box */
/** @typedef {{kind: "draw" | "move" | "size", from: Point, box: Box | null, side: [number, number], moved: boolean}} Drag */

/** @type {[number, number][]} */
const SIDES = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];
const STILL = 4;

/** Boxes of an answer of crowd-bounding-box, of whole pixels also where a model says fractions. @param {import("./label-element.js").Answer} answer @returns {Box[]} */
export function boxesOf(answer) {
  /** @type {Box[]} */
  const found = answer.boundingBoxes ?? [];
  return found.map((box) => {
    const [left, top] = [Math.round(box.left), Math.round(box.top)];
    return { ...box, left, top, width: Math.round(box.left + box.width) - left, height: Math.round(box.top + box.height) - top };
  });
}

/** @param {Box} box @param {[number, number]} side @returns {Point} a corner or the middle of an edge */
const sideOf = (box, side) => ({ x: box.left + (box.width * (side[0] + 1)) / 2, y: box.top + (box.height * (side[1] + 1)) / 2 });

/** @extends {ShapesElement<Box>} */
class LabelBoxes extends ShapesElement {
  /** @type {Drag | null} */
  pull = null;

  tool() {
    return {
      ...super.tool(),
      grab: this.grab.bind(this),
      drag: this.drag.bind(this),
      drop: this.drop.bind(this),
      abandon: () => this.abandon(),
      hover: this.hover.bind(this),
    };
  }

  /** @param {import("./label-element.js").Answer} answer */
  shapesOf(answer) {
    return boxesOf(answer);
  }

  write() {
    const boundingBoxes = this.state.shapes.map(({ left, top, width, height, label }) => ({ left, top, width, height, label }));
    return { boundingBoxes, inputImageProperties: this.size };
  }

  /** @param {Point} one @param {Point} other @param {string} label @returns {Box} */
  between(one, other, label) {
    const a = this.view.inside({ x: Math.min(one.x, other.x), y: Math.min(one.y, other.y) });
    const b = this.view.inside({ x: Math.max(one.x, other.x), y: Math.max(one.y, other.y) });
    return { left: a.x, top: a.y, width: b.x - a.x, height: b.y - a.y, label };
  }

  /** @param {Box} box @param {Point} by @returns {Box} moved, within the picture */
  moved(box, by) {
    const left = Math.min(Math.max(Math.round(box.left + by.x), 0), this.view.width - box.width);
    const top = Math.min(Math.max(Math.round(box.top + by.y), 0), this.view.height - box.height);
    return { ...box, left, top };
  }

  /** @param {Point} at @param {PointerEvent} event */
  grab(at, event) {
    const box = this.selected ?? null;
    const near = reach(event) / this.view.scale;
    const side = box && this.sideAt(box, at, near);
    /** @type {Drag} */
    this.pull = { kind: "draw", from: at, box: null, side: [1, 1], moved: false };
    if (this.given.readonly || event.shiftKey || !box) return;
    if (side) this.pull = { ...this.pull, kind: "size", box, side };
    else if (this.holds(box, at)) this.pull = { ...this.pull, kind: "move", box };
  }

  /** @param {Box} box @param {Point} at @param {number} near */
  sideAt(box, at, near) {
    return SIDES.find((side) => {
      const place = sideOf(box, side);
      return Math.abs(place.x - at.x) <= near && Math.abs(place.y - at.y) <= near;
    });
  }

  /** @param {Box} box @param {Point} at */
  holds(box, at) {
    return at.x >= box.left && at.y >= box.top && at.x <= box.left + box.width && at.y <= box.top + box.height;
  }

  /** @param {Point} at */
  drag(at) {
    const pull = this.pull;
    if (!pull || this.given.readonly) return;
    const far = Math.hypot(at.x - pull.from.x, at.y - pull.from.y) * this.view.scale;
    if (!pull.moved && far < STILL) return;
    pull.moved = true;
    const shape = this.pulled(pull, at);
    if (!pull.box) {
      this.chosen = this.state.shapes.length;
      this.live = [...this.state.shapes, shape];
    } else this.live = this.state.shapes.map((one, index) => (index === this.chosen ? shape : one));
    this.refresh();
  }

  /** @param {Drag} pull @param {Point} at @returns {Box} */
  pulled(pull, at) {
    const { box, from, side } = pull;
    if (!box) return this.between(from, at, this.given.labels[this.current] ?? "");
    const by = { x: at.x - from.x, y: at.y - from.y };
    return pull.kind === "move" ? this.moved(box, by) : this.sized(box, side, by);
  }

  /** @param {Box} box @param {[number, number]} side @param {Point} by @returns {Box} */
  sized(box, side, by) {
    const fixed = sideOf(box, [side[0] < 0 ? 1 : -1, side[1] < 0 ? 1 : -1]);
    const free = sideOf(box, [side[0] < 0 ? -1 : 1, side[1] < 0 ? -1 : 1]);
    const sized = this.between(fixed, { x: free.x + (side[0] ? by.x : 0), y: free.y + (side[1] ? by.y : 0) }, box.label);
    return { ...sized, width: Math.max(sized.width, 1), height: Math.max(sized.height, 1) };
  }

  /** @param {Point} at */
  drop(at) {
    const pull = this.pull;
    const live = this.live;
    const box = this.selected;
    this.pull = null;
    if (!pull?.moved || !live) return this.pick(at);
    if (!box || box.width < 1 || box.height < 1) return this.abandon();
    this.keep(live);
    this.say();
  }

  abandon() {
    this.pull = null;
    super.abandon();
  }

  /** Chooses the smallest box there. @param {Point} at */
  pick(at) {
    const there = this.shapes.map((box, index) => ({ box, index })).filter(({ box }) => this.holds(box, at));
    there.sort((one, other) => one.box.width * one.box.height - other.box.width * other.box.height);
    this.select(there[0]?.index ?? -1);
  }

  /** The cursor says what a press would do. @param {Point} at */
  hover(at) {
    const box = this.selected;
    const side = box && this.sideAt(box, at, 8 / this.view.scale);
    const turned = side && side[0] * side[1];
    const sizing = side && (turned ? (turned > 0 ? "nwse" : "nesw") : side[0] ? "ew" : "ns");
    this.view.stage.dataset.over = sizing ?? (box && this.holds(box, at) ? "move" : "");
  }

  startByKey() {
    if (!this.ready || this.given.readonly) return;
    const { x, y } = this.view.middle();
    const wide = Math.min(this.view.width, this.view.stage.clientWidth / this.view.scale) / 8;
    const high = Math.min(this.view.height, this.view.stage.clientHeight / this.view.scale) / 8;
    this.view.stage.focus({ preventScroll: true });
    this.add(this.between({ x: x - wide, y: y - high }, { x: x + wide, y: y + high }, this.given.labels[this.current] ?? ""));
  }

  /** Moves the chosen box; with Shift its right and lower edges. @param {Point} by @param {KeyboardEvent} event */
  arrow(by, event) {
    const box = this.selected;
    if (!box) return false;
    if (event.shiftKey) this.replace(this.sized(box, [1, 1], by), "size");
    else this.replace(this.moved(box, by), "move");
    if (this.selected) this.view.reveal(sideOf(this.selected, event.shiftKey ? [1, 1] : [0, 0]));
    this.say();
    return true;
  }

  /** @returns {[string, string][]} */
  keys() {
    return [["Arrows", "move the box; with Shift, size it"], ...super.keys()];
  }

  /** @param {Box} box */
  outline(box) {
    return this.rectangle(box);
  }

  /** @param {Box} box */
  handles(box) {
    if (this.given.readonly) return [];
    return SIDES.map((side) => {
      const { x, y } = this.view.onStage(sideOf(box, side));
      return svg("rect", { class: "handle", x: x - 5, y: y - 5, width: 10, height: 10, rx: 2 });
    });
  }

  /** @param {Box} box */
  corner(box) {
    return { x: box.left, y: box.top };
  }

  /** @param {Box} box */
  far(box) {
    return sideOf(box, [1, 1]);
  }

  /** @param {Box} box */
  describe(box) {
    return `${box.width} × ${box.height} at ${box.left}, ${box.top}`;
  }
}

customElements.define("label-boxes", LabelBoxes);
