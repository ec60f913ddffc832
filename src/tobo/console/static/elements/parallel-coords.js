// <parallel-coords data-source data-table="id">: one axis a hyperparameter and one for the objective, a line a trial.
// `data-drawing` brings the drawing along where there is no address for it. What lies outside of a brush is faint here and hidden in the table, whose rows bear data-trial.
import { ask, Refused } from "../requests.js";
import { place, step, ticks, words } from "./axis-scales.js";
import { sortTable } from "./sorted-table.js";

/** @typedef {import("./axis-scales.js").Axis} Axis */
/** @typedef {{name: string, status: string, values: unknown[], objective: number | null}} Trial */
/** @typedef {{axes: Axis[], trials: Trial[], objective: {name: string, maximise: boolean}, best: string | null}} Drawing */

const TOP = 60;
const BOTTOM = 22;
const HEIGHT = 336;
const NARROWEST = 96;
const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} [text] */
function draw(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

class ParallelCoords extends HTMLElement {
  /** @type {Drawing | null} */
  drawing = null;
  /** @type {Axis[]} */
  axes = [];
  /** The kept part of each axis, by its name. @type {Map<string, [number, number]>} */
  brushes = new Map();
  /** @type {string | null} */
  marked = null;
  /** @type {{axis: Axis, from: number} | null} */
  drag = null;

  connectedCallback() {
    this.addEventListener("live", (event) => this.take(JSON.parse(/** @type {CustomEvent} */ (event).detail)));
    document.addEventListener("tobo:changed", () => this.filter());
    document.addEventListener("pointermove", (event) => this.drag && this.pull(event));
    document.addEventListener("pointerup", () => (this.drag = null));
    document.addEventListener("pointercancel", () => (this.drag = null));
    for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, (event) => this.point(event));
    if (this.dataset.table) sortTable(this.dataset.table);
    new ResizeObserver(() => this.render()).observe(this);
    if (this.dataset.drawing) this.take(JSON.parse(this.dataset.drawing));
    else this.load();
  }

  async load() {
    try {
      this.take(await (await ask(this.dataset.source ?? "")).json());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.textContent = error.message;
    }
  }

  /** @param {Drawing} drawing */
  take(drawing) {
    this.drawing = drawing;
    const found = drawing.trials.map((trial) => trial.objective).filter((value) => value !== null);
    const low = found.length ? Math.min(...found) : 0;
    const high = found.length ? Math.max(...found) : 1;
    const room = low === high ? Math.abs(low) / 10 || 0.5 : 0;
    this.axes = [...drawing.axes, { name: drawing.objective.name, low: low - room, high: high + room, scale: "Linear" }];
    this.render();
  }

  get width() {
    return Math.max(this.clientWidth, this.axes.length * NARROWEST);
  }

  /** @param {number} index */
  x(index) {
    const margin = NARROWEST / 2;
    return this.axes.length < 2 ? this.width / 2 : margin + (index * (this.width - 2 * margin)) / (this.axes.length - 1);
  }

  /** @param {number} at */
  y(at) {
    return HEIGHT - BOTTOM - at * (HEIGHT - TOP - BOTTOM);
  }

  render() {
    if (!this.drawing || !this.clientWidth) return;
    const held = this.querySelector(":focus")?.getAttribute("data-grip");
    const scrolled = this.querySelector(".over")?.scrollLeft ?? 0;
    const svg = draw("svg", { viewBox: `0 0 ${this.width} ${HEIGHT}`, role: "group" });
    svg.setAttribute("aria-label", "Trials along the axes of the search");
    svg.style.minWidth = `${this.axes.length * NARROWEST}px`;
    this.axes.forEach((axis, index) => svg.append(this.axis(axis, index)));
    svg.append(...this.drawing.trials.map((trial) => this.line(trial)));
    this.axes.forEach((axis, index) => svg.append(this.handles(axis, index)));
    const over = document.createElement("div");
    over.className = "over";
    over.append(svg);
    this.replaceChildren(over, this.foot());
    over.scrollLeft = scrolled;
    if (held) /** @type {SVGElement | null} */ (this.querySelector(`[data-grip="${held}"]`))?.focus();
    this.filter();
  }

  /** @param {Axis} axis @param {number} index */
  axis(axis, index) {
    const group = draw("g", {});
    const x = this.x(index);
    const most = Math.max(Math.floor(this.width / this.axes.length / 7), 8);
    const title = axis.name.length > most ? `${axis.name.slice(0, most - 1)}…` : axis.name;
    const named = draw("text", { x, y: 14, class: "title" }, title);
    const edge = index === 0 ? "start" : index === this.axes.length - 1 ? "end" : "";
    if (edge && this.axes.length > 1) {
      named.style.textAnchor = edge;
      named.setAttribute("x", String(edge === "start" ? 2 : this.width - 2));
    }
    named.append(draw("title", {}, axis.name));
    group.append(named);
    if (axis.scale && axis.scale !== "Linear") {
      group.append(draw("text", { x, y: 31 }, axis.scale === "Logarithmic" ? "log" : "reverse log"));
    }
    group.append(draw("line", { class: "rule", x1: x, x2: x, y1: this.y(1), y2: this.y(0) }));
    return group;
  }

  /** @param {Trial} trial */
  line(trial) {
    const values = [...trial.values, trial.objective];
    const points = this.axes.flatMap((axis, index) => {
      const at = place(axis, values[index]);
      return at === null ? [] : [`${this.x(index).toFixed(1)},${this.y(at).toFixed(1)}`];
    });
    const group = draw("g", { "data-line": trial.name });
    const line = draw("polyline", { class: "line", points: points.join(" ") });
    const last = this.axes[this.axes.length - 1];
    const at = last ? place(last, trial.objective) : null;
    if (at === null) line.classList.add("pending");
    else {
      const good = this.drawing?.objective.maximise ? at : 1 - at;
      line.style.stroke = `color-mix(in oklab, var(--series-1) ${Math.round(good * 100)}%, var(--series-2))`;
    }
    const touch = draw("polyline", { class: "touch", points: points.join(" ") });
    touch.append(draw("title", {}, `${trial.name}: ${trial.objective ?? trial.status}`));
    group.append(line, touch);
    return group;
  }

  /** The words of an axis, its brush and two grips. @param {Axis} axis @param {number} index */
  handles(axis, index) {
    const group = draw("g", {});
    const x = this.x(index);
    const [low, high] = this.brushes.get(axis.name) ?? [0, 1];
    const set = this.brushes.has(axis.name);
    const zone = draw("rect", { class: "zone", x: x - 9, y: this.y(1), width: 18, height: this.y(0) - this.y(1) });
    zone.addEventListener("pointerdown", (event) => this.begin(/** @type {PointerEvent} */ (event), axis));
    group.append(zone);
    if (set) {
      const height = Math.max(this.y(low) - this.y(high), 1);
      group.append(draw("rect", { class: "brush", x: x - 7, y: this.y(high), width: 14, height }));
    }
    for (const at of ticks(axis)) {
      group.append(draw("line", { class: "tick", x1: x - 4, x2: x + 4, y1: this.y(at), y2: this.y(at) }));
      const inner = at > 0 && at < 1;
      const said = axis.choices ? (axis.choices[Math.floor(at * axis.choices.length)] ?? "") : words(axis, at);
      const short = said.length > 12 ? `${said.slice(0, 11)}…` : said;
      const y = inner ? this.y(at) + 4 : at ? this.y(1) - 11 : this.y(0) + 18;
      const label = draw("text", inner ? { x: x + 10, y } : { x, y }, short);
      if (inner) label.style.textAnchor = index === this.axes.length - 1 ? "end" : "start";
      if (inner && index === this.axes.length - 1) label.setAttribute("x", String(x - 10));
      group.append(label);
    }
    group.append(this.grip(axis, index, 0, low, set), this.grip(axis, index, 1, high, set));
    return group;
  }

  /** @param {Axis} axis @param {number} index @param {0 | 1} end @param {number} at @param {boolean} set */
  grip(axis, index, end, at, set) {
    const y = this.y(at);
    const x = this.x(index);
    const grip = draw("path", {
      class: set ? "grip set" : "grip",
      d: end ? `M${x - 8} ${y}h16l-4 -6h-8z` : `M${x - 8} ${y}h16l-4 6h-8z`,
      "data-grip": `${index}-${end}`,
      tabindex: 0,
      role: "slider",
      "aria-orientation": "vertical",
      "aria-label": `${axis.name} ${end ? "at most" : "at least"}`,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": Math.round(at * 100),
      "aria-valuetext": words(axis, end && axis.choices ? Math.max(at - 1e-6, 0) : at),
    });
    grip.addEventListener("keydown", (event) => this.press(/** @type {KeyboardEvent} */ (event), axis, end));
    grip.addEventListener("pointerdown", (event) => {
      const [low, high] = this.brushes.get(axis.name) ?? [0, 1];
      event.preventDefault();
      this.drag = { axis, from: end ? low : high };
    });
    return grip;
  }

  foot() {
    const foot = document.createElement("div");
    foot.className = "foot";
    const scale = document.createElement("span");
    scale.className = "scale";
    scale.append("worse", document.createElement("i"), "better");
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    count.dataset.count = "";
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "button compact";
    clear.textContent = "Clear filters";
    clear.hidden = !this.brushes.size;
    clear.addEventListener("click", () => {
      this.brushes.clear();
      this.render();
    });
    foot.append(scale, count, clear);
    return foot;
  }

  /** @param {KeyboardEvent} event @param {Axis} axis @param {0 | 1} end */
  press(event, axis, end) {
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 4, PageDown: -4, Home: -99, End: 99 };
    const by = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (event.key === "Escape") this.brushes.delete(axis.name);
    else if (by) {
      const [low, high] = this.brushes.get(axis.name) ?? [0, 1];
      const moved = Math.min(Math.max((end ? high : low) + by * step(axis), 0), 1);
      this.brush(axis, end ? [Math.min(low, moved), moved] : [moved, Math.max(high, moved)]);
    } else return;
    event.preventDefault();
    this.render();
  }

  /** @param {Axis} axis @param {[number, number]} kept */
  brush(axis, kept) {
    if (kept[0] <= 1e-9 && kept[1] >= 1 - 1e-9) this.brushes.delete(axis.name);
    else this.brushes.set(axis.name, kept);
  }

  /** @param {PointerEvent} event @param {Axis} axis */
  begin(event, axis) {
    event.preventDefault();
    this.drag = { axis, from: this.at(event) };
    this.brushes.delete(axis.name);
    this.render();
  }

  /** @param {PointerEvent} event */
  at(event) {
    const box = this.querySelector("svg")?.getBoundingClientRect();
    if (!box) return 0;
    const y = ((event.clientY - box.top) / box.height) * HEIGHT;
    return Math.min(Math.max((HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM), 0), 1);
  }

  /** @param {PointerEvent} event */
  pull(event) {
    if (!this.drag) return;
    const at = this.at(event);
    this.brush(this.drag.axis, [Math.min(at, this.drag.from), Math.max(at, this.drag.from)]);
    this.render();
  }

  /** @param {Trial} trial */
  kept(trial) {
    const values = [...trial.values, trial.objective];
    return this.axes.every((axis, index) => {
      const brush = this.brushes.get(axis.name);
      if (!brush) return true;
      const at = place(axis, values[index]);
      return at !== null && at >= brush[0] - 1e-9 && at <= brush[1] + 1e-9;
    });
  }

  /** Shows in lines and rows what the brushes keep. */
  filter() {
    const kept = new Map(this.drawing?.trials.map((trial) => [trial.name, this.kept(trial)]));
    for (const line of this.querySelectorAll("[data-line]")) {
      const out = kept.get(line.getAttribute("data-line") ?? "") === false;
      line.querySelector(".line")?.classList.toggle("out", out);
      line.querySelector(".touch")?.toggleAttribute("hidden", out);
    }
    for (const row of this.rows()) row.hidden = kept.get(row.dataset.trial ?? "") === false;
    const left = [...kept.values()].filter(Boolean).length;
    const count = this.querySelector("[data-count]");
    if (count) count.textContent = left === kept.size ? `${left} trials` : `${left} of ${kept.size} trials`;
    this.mark(this.marked);
  }

  /** @returns {NodeListOf<HTMLTableRowElement>} */
  rows() {
    return document.querySelectorAll(`#${this.dataset.table} [data-trial]`);
  }

  /** @param {Event} event */
  point(event) {
    const target = /** @type {Element} */ (event.target);
    const name =
      target.closest("[data-line]")?.getAttribute("data-line") ?? target.closest("[data-trial]")?.getAttribute("data-trial");
    if ((name ?? null) !== this.marked) this.mark(name ?? null);
  }

  /** @param {string | null} name */
  mark(name) {
    this.marked = name;
    for (const line of this.querySelectorAll("[data-line]")) {
      const on = line.getAttribute("data-line") === name;
      line.querySelector(".line")?.classList.toggle("on", on);
    }
    for (const row of this.rows()) row.classList.toggle("on", row.dataset.trial === name);
  }
}

customElements.define("parallel-coords", ParallelCoords);
