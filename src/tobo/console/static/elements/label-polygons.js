// <label-polygons>: clicks set corners, the first one or Enter closes; handles move corners, the middles of edges make new ones.
import { svg } from "./label-dom.js";
import { ShapesElement, reach } from "./label-shapes.js";

/** @typedef {import("./label-viewport.js").Point} Point */
/** @typedef {{label: string, vertices: Point[], confidence?: number}} Polygon */

const STILL = 4;

/** Polygons of an answer of crowd-polygon, of whole pixels also where a model says fractions. @param {import("./label-element.js").Answer} answer @returns {Polygon[]} */
export function polygonsOf(answer) {
  /** @type {Polygon[]} */
  const found = answer.polygons ?? [];
  const whole = (/** @type {Point} */ { x, y }) => ({ x: Math.round(x), y: Math.round(y) });
  return found.map((shape) => ({ ...shape, vertices: shape.vertices.map(whole) }));
}

/** @param {Point[]} vertices @param {number} at @param {Point} vertex */
const inserted = (vertices, at, vertex) => [...vertices.slice(0, at), vertex, ...vertices.slice(at)];

/** Whether a place is inside: even-odd rule. @param {Point[]} vertices @param {Point} at */
export function holds(vertices, at) {
  let inside = false;
  vertices.forEach((one, index) => {
    const other = vertices.at(index - 1);
    if (!other || one.y > at.y === other.y > at.y) return;
    if (at.x < ((other.x - one.x) * (at.y - one.y)) / (other.y - one.y) + one.x) inside = !inside;
  });
  return inside;
}

