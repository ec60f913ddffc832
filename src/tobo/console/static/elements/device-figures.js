// <device-figures data-live-source>: what a device's heartbeats told, as charts. <device-page>: the way to its own page.
import { number, size } from "../words.js";

/** @typedef {{start: number, end: number, period: number, band: number, series: Record<string, [number[], number[]]>}} Figures */

/** @type {Record<string, {words: string, colour: string, bars?: boolean}>} */
const KINDS = {
  decisions: { words: "Decisions", colour: "--series-1", bars: true },
  rejects: { words: "Rejects", colour: "--series-2", bars: true },
  p50: { words: "p50", colour: "--series-1" },
  p99: { words: "p99", colour: "--series-2" },
  drift: { words: "Drift", colour: "--series-1" },
  band: { words: "Band", colour: "--series-2" },
  outbox: { words: "Bytes", colour: "--series-3" },
};

/** @param {string} token */
function colour(token) {
  const probe = document.createElement("i"); // light-dark() is resolved where it is used
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** The values of several series at the times of all of them. @param {[number[], number[]][]} all */
function table(all) {
  const times = [...new Set(all.flatMap(([at]) => at))].sort((one, other) => one - other);
  return [times, ...all.map(([at, values]) => times.map((time) => values[at.indexOf(time)] ?? null))];
}

/** A tick's words: the time of day, or the day where days are shown. @param {number} at @param {Figures} figures */
function clock(at, figures) {
  const days = figures.end - figures.start > 2 * 86_400;
  const moment = new Date(at * 1000);
  if (days) return moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

class DeviceFigures extends HTMLElement {
  /** @type {any[]} */
  charts = [];

  connectedCallback() {
    this.addEventListener("live", (event) => this.show(JSON.parse(/** @type {CustomEvent} */ (event).detail)));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.again);
    addEventListener("resize", this.again);
  }

  /** @type {Figures | null} */
  shown = null;

  again = () => this.shown && this.show(this.shown);

  disconnectedCallback() {
    removeEventListener("resize", this.again);
  }

  /** @param {Figures} figures */
  show(figures) {
    this.shown = figures;
    for (const chart of this.charts) chart.destroy();
    this.charts = [];
    for (const box of this.querySelectorAll("[data-chart]")) {
      const names = (box.getAttribute("data-chart") ?? "").split(",");
      /** @type {[number[], number[]][]} */
      const all = names.map((name) => figures.series[name] ?? [[], []]);
      const there = all.some(([at]) => at.length);
      if (there && names[0] === "drift") {
        names.push("band");
        all.push([[figures.start, figures.end], [figures.band, figures.band]]);
      }
      if (there) this.draw(/** @type {HTMLElement} */ (box), names, all, figures);
      else box.textContent = "No heartbeat told of it in this time.";
    }
    this.tell(figures);
  }

  /** @param {HTMLElement} box @param {string[]} names @param {[number[], number[]][]} all @param {Figures} figures */
  draw(box, names, all, figures) {
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--ink-quiet"), grid, ticks: grid };
    const says = names[0] === "outbox" ? size : number;
    const series = names.map((name) => {
      const kind = KINDS[name];
      const ink = colour(kind?.colour ?? "--series-1");
      const paths = kind?.bars ? uPlot.paths.bars({ size: [0.7, 20] }) : undefined;
      return { label: kind?.words, stroke: ink, fill: kind?.bars ? ink : undefined, width: kind?.bars ? 0 : 2, paths, points: { show: false }, spanGaps: name === "band", dash: name === "band" ? [6, 4] : undefined, value: (/** @type {unknown} */ _, /** @type {number | null} */ value) => (value === null ? "–" : says(value)) };
    });
    const options = {
      width: box.clientWidth - 32 || 300,
      height: 180,
      scales: { x: { range: () => [figures.start, figures.end] }, y: { range: (/** @type {unknown} */ _, /** @type {number} */ _low, /** @type {number} */ high) => [0, Math.max(high, names[0] === "drift" ? figures.band : 0) * 1.1 || 1] } },
      axes: [{ ...axis, values: (/** @type {unknown} */ _, /** @type {number[]} */ ticks) => ticks.map((at) => clock(at, figures)) }, { ...axis, size: 60, values: (/** @type {unknown} */ _, /** @type {number[]} */ ticks) => ticks.map(says) }],
      series: [{}, ...series],
      cursor: { drag: { x: false, y: false } },
    };
    box.replaceChildren();
    this.charts.push(new uPlot(options, table(all), box));
  }

  /** The same in words, for who cannot see a chart. @param {Figures} figures */
  tell(figures) {
    const { decisions, rejects, p50, p99, drift, outbox } = figures.series;
    const sum = (/** @type {[number[], number[]] | undefined} */ one) => one?.[1].reduce((all, each) => all + each, 0) ?? 0;
    const last = (/** @type {[number[], number[]] | undefined} */ one) => one?.[1].at(-1);
    const made = sum(decisions);
    const share = made ? ` (${((100 * sum(rejects)) / made).toFixed(1)} %)` : "";
    /** @type {Record<string, string>} */
    const words = {
      decisions: `${number(made)} decisions, ${number(sum(rejects))} rejects${share}`,
      latency: last(p50) === undefined ? "" : `last ${number(last(p50) ?? NaN)} ms, p99 ${number(last(p99) ?? NaN)} ms`,
      drift: last(drift) === undefined ? "" : `last ${number(last(drift) ?? NaN)}; above ${figures.band} the scores have drifted`,
      outbox: last(outbox) === undefined ? "" : `${size(last(outbox) ?? 0)} wait for a network`,
    };
    for (const [name, text] of Object.entries(words)) {
      const place = this.querySelector(`[data-sum="${name}"]`);
      if (place) place.textContent = text;
    }
  }
}

class DevicePage extends HTMLElement {
  connectedCallback() {
    const form = this.querySelector("form");
    const input = this.querySelector("input");
    if (!form || !input) return;
    const name = `tobo-device-page:${this.getAttribute("data-device")}`;
    input.value = localStorage.getItem(name) ?? "";
    this.link(input.value);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.link(input.value.trim())) localStorage.setItem(name, input.value.trim());
      else localStorage.removeItem(name);
    });
  }

  /** Whether it is an address that a browser may be led to. @param {string} text */
  link(text) {
    const link = /** @type {HTMLAnchorElement | null} */ (this.querySelector("[data-open-page]"));
    const line = this.querySelector(".form-refusal");
    const good = URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
    if (line) line.textContent = good || !text ? "" : "An address begins with http:// or https://.";
    if (!link) return good;
    link.hidden = !good;
    if (good) link.href = text;
    else link.removeAttribute("href");
    return good;
  }
}

customElements.define("device-figures", DeviceFigures);
customElements.define("device-page", DevicePage);
