// <label-mask>: a class for every pixel, with a round brush and an eraser. The mask is a canvas of its own over the picture.
import { button, make, series, svg } from "./label-dom.js";
import { PictureElement } from "./label-picture.js";
import { Raster, maskColour } from "./label-raster.js";

/** @typedef {import("./label-viewport.js").Point} Point */
/** @typedef {import("./label-raster.js").Area} Area */
/** A step of the history: the pixels that it changed, and whether "nothing" was said before. @typedef {{stroke: import("./label-raster.js").Stroke, nothing: boolean}} Step */

const TOKENS = 6;
const FAINT = 0x59ffffff;

/** Classes beyond the palette's six colours bear a pattern too. @type {((x: number, y: number) => number)[]} */
const PATTERNS = [() => 1, (x, y) => (x + y) & 4, (x, y) => (x - y) & 4, (_, y) => y & 4, (x) => x & 4, (x, y) => (x ^ y) & 4];

/** @extends {PictureElement<Step>} */
class LabelMask extends PictureElement {
  canvas = make("canvas");
  raster = new Raster(0, 0, 0);
  current = 0;
  erasing = false;
  brush = 20;
  saidNothing = false;
  /** What is being read of an earlier answer. @type {symbol | null} */
  reading = null;
  /** @type {string | null} */
  png = null;
  /** @type {number[]} */
  palette = [];
  /** @type {Point | null} */
  from = null;
  /** @type {Point | null} */
  tip = null;
  nothing = make("input");
  slider = make("input");
  paints = button("Brush", "Brush (B)", () => this.use(false));
  erases = button("Eraser", "Eraser (E)", () => this.use(true));
  overlaid = make("img", "label-mask-guess");

  tool() {
    return {
      ...super.tool(),
      grab: this.grab.bind(this),
      drag: this.drag.bind(this),
      drop: () => this.drop(),
      abandon: () => this.abandon(),
      hover: (/** @type {Point} */ at) => this.point(at),
    };
  }

  main() {
    const main = super.main();
    this.tools.append(this.paints, this.erases);
    this.overlaid.alt = "";
    this.view.sheet.append(this.overlaid, this.canvas);
    this.view.stage.addEventListener("pointerleave", () => this.point(null));
    return main;
  }

  extras() {
    this.slider.type = "range";
    this.slider.min = "1";
    this.slider.setAttribute("aria-label", "Size of the brush, in pixels of the picture");
    this.slider.addEventListener("input", () => this.resize(Number(this.slider.value)));
    this.nothing.type = "checkbox";
    this.nothing.addEventListener("change", () => this.sayNothing(this.nothing.checked));
    const size = make("label", "label-size", make("span", "nowrap", "Size ", make("kbd", "", "["), " ", make("kbd", "", "]")), this.slider);
    const empty = make("label", "check", this.nothing, make("span", "", "Nothing to label here ", make("kbd", "", "X")));
    return [size, empty, ...super.extras()];
  }

  /** @returns {[string, string][]} */
  keys() {
    return [
      ["B E", "brush, eraser"],
      ["[ ]", "smaller, larger"],
      ["N", "the brush in the middle, for keys"],
      ["Arrows", "move it; with Shift, painting"],
      ["Enter", "paint once where it is; Esc puts it away"],
      ["X", "nothing to label here"],
      ...super.keys(),
    ];
  }

  begin() {
    this.saidNothing = false;
    this.reading = null;
    this.raster = new Raster(0, 0, 0);
    this.canvas.width = 0;
    this.png = null;
    this.tip = null;
    this.from = null;
    this.current = Math.min(this.current, Math.max(this.given.labels.length - 1, 0));
    super.begin();
    if (this.view.ready) this.start();
  }

  seen() {
    this.start();
    super.seen();
  }

  start() {
    const { width, height } = this.size;
    this.raster = new Raster(width, height, this.given.labels.length);
    [this.canvas.width, this.canvas.height] = [width, height];
    this.slider.max = String(Math.max(Math.round(Math.min(width, height) / 3), 3));
    this.resize(Math.min(this.brush, Number(this.slider.max)));
    this.palette = this.paletteOf(this.given.labels.length);
    this.load();
  }

