// <line-plot>: one line in an SVG, axes from 0, a marked point. `show(points, marks, words)` draws it.
import { number } from "../words.js";

/** @typedef {{x: number, y: number, words: string, tone: string}} Mark */

const WIDTH = 420;
const HEIGHT = 210;
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 12, 12, 34];
const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} [text] */
function draw(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

class LinePlot extends HTMLElement {
  connectedCallback() {
    const { points, words = "" } = this.dataset;
    if (points) this.show(JSON.parse(points), [], { x: words, y: "", said: words });
  }

  /** x is in [0, 1]. @param {[number, number][]} points @param {Mark[]} marks @param {{x: string, y: string, said: string}} words */
  show(points, marks, words) {
    const most = Math.max(...points.map(([, y]) => y), 1e-9);
    const top = most <= 1 && words.y !== "Cost" ? 1 : most;
    /** @param {number} x */
    const across = (x) => LEFT + x * (WIDTH - LEFT - RIGHT);
    /** @param {number} y */
    const up = (y) => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words.said });
    for (const share of [0, 0.5, 1]) {
      svg.append(draw("line", { class: "grid-line", x1: LEFT, x2: WIDTH - RIGHT, y1: up(share * top), y2: up(share * top) }));
      svg.append(draw("text", { x: LEFT - 6, y: up(share * top) + 4, class: "end" }, number(share * top)));
      svg.append(draw("text", { x: across(share), y: HEIGHT - BOTTOM + 14, class: share === 1 ? "end" : "middle" }, String(share)));
    }
    svg.append(draw("text", { x: across(0.5), y: HEIGHT - 5, class: "middle" }, words.x));
    svg.append(draw("polyline", { class: "line", points: points.map(([x, y]) => `${across(x).toFixed(1)},${up(y).toFixed(1)}`).join(" ") }));
    for (const mark of marks) {
      const point = draw("circle", { cx: across(mark.x), cy: up(mark.y), r: 5, class: `mark ${mark.tone}` });
      point.append(draw("title", {}, mark.words));
      svg.append(point);
    }
    this.replaceChildren(svg);
  }
}

customElements.define("line-plot", LinePlot);
