// The picture that is labelled: loaded, fitted, zoomed, panned, brightened; pointers as places in pixels of the picture.
// The picture's own pixels are never read: it may come from elsewhere.
import { button, make, svg } from "./label-dom.js";

/** @typedef {{x: number, y: number}} Point */
/** What an element does with the picture; a pointer that neither pans nor pinches is its own.
 * @typedef {{loaded(): void, broken(): void, viewed(): void, grab?(at: Point, event: PointerEvent): void, drag?(at: Point, event: PointerEvent): void, drop?(at: Point, event: PointerEvent): void, abandon?(): void, hover?(at: Point): void}} Tool */

const CLOSEST = 40;
const MARGIN = 48;

export class Viewport {
  stage = make("div", "label-stage");
  sheet = make("div", "label-sheet");
  image = make("img");
  overlay = svg("svg", { class: "label-overlay", "aria-hidden": "true" });
  tags = make("div", "label-tags");
  sorry = make("p", "label-broken");
  width = 0;
  height = 0;
  scale = 1;
  x = 0;
  y = 0;
  ready = false;
  fitted = true;
  space = false;
  /** @type {Map<number, Point>} */
  pointers = new Map();
  /** @type {"" | "tool" | "pan" | "pinch" | "rest"} */
  mode = "";