  /** Colours of the theme, packed as canvas pixels. @param {number} classes */
  paletteOf(classes) {
    const probe = make("span", "label-number");
    this.append(probe);
    const themed = Array.from({ length: Math.min(classes, TOKENS) }, (_, index) => {
      probe.className = `label-number ${series(index)}`;
      const [red, green, blue] = getComputedStyle(probe).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
      return ((255 << 24) | ((blue ?? 0) << 16) | ((green ?? 0) << 8) | (red ?? 0)) >>> 0;
    });
    probe.remove();
    return themed;
  }

  /** An earlier answer's mask comes when its PNG is decoded. */
  async load() {
    const { labeledImage, labelMappings } = this.given.initial ?? {};
    if (!labeledImage?.pngImageData) return;
    const mine = (this.reading = Symbol("reading"));
    const picture = new Image();
    picture.src = `data:image/png;base64,${labeledImage.pngImageData}`;
    const decoded = await picture.decode().then(() => true, () => false);
    if (this.reading !== mine) return;
    const known = Object.entries(labelMappings ?? {}).map(([label, its]) => /** @type {[string, number]} */ ([its.color.toLowerCase(), this.index(label) + 1]));
    if (decoded) this.raster.load(picture, new Map(known.filter(([, value]) => value > 0)));
    this.reading = null;
    this.show({ left: 0, top: 0, ...this.size });
    this.refresh();
  }

  get ready() {
    return this.view.ready && !this.reading;
  }

  get complete() {
    return this.ready && (this.saidNothing || this.raster.filled > 0);
  }

  write() {
    this.png ??= this.raster.png();
    const labelMappings = Object.fromEntries(this.given.labels.map((label, index) => [label, { color: maskColour(index) }]));
    return { labeledImage: { pngImageData: this.png }, labelMappings, inputImageProperties: this.size };
  }

  /** Draws a part of the mask. @param {Area} area */
  show(area) {
    if (!area.width || !area.height) return;
    const image = this.raster.image(area, (value, x, y) => {
      if (!value) return 0;
      const colour = this.palette[(value - 1) % TOKENS] ?? 0;
      const pattern = PATTERNS[Math.floor((value - 1) / TOKENS) % PATTERNS.length];
      return pattern?.(x, y) ? colour : (colour & FAINT) >>> 0;
    });
    this.canvas.getContext("2d")?.putImageData(image, area.left, area.top);
  }

  /** @param {Point} from @param {Point} to */
  stroke(from, to) {
    this.show(this.raster.line(from, to, this.brush, this.erasing ? 0 : this.current + 1));
  }

  /** @param {Point} at */
  grab(at) {
    if (!this.ready || this.given.readonly) return;
    this.cross = null;
    this.from = at;
    this.tip = at;
    this.stroke(at, at);
    this.aim();
  }

