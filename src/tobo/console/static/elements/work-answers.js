// What the workers have said of a conflict, side by side and without their names; each can be taken over.
import { make, own, svg } from "./label-dom.js";

/** @typedef {import("./label-element.js").Answer} Answer */
/** @typedef {{worker: string, answer: Answer}} Said */

/** @param {Said[]} answers @param {{labels: string[], src: string | null, text: string | null}} item @param {(answer: Answer) => void} take @returns {HTMLElement} */
export function answerCards(answers, item, take) {
  const cards = answers.map(({ answer }, index) => card(answer, index, item, take));
  const list = make("ul", "work-answers", ...cards);
  list.setAttribute("aria-label", "What the workers have said");
  return list;
}

/** @param {Answer} answer @param {number} index @param {{labels: string[], src: string | null, text: string | null}} item @param {(answer: Answer) => void} take */
function card(answer, index, item, take) {
  const button = make("button", "button compact", "Take this");
  button.type = "button";
  button.setAttribute("aria-label", `Take this, of worker ${index + 1}`);
  button.addEventListener("click", () => take(answer));
  return make("li", "card", make("p", "small quiet", `Worker ${index + 1}`), shown(answer, item), button);
}

/** @param {Answer} answer @param {{labels: string[], src: string | null, text: string | null}} item @returns {HTMLElement} */
function shown(answer, item) {
  const { labels } = item;
  if (answer.entities) return entities(answer.entities, item.text ?? "", labels);
  if (answer.boundingBoxes || answer.polygons || answer.labeledImage) return drawn(answer, item);
  /** @type {string[]} */
  const classes = answer.labels ?? (answer.label === undefined ? [] : [answer.label]);
  return make("p", "work-classes", ...(classes.length ? classes.map((label) => tag(label, labels)) : ["none"]));
}

/** @param {string} label @param {string[]} labels */
function tag(label, labels) {
  return make("span", `tag series-${(labels.indexOf(label) % 6) + 1}`, own(label));
}

/** The picture in small with what is drawn on it. @param {Answer} answer @param {{labels: string[], src: string | null}} item */
function drawn(answer, { labels, src }) {
  const { width, height } = answer.inputImageProperties;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  /** @type {{label: string}[]} */
  const shapes = answer.boundingBoxes ?? answer.polygons ?? [];
  const names = answer.labelMappings ? Object.keys(answer.labelMappings) : shapes.map(({ label }) => label);
  picture.setAttribute("aria-label", names.join(", ") || "nothing");
  if (src) picture.append(svg("image", { href: src, width, height }));
  if (answer.labeledImage) {
    picture.append(svg("image", { href: `data:image/png;base64,${answer.labeledImage.pngImageData}`, width, height, opacity: 0.6 }));
  }
  for (const box of answer.boundingBoxes ?? []) {
    picture.append(svg("rect", { x: box.left, y: box.top, width: box.width, height: box.height, class: `series-${(labels.indexOf(box.label) % 6) + 1}` }));
  }
  for (const polygon of answer.polygons ?? []) {
    const points = polygon.vertices.map((/** @type {{x: number, y: number}} */ { x, y }) => `${x},${y}`).join(" ");
    picture.append(svg("polygon", { points, class: `series-${(labels.indexOf(polygon.label) % 6) + 1}` }));
  }
  const holder = make("div", "work-drawn", make("p", "work-classes", ...[...new Set(names)].map((label) => tag(label, labels))));
  holder.prepend(picture);
  return holder;
}

/** @param {{startOffset: number, endOffset: number, label: string}[]} found @param {string} text @param {string[]} labels */
function entities(found, text, labels) {
  const rows = found.map((entity) => make("li", "", own(text.slice(entity.startOffset, entity.endOffset)), " ", tag(entity.label, labels)));
  return found.length ? make("ul", "work-entities", ...rows) : make("p", "work-classes", "nothing");
}