  /** @param {Tool} tool */
  constructor(tool) {
    this.tool = tool;
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "application");
    this.image.alt = "";
    this.image.draggable = false;
    this.sheet.append(this.image);
    this.tags.setAttribute("aria-hidden", "true");
    this.sorry.setAttribute("role", "alert");
    this.stage.append(this.sheet, this.overlay, this.tags, this.sorry);
    this.image.addEventListener("load", () => this.loaded());
    this.image.addEventListener("error", () => this.failed());
    this.stage.addEventListener("pointerdown", (event) => this.down(event));
    this.stage.addEventListener("pointermove", (event) => this.move(event));
    this.stage.addEventListener("pointerup", (event) => this.up(event));
    this.stage.addEventListener("pointercancel", (event) => this.lost(event));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.resized()).observe(this.stage);
  }

  /** @param {string} source @param {string} title */
  show(source, title) {
    this.stage.setAttribute("aria-label", title);
    this.forget();
    if (this.ready && this.image.src === new URL(source, document.baseURI).href) return this.fit();
    this.ready = false;
    this.sorry.textContent = "";
    this.sheet.classList.add("coming");
    this.image.src = source;
    if (this.image.complete && this.image.naturalWidth) this.adopt(); // it was preloaded
  }

  /** Shows nothing. */
  blank() {
    this.forget();
    this.ready = false;
    this.sorry.textContent = "";
    this.sheet.classList.add("coming");
    this.image.removeAttribute("src");
  }

  /** Takes the picture's size; false where it has none. */
  adopt() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (!width || !height) return false;
    [this.width, this.height, this.ready] = [width, height, true];
    this.image.width = width;
    this.image.height = height;
    this.sheet.classList.remove("coming");
    this.fit();
    return true;
  }

  loaded() {
    if (this.ready) return;
    if (this.adopt()) this.tool.loaded();
    else this.failed();
  }

  failed() {
    this.ready = false;
    this.sheet.classList.add("coming");
    this.sorry.textContent = "This picture cannot be shown.";
    this.tool.broken();
  }

  forget() {
    this.pointers.clear();
    this.mode = "";
    this.hold(false);
  }

  /** @param {boolean} on whether a drag moves the picture */
  hold(on) {
    this.space = on;
    this.stage.classList.toggle("panning", on);
  }

  /** Holds as long as the key is down. */
  grip() {
    if (this.space) return;
    const gone = new AbortController();
    const release = () => {
      this.hold(false);
      gone.abort();
    };
    this.hold(true);
    document.addEventListener("keyup", release, { signal: gone.signal });
    window.addEventListener("blur", release, { signal: gone.signal });
  }

  get least() {
    return Math.min(this.stage.clientWidth / this.width, this.stage.clientHeight / this.height) || 1;
  }

  fit() {
    this.fitted = true;
    this.scale = Math.min(this.least, CLOSEST / 4);
    this.x = (this.stage.clientWidth - this.width * this.scale) / 2;
    this.y = (this.stage.clientHeight - this.height * this.scale) / 2;
    this.place();
  }

  resized() {
    if (!this.ready) return;
    if (this.fitted) this.fit();
    else this.place();
  }

  /** @param {number} factor @param {Point} [centre] in pixels of the stage */
  zoom(factor, centre = { x: this.stage.clientWidth / 2, y: this.stage.clientHeight / 2 }) {
    const scale = Math.min(Math.max(this.scale * factor, this.least / 2), CLOSEST);
    this.x = centre.x - ((centre.x - this.x) * scale) / this.scale;
    this.y = centre.y - ((centre.y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.place();
  }

  /** @param {number} dx @param {number} dy in pixels of the stage */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.place();
  }

  place() {
    if (!this.ready) return;
    this.x = Math.min(Math.max(this.x, MARGIN - this.width * this.scale), this.stage.clientWidth - MARGIN);
    this.y = Math.min(Math.max(this.y, MARGIN - this.height * this.scale), this.stage.clientHeight - MARGIN);
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.sheet.classList.toggle("near", this.scale >= 3);
    this.tool.viewed();
  }

  /** Puts the names on it, those at its right edge so far to the left that they can be read. @param {HTMLElement[]} tags */
  name(tags) {
    this.tags.replaceChildren(...tags);
    const width = this.stage.clientWidth;
    const over = tags.map((tag) => (tag.offsetLeft < width ? tag.offsetLeft + tag.offsetWidth - width : 0));
    over.forEach((by, at) => {
      const tag = tags[at];
      if (tag && by > 0) tag.style.left = `${Math.max(tag.offsetLeft - by, 0)}px`;
    });
  }

  /** Scrolls so that a place of the picture is in sight. @param {Point} at */
  reveal(at) {
    const { x, y } = this.onStage(at);
    const room = 24;
    const dx = x < room ? room - x : Math.min(this.stage.clientWidth - room - x, 0);
    const dy = y < room ? room - y : Math.min(this.stage.clientHeight - room - y, 0);
    if (dx || dy) this.pan(dx, dy);
  }

  /** @param {Point} at in pixels of the picture @returns {Point} in pixels of the stage */
  onStage(at) {
    return { x: this.x + at.x * this.scale, y: this.y + at.y * this.scale };
  }

  /** The picture's place in the middle of what is seen. @returns {Point} */
  middle() {
    return this.inside({
      x: (this.stage.clientWidth / 2 - this.x) / this.scale,
      y: (this.stage.clientHeight / 2 - this.y) / this.scale,
    });
  }

  /** @param {Point} at @returns {Point} the nearest place of the picture, of whole pixels */
  inside(at) {
    return {
      x: Math.round(Math.min(Math.max(at.x, 0), this.width)),
      y: Math.round(Math.min(Math.max(at.y, 0), this.height)),
    };
  }

  /** @param {MouseEvent} event @returns {Point} */
  spot(event) {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left - this.stage.clientLeft, y: event.clientY - box.top - this.stage.clientTop };
  }

  /** @param {MouseEvent} event @returns {Point} in pixels of the picture, fractions and places beside it too */
  at(event) {
    const spot = this.spot(event);
    return { x: (spot.x - this.x) / this.scale, y: (spot.y - this.y) / this.scale };
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (!this.ready) return;
    this.stage.focus({ preventScroll: true });
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.spot(event));
    if (this.pointers.size === 2) {
      if (this.mode === "tool") this.tool.abandon?.();
      this.mode = "pinch";
    } else if (this.pointers.size === 1 && (this.space || event.button === 1 || !this.tool.grab)) this.mode = "pan";
    else if (this.pointers.size === 1 && event.button === 0) {
      this.mode = "tool";
      this.tool.grab?.(this.at(event), event);
    }
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!this.ready) return;
    if (!before) return this.tool.hover?.(this.at(event));
    const now = this.spot(event);
    this.pointers.set(event.pointerId, now);
    if (this.mode === "pan") this.pan(now.x - before.x, now.y - before.y);
    else if (this.mode === "tool") this.tool.drag?.(this.at(event), event);
    else if (this.mode === "pinch") this.pinch(event.pointerId, before, now);
  }

  /** @param {number} id @param {Point} before @param {Point} now */
  pinch(id, before, now) {
    const other = [...this.pointers].find(([its]) => its !== id)?.[1];
    if (!other) return;
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    this.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    if (was > 1) this.zoom(is / was, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }

  /** @param {PointerEvent} event */
  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const mode = this.mode;
    this.mode = this.pointers.size ? "rest" : "";
    if (mode === "tool") this.tool.drop?.(this.at(event), event);
  }

  /** @param {PointerEvent} event */
  lost(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.mode === "tool") this.tool.abandon?.();
    this.mode = this.pointers.size ? "rest" : "";
  }

  /** Zooms with Ctrl, as a trackpad's pinch says it, or when the picture has the focus. @param {WheelEvent} event */
  wheel(event) {
    if (!this.ready || !(event.ctrlKey || document.activeElement === this.stage)) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.002)), this.spot(event));
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was the picture's */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else if (event.key === " " && this.stage.matches(":focus, :hover")) this.grip();
    else return false;
    return true;
  }

  /** Buttons that zoom. */
  buttons() {
    return [
      button("−", "Zoom out (-)", () => this.zoom(0.8)),
      button("Fit", "Fit the picture (0)", () => this.fit()),
      button("+", "Zoom in (+)", () => this.zoom(1.25)),
    ];
  }

  /** Sliders of how the picture is seen; they stay as they are for the pictures that follow. */
  light() {
    const box = make("fieldset", "label-light");
    for (const [name, words] of [["--brightness", "Brightness"], ["--contrast", "Contrast"]]) {
      const slider = make("input");
      slider.type = "range";
      slider.min = "0.25";
      slider.max = "3";
      slider.step = "0.05";
      slider.value = "1";
      slider.addEventListener("input", () => this.stage.style.setProperty(name ?? "", slider.value));
      slider.addEventListener("dblclick", () => {
        slider.value = "1";
        this.stage.style.setProperty(name ?? "", "1");
      });
      box.append(make("label", "", make("span", "", words ?? ""), slider));
    }
    return box;
  }
}