  /** @param {Point} _at @param {PointerEvent} event */
  drag(_at, event) {
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const step of coalesced.length ? coalesced : [event]) {
      const to = this.view.at(step);
      if (this.from) this.stroke(this.from, to);
      this.tip = to;
      if (this.from) this.from = to;
    }
    this.aim();
  }

  drop() {
    this.from = null;
    this.keep();
  }

  /** What was painted becomes a step of the history. */
  keep() {
    const stroke = this.raster.stroke();
    if (!stroke.at.length) return this.refresh();
    this.past.push({ stroke, nothing: this.saidNothing });
    this.future = [];
    this.saidNothing = false;
    this.png = null;
    this.changed();
  }

  abandon() {
    this.from = null;
    const stroke = this.raster.swap(this.raster.stroke());
    this.show(this.raster.area(stroke));
    this.refresh();
  }

  /** @param {Step[]} from @param {Step[]} to */
  travel(from, to) {
    if (this.from || this.given.readonly) return;
    const step = from.pop();
    if (!step) return;
    to.push({ stroke: this.raster.swap(step.stroke), nothing: this.saidNothing });
    this.saidNothing = step.nothing;
    this.png = null;
    this.show(this.raster.area(step.stroke));
    this.changed();
  }

  /** @param {boolean} on */
  sayNothing(on) {
    if (!this.ready || this.given.readonly) return this.refresh();
    if (on) this.raster.clear();
    const stroke = this.raster.stroke();
    this.past.push({ stroke, nothing: this.saidNothing });
    this.future = [];
    this.saidNothing = on;
    this.png = null;
    this.show(this.raster.area(stroke));
    this.changed();
  }

  /** @param {boolean} erasing */
  use(erasing) {
    this.erasing = erasing;
    this.refresh();
  }

  /** @param {number} size of the brush, in pixels of the picture */
  resize(size) {
    this.brush = Math.min(Math.max(Math.round(size), 1), Number(this.slider.max));
    this.slider.value = String(this.brush);
    this.aim();
  }

  /** @param {number} index */
  choose(index) {
    if (this.given.labels[index] === undefined) return;
    this.current = index;
    this.use(false);
  }

  /** @param {Point | null} at */
  point(at) {
    this.tip = at;
    this.aim();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return super.key(event);
    const by = this.stride(event);
    if (by && this.ready) {
      const from = this.brushAt(by);
      if (event.shiftKey && !this.given.readonly) this.dab(from, this.brushAt({ x: 0, y: 0 }));
      return true;
    }
    const key = event.key.toLowerCase();
    if (key === "b" || key === "e") this.use(key === "e");
    else if (key === "x") this.nothing.click();
    else if (key === "[" || key === "]") this.resize(key === "]" ? Math.max(this.brush * 1.25, this.brush + 1) : this.brush / 1.25);
    else if (key === "n" && this.ready) this.moveCross({ x: 0, y: 0 });
    else if (key === "enter" && this.cross && !this.given.readonly) this.dab(this.brushAt({ x: 0, y: 0 }), this.brushAt({ x: 0, y: 0 }));
    else if (key === "escape" && this.cross) {
      this.cross = null;
      this.refresh();
    } else return super.key(event);
    return true;
  }

  /** Moves the brush of the keys. @param {Point} by @returns {Point} where it was before */
  brushAt(by) {
    const before = this.cross ?? this.view.middle();
    this.moveCross(by);
    return { x: before.x + 0.5, y: before.y + 0.5 };
  }

  /** @param {Point} from @param {Point} to */
  dab(from, to) {
    this.stroke(from, to);
    this.keep();
  }

  draw() {
    this.choices.mark(this.erasing ? [] : [this.current]);
    this.paints.setAttribute("aria-pressed", String(!this.erasing));
    this.erases.setAttribute("aria-pressed", String(this.erasing));
    this.nothing.checked = this.saidNothing;
    this.nothing.disabled = Boolean(this.given.readonly);
    this.drawGuess();
    const tags = [...this.raster.counts.keys()].slice(1).map((value) => ({ value, at: this.raster.anchor(value) }));
    this.view.name([
      ...tags.flatMap(({ value, at }) => (at ? [this.nameTag(at, this.given.labels[value - 1] ?? "", "")] : [])),
    ]);
    this.aim();
  }

  drawGuess() {
    const png = this.guessed?.labeledImage?.pngImageData;
    this.overlaid.hidden = !png;
    const source = png ? `data:image/png;base64,${png}` : "";
    if (png && this.overlaid.src !== source) this.overlaid.src = source;
    this.choices.guess(this.guessedClasses());
  }

  /** The rim of the brush. */
  aim() {
    const at = this.cross ? { x: this.cross.x + 0.5, y: this.cross.y + 0.5 } : this.tip;
    if (!at || !this.ready) return this.view.overlay.replaceChildren();
    const { x, y } = this.view.onStage(at);
    const ring = { cx: x, cy: y, r: Math.max((this.brush / 2) * this.view.scale, 2) };
    const look = this.erasing ? "brush eraser" : `brush ${series(this.current)}`;
    this.view.overlay.replaceChildren(svg("circle", { ...ring, class: "halo" }), svg("circle", { ...ring, class: look }), ...this.crossMarks());
  }
}

customElements.define("label-mask", LabelMask);
