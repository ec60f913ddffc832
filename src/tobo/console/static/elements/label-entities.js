// A text in pieces: what is an entity, what the model takes for one, what is about to become one.
import { make, numeral, percent, series } from "./label-dom.js";

/** Places in the text count UTF-16 units, as scripts do; endOffset is after the last. @typedef {{startOffset: number, endOffset: number, label: string, confidence?: number}} Entity */

/** @param {import("./label-element.js").Answer} answer @returns {Entity[]} */
export const entitiesOf = (answer) => answer.entities ?? [];

/** @param {string} text @param {string[]} labels @param {{entities: Entity[], guesses: Entity[], chosen?: number, caret?: [number, number] | null}} of @returns {(Node | string)[]} */
export function pieces(text, labels, { entities, guesses, chosen = -1, caret = null }) {
  const cuts = new Set([0, text.length, ...(caret ?? [])]);
  for (const { startOffset, endOffset } of [...entities, ...guesses]) cuts.add(startOffset).add(endOffset);
  const places = [...cuts].filter((cut) => cut >= 0 && cut <= text.length).sort((one, other) => one - other);
  return places.slice(0, -1).map((from, at) => {
    const to = places[at + 1] ?? from;
    const words = text.slice(from, to);
    const covers = (/** @type {Entity} */ its) => its.startOffset <= from && its.endOffset >= to;
    const index = entities.findIndex(covers);
    const entity = entities[index] ?? guesses.find(covers);
    const careted = caret !== null && caret[0] <= from && caret[1] >= to;
    if (!entity && !careted) return words;
    const piece = make(entity ? "mark" : "span", careted ? "caret" : "", words);
    if (entity) dress(piece, entity, labels, { guess: index < 0, last: to === entity.endOffset, on: index === chosen, index });
    return piece;
  });
}

/** The name stands after the piece by the style sheet: it is no part of the text that is counted. @param {HTMLElement} piece @param {Entity} entity @param {string[]} labels @param {{guess: boolean, last: boolean, on: boolean, index: number}} how */
function dress(piece, entity, labels, { guess, last, on, index }) {
  const number = labels.indexOf(entity.label);
  piece.classList.add(series(number), ...(guess ? ["guess"] : []), ...(on && !guess ? ["on"] : []));
  if (!guess) piece.dataset.at = String(index);
  const words = guess ? `${entity.label} guess ${percent(entity.confidence)}`.trim() : entity.label;
  if (last) piece.dataset.name = `${numeral(number)} ${words}`;
}
