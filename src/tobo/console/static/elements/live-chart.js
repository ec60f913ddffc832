// <live-chart data-live-source="URL" data-depends="every:2" data-title="Accuracy" data-unit="%">: lines over time or epochs.
//
// The URL answers {"x": "time" | "number", "series": [{"name": "train", "points": [[x, y], ...]}, ...]}, times in epoch
// seconds; "label" names other x; "range": [from, to] where x is not to end with the points; "stepped": a value holds until the
// next one; a series may be "dashed". Dragging zooms, a double click shows all again; "Log" makes the y axis logarithmic. A table says the same.
import { number } from "../words.js";
import { ask } from "../requests.js";

/** @typedef {{name: string, points: [number, number][], dashed?: boolean}} Series */
/** @typedef {{x: "time" | "number", series: Series[], label?: string, range?: [number, number], stepped?: boolean}} Course */

const HEIGHT = 220;
const ROWS = 200;
const WHOLE = [1, 2, 5, 10, 20, 50, 100]; // steps of counted things

/** A number drawn from the tokens. @param {string} name */
function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Colours as canvas knows them: light-dark() is resolved by an element that has it. @param {Element} at @param {string} name */
function colour(at, name) {
  const probe = document.createElement("span");
  probe.style.color = token(name);
  at.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

class LiveChart extends HTMLElement {
  /** @type {Course} */
  course = { x: "time", series: [] };
  /** @type {InstanceType<typeof uPlot> | null} */
  plot = null;
  shape = "";
  log = false;

  connectedCallback() {
    if (this.querySelector(".chart")) return;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.dataset.title ?? "Chart");
    this.innerHTML = `<div class="chart-head"><h3></h3><span class="actions">
        <button class="button bare compact" type="button" data-whole hidden>Show all</button>
        <button class="button bare compact" type="button" data-log aria-pressed="false">Log</button></span></div>
      <div class="chart" aria-hidden="true"></div><p class="quiet small" data-none>Loading …</p>
      <details class="small"><summary>As a table</summary><div class="scroll" tabindex="0" role="region"></div></details>`;
    const title = /** @type {HTMLElement} */ (this.querySelector("h3"));
    title.textContent = this.dataset.title ?? "";
    this.querySelector("[role=region]")?.setAttribute("aria-label", `${this.dataset.title ?? "Chart"}, as a table`);
    this.querySelector("[data-log]")?.addEventListener("click", (event) => {
      this.log = !this.log;
      /** @type {Element} */ (event.currentTarget).setAttribute("aria-pressed", String(this.log));
      this.draw(true);
    });
    this.querySelector("[data-whole]")?.addEventListener("click", () => this.draw(true));
    this.querySelector("details")?.addEventListener("toggle", () => this.tabulate());
    this.addEventListener("live", (event) => this.take(/** @type {CustomEvent} */ (event).detail));
    new ResizeObserver(() => this.fit()).observe(this);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(true));
    this.load();
  }

  async load() {
    try {
      this.take(await (await ask(this.dataset.liveSource ?? "")).text());
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} text */
  take(text) {
    const course = JSON.parse(text);
    if (JSON.stringify(course) === JSON.stringify(this.course) && this.plot) return;
    this.course = course;
    this.draw(false);
    this.tabulate();
  }

  /** @param {string} words "" for none */
  say(words) {
    const line = /** @type {HTMLElement} */ (this.querySelector("[data-none]"));
    line.textContent = words;
    line.hidden = !words;
  }

  /** One column of x for all series, as uPlot wants it; gaps are null. @returns {(number | null)[][]} */
  columns() {
    const xs = [...new Set(this.course.series.flatMap((series) => series.points.map(([x]) => x)))].sort((a, b) => a - b);
    const ys = this.course.series.map((series) => {
      const at = new Map(series.points);
      return xs.map((x) => at.get(x) ?? null);
    });
    return [xs, ...ys];
  }

  /** @param {boolean} anew */
  draw(anew) {
    const columns = this.columns();
    if (!columns[0]?.length) {
      this.say("Nothing has been measured yet.");
      return;
    }
    this.say("");
    const shape = JSON.stringify([this.course.x, this.course.series.map((series) => series.name), this.log]);
    if (this.plot && !anew && shape === this.shape) {
      const zoomed = !(/** @type {HTMLElement} */ (this.querySelector("[data-whole]")).hidden);
      this.plot.setData(/** @type {any} */ (columns), !zoomed);
      return;
    }
    this.shape = shape;
    this.plot?.destroy();
    const place = /** @type {HTMLElement} */ (this.querySelector(".chart"));
    this.plot = new uPlot(this.options(columns), /** @type {any} */ (columns), place);
    /** @type {HTMLElement} */ (this.querySelector("[data-whole]")).hidden = true;
  }

  /** @param {(number | null)[][]} columns @returns {any} */
  options(columns) {
    const quiet = colour(this, "--ink-quiet");
    const line = colour(this, "--line");
    const unit = this.dataset.unit ?? "";
    const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const few = (columns[0]?.length ?? 0) < 60;
    return {
      width: Math.max(this.clientWidth, 200),
      height: HEIGHT,
      scales: { x: { time: this.course.x === "time", range: (/** @type {unknown} */ _, /** @type {number} */ low, /** @type {number} */ high) => this.reach(low, high) }, y: this.log ? { distr: 3 } : {} },
      series: [
        { label: this.xName() },
        ...this.course.series.map((series, index) => ({
          label: series.name,
          stroke: colour(this, `--series-${(index % 6) + 1}`),
          width: 1.75,
          spanGaps: true,
          dash: series.dashed ? [6, 4] : undefined,
          paths: this.course.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
          points: { show: few && !series.dashed && !this.course.stepped },
          value: (/** @type {unknown} */ _, /** @type {number | null} */ value) =>
            value === null ? "–" : `${number(value)}${unit ? ` ${unit}` : ""}`,
        })),
      ],
      axes: [axis, { ...axis, size: 56, ...(this.course.stepped ? { incrs: WHOLE } : {}), values: (/** @type {unknown} */ _, /** @type {(number | null)[]} */ splits) => splits.map((value) => (value === null ? "" : number(value))) }],
      cursor: { drag: { x: true, y: false }, points: { size: 6 } },
      hooks: {
        setSelect: [() => (/** @type {HTMLElement} */ (this.querySelector("[data-whole]")).hidden = false)],
      },
    };
  }

  xName() {
    return this.course.x === "time" ? "Time" : (this.course.label ?? "x");
  }

  /** What x shows: all of it until somebody zooms; a lone point has room around it. @param {number} low @param {number} high @returns {[number, number]} */
  reach(low, high) {
    const xs = this.columns()[0] ?? [];
    const whole = low === xs[0] && (xs.length === 1 || high === xs[xs.length - 1]);
    if (whole && this.course.range) return this.course.range;
    const room = this.course.x === "time" ? 60 : 1;
    return whole && xs.length === 1 ? [low - room, low + room] : [low, high];
  }

  fit() {
    if (this.plot && this.clientWidth && this.plot.width !== this.clientWidth) {
      this.plot.setSize({ width: this.clientWidth, height: HEIGHT });
    }
  }

  /** The newest values as a table, when it is unfolded. */
  tabulate() {
    const details = this.querySelector("details");
    const place = details?.querySelector("div");
    if (!details?.open || !place) return;
    const columns = this.columns();
    const table = document.createElement("table");
    table.className = "table";
    const head = table.createTHead().insertRow();
    for (const name of [this.xName(), ...this.course.series.map((series) => series.name)]) {
      const cell = document.createElement("th");
      cell.textContent = name;
      head.append(cell);
    }
    const body = table.createTBody();
    const xs = columns[0] ?? [];
    for (let at = xs.length - 1; at >= Math.max(0, xs.length - ROWS); at -= 1) {
      const row = body.insertRow();
      const x = xs[at] ?? 0;
      row.insertCell().textContent = this.course.x === "time" ? new Date(x * 1000).toLocaleString() : number(x);
      for (const ys of columns.slice(1)) {
        const value = ys[at];
        row.insertCell().textContent = value === null || value === undefined ? "–" : number(value);
      }
    }
    place.replaceChildren(table);
  }
}

customElements.define("live-chart", LiveChart);