/** @extends {ShapesElement<Polygon>} */
class LabelPolygons extends ShapesElement {
  /** The corners of the one that is being drawn. @type {Point[] | null} */
  open = null;
  /** Where the pointer is, for the line to it. @type {Point | null} */
  tip = null;
  /** The corner that keys move, -1 for the whole. */
  corneredAt = -1;
  /** @type {{kind: "corner" | "move" | "click", from: Point, shape: Polygon | null, moved: boolean} | null} */
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
    return polygonsOf(answer);
  }

  write() {
    const polygons = this.state.shapes.map(({ label, vertices }) => ({ label, vertices }));
    return { polygons, inputImageProperties: this.size };
  }

  begin() {
    super.begin();
    this.open = null;
    this.corneredAt = -1;
  }

  /** @param {number} at */
  select(at) {
    if (at !== this.chosen) this.corneredAt = -1;
    super.select(at);
  }

  /** @param {Point} one @param {Point} other @param {number} near pixels of the screen */
  meets(one, other, near) {
    return Math.hypot(one.x - other.x, one.y - other.y) * this.view.scale <= near;
  }

  /** @param {Point} at @param {PointerEvent} event */
  grab(at, event) {
    this.pull = { kind: "click", from: at, shape: null, moved: false };
    const shape = this.selected;
    if (this.open || !shape || this.given.readonly || event.shiftKey) return;
    const near = reach(event);
    const corner = shape.vertices.findIndex((vertex) => this.meets(vertex, at, near));
    const middle = this.middles(shape).findIndex((place) => this.meets(place, at, near));
    if (corner >= 0) {
      this.corneredAt = corner;
      this.pull = { ...this.pull, kind: "corner", shape };
    } else if (middle >= 0) {
      this.corneredAt = middle + 1;
      const vertices = inserted(shape.vertices, middle + 1, this.view.inside(at));
      this.pull = { ...this.pull, kind: "corner", shape: { ...shape, vertices } };
    } else if (holds(shape.vertices, at)) this.pull = { ...this.pull, kind: "move", shape };
  }

  /** @param {Polygon} shape @returns {Point[]} the middles of the edges, the nth after the nth corner */
  middles(shape) {
    return shape.vertices.map((one, at) => {
      const other = shape.vertices[(at + 1) % shape.vertices.length] ?? one;
      return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
    });
  }

  /** @param {Point} at */
  drag(at) {
    const pull = this.pull;
    this.tip = at;
    if (!pull || this.given.readonly) return;
    if (!pull.moved && this.meets(at, pull.from, STILL)) return;
    pull.moved = true;
    const shape = pull.shape;
    if (!shape) return this.refresh();
    const by = { x: at.x - pull.from.x, y: at.y - pull.from.y };
    const changed = pull.kind === "move" ? this.shifted(shape, by) : this.cornered(shape, at);
    this.live = this.state.shapes.map((one, index) => (index === this.chosen ? changed : one));
    this.refresh();
  }

  /** @param {Polygon} shape @param {Point} by @returns {Polygon} moved as a whole, within the picture */
  shifted(shape, by) {
    const xs = shape.vertices.map(({ x }) => x);
    const ys = shape.vertices.map(({ y }) => y);
    const dx = Math.round(Math.min(Math.max(by.x, -Math.min(...xs)), this.view.width - Math.max(...xs)));
    const dy = Math.round(Math.min(Math.max(by.y, -Math.min(...ys)), this.view.height - Math.max(...ys)));
    return { ...shape, vertices: shape.vertices.map(({ x, y }) => ({ x: x + dx, y: y + dy })) };
  }

  /** @param {Polygon} shape @param {Point} at @returns {Polygon} with the chosen corner there */
  cornered(shape, at) {
    return { ...shape, vertices: shape.vertices.map((vertex, index) => (index === this.corneredAt ? this.view.inside(at) : vertex)) };
  }

  /** @param {Point} at @param {PointerEvent} event */
  drop(at, event) {
    const pull = this.pull;
    this.pull = null;
    if (pull?.shape && pull.moved && this.live) return this.keep(this.live);
    this.live = null;
    if (!this.open && (this.given.readonly || !event.shiftKey)) {
      const there = this.shapes.map((shape) => holds(shape.vertices, at)).lastIndexOf(true);
      if (there >= 0 || pull?.shape || this.given.readonly) {
        this.select(pull?.shape ? this.chosen : there);
        return this.refresh();
      }
    }
    this.set(at, reach(event));
  }

  /** Sets the next corner there, or closes where the first or the last one is. @param {Point} at @param {number} near pixels of the screen */
  set(at, near) {
    const open = /** @type {Point[]} */ (this.open ?? []);
    const first = open[0];
    const last = open.at(-1);
    const closing = open.length > 2 && ((first && this.meets(first, at, near)) || (last && this.meets(last, at, 3)));
    if (closing) return this.close();
    if (last && this.meets(last, at, 1)) return;
    if (!this.open) this.select(-1);
    this.open = [...open, this.view.inside(at)];
    this.tip = at;
    this.said.textContent = `Corner ${this.open.length}`;
    this.refresh();
  }

  close() {
    const vertices = this.open;
    this.open = null;
    this.cross = null;
    this.corneredAt = -1;
    if (vertices && vertices.length > 2) this.add({ label: this.given.labels[this.current] ?? "", vertices });
    else this.refresh();
  }

  abandon() {
    this.pull = null;
    super.abandon();
  }

  undo() {
    if (!this.open) return super.undo();
    this.open = this.open.length > 1 ? this.open.slice(0, -1) : null;
    this.refresh();
  }

  refresh() {
    super.refresh();
    if (this.open) this.back.disabled = false;
  }

  /** @param {Point} at */
  hover(at) {
    this.tip = at;
    const shape = this.selected;
    const near = shape && [...shape.vertices, ...this.middles(shape)].some((place) => this.meets(place, at, 8));
    this.view.stage.dataset.over = this.open ? "" : near || (shape && holds(shape.vertices, at)) ? "move" : "";
    if (this.open) this.refresh();
  }

  /** A class that is chosen in mid-drawing is that of the drawing. @param {number} index */
  choose(index) {
    super.choose(index);
    if (this.open) this.refresh();
  }

  startByKey() {
    if (!this.ready || this.given.readonly) return;
    this.select(-1);
    this.open = null;
    this.cross = this.view.middle();
    this.said.textContent = "Arrows move the cross, Enter sets a corner, Enter again closes";
    this.view.stage.focus({ preventScroll: true });
    this.refresh();
  }

  /** @param {Point} by @param {KeyboardEvent} event */
  arrow(by, event) {
    if (event.shiftKey) by = { x: by.x * 10, y: by.y * 10 };
    const shape = this.selected;
    if (this.cross) this.moveCross(by);
    else if (shape) {
      const corner = shape.vertices[this.corneredAt];
      if (corner) this.replace(this.cornered(shape, { x: corner.x + by.x, y: corner.y + by.y }), `corner ${this.corneredAt}`);
      else this.replace(this.shifted(shape, by), "move");
    } else return false;
    if (this.cross && this.open) this.tip = this.cross;
    return true;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return super.key(event);
    const drawing = this.open ?? this.cross;
    const corners = this.selected?.vertices ?? [];
    if (event.key === "Enter" && this.cross) this.enter(this.cross);
    else if (event.key === "Enter" && this.open) this.close();
    else if (event.key === "Escape" && drawing) this.leave();
    else if (event.key === "Backspace" && this.open) this.undo();
    else if (event.key === "Escape" && this.corneredAt >= 0) this.turn(-1, 0);
    else if ((event.key === "." || event.key === ",") && corners.length) this.turn(this.corneredAt, event.key === "." ? 1 : -1);
    else if ((event.key === "Insert" || event.key === "i") && corners[this.corneredAt]) this.insert();
    else if (event.key === "Delete" && corners[this.corneredAt] && corners.length > 3) this.cut();
    else return super.key(event);
    return true;
  }

  /** @param {Point} at */
  enter(at) {
    const last = this.open?.at(-1);
    if (last && last.x === at.x && last.y === at.y && (this.open?.length ?? 0) > 2) this.close();
    else this.set(at, 1);
  }

  leave() {
    this.open = null;
    this.cross = null;
    this.refresh();
  }

  /** @param {number} from @param {number} by the corner that keys move; 0 for none */
  turn(from, by) {
    const many = this.selected?.vertices.length ?? 1;
    this.corneredAt = by ? (Math.max(from, by > 0 ? -1 : 0) + by + many) % many : -1;
    this.burst = "";
    this.said.textContent = by ? `Corner ${this.corneredAt + 1} of ${many}` : "";
    this.refresh();
  }

  insert() {
    const shape = this.selected;
    const middle = shape && this.middles(shape)[this.corneredAt];
    if (!shape || !middle) return;
    this.corneredAt += 1;
    this.replace({ ...shape, vertices: inserted(shape.vertices, this.corneredAt, this.view.inside(middle)) });
  }

  cut() {
    const shape = this.selected;
    if (!shape) return;
    const vertices = shape.vertices.filter((_, at) => at !== this.corneredAt);
    this.corneredAt = Math.min(this.corneredAt, vertices.length - 1);
    this.replace({ ...shape, vertices });
  }

  /** @returns {[string, string][]} */
  keys() {
    return [
      ["Enter", "set a corner at the cross; again there, or without a cross: close"],
      [". ,", "next corner, the one before"],
      ["Arrows", "move the cross, the corner or the polygon; with Shift, faster"],
      ["I", "a new corner after this one; Delete takes it away"],
      ...super.keys(),
    ];
  }

  /** @param {Polygon} shape */
  outline(shape) {
    return this.line(shape.vertices);
  }

  /** @param {Polygon} shape */
  handles(shape) {
    if (this.given.readonly) return [];
    const dot = (/** @type {Point} */ place, /** @type {string} */ look, /** @type {number} */ r) => {
      const { x, y } = this.view.onStage(place);
      return svg("circle", { class: `handle ${look}`, cx: x, cy: y, r });
    };
    return [
      ...this.middles(shape).map((place) => dot(place, "middle", 4)),
      ...shape.vertices.map((vertex, at) => dot(vertex, at === this.corneredAt ? "held" : "", at === this.corneredAt ? 8 : 6)),
    ];
  }

  unfinished() {
    if (!this.open) return [];
    const vertices = this.tip ? [...this.open, this.tip] : this.open;
    const group = this.group(this.given.labels[this.current] ?? "", () => this.line(vertices, "polyline"), "open");
    this.open.forEach((vertex, at) => {
      const { x, y } = this.view.onStage(vertex);
      group.append(svg("circle", { class: "handle", cx: x, cy: y, r: at ? 5 : 8 }));
    });
    return [group];
  }

  /** @param {Polygon} shape */
  corner(shape) {
    return shape.vertices.reduce((top, vertex) => (vertex.y < top.y ? vertex : top), shape.vertices[0] ?? { x: 0, y: 0 });
  }

  /** @param {Polygon} shape */
  far({ vertices }) {
    return { x: Math.max(...vertices.map(({ x }) => x)), y: Math.max(...vertices.map(({ y }) => y)) };
  }

  /** @param {Polygon} shape */
  describe(shape) {
    const { x, y } = this.corner(shape);
    return `${shape.vertices.length} corners at ${x}, ${y}`;
  }
}

customElements.define("label-polygons", LabelPolygons);
