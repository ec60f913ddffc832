// What a task's form says, a member for each name, as Ground Truth's answerContent has it; and the way back into the form.

/** A field that says itself what it holds: undefined for nothing, and for what keeps it from being sent a sentence.
 * @typedef {HTMLElement & {said: unknown, trouble?: string}} Field */

/** Crowd elements that have a value. */
const SPEAKING = [
  "crowd-input, crowd-text-area, crowd-checkbox, crowd-radio-button, crowd-slider, crowd-toggle-button",
  "crowd-classifier, crowd-classifier-multi-select, crowd-image-classifier, crowd-image-classifier-multi-select",
  "crowd-bounding-box, crowd-polygon, crowd-semantic-segmentation, crowd-entity-annotation",
].join(", ");

const NATIVE = "input[name]:not([type=submit], [type=reset], [type=button], [type=image], [type=file]), select[name], textarea[name]";

/** @param {ParentNode} form @returns {Field[]} in the document's order; what a crowd element is made of is not a field itself */
export function fieldsOf(form) {
  const found = /** @type {Field[]} */ ([...form.querySelectorAll(`${SPEAKING}, ${NATIVE}`)]);
  return found.filter((field) => !field.parentElement?.closest(SPEAKING));
}

/** @param {ParentNode} form @returns {Record<string, unknown>} */
export function collect(form) {
  /** @type {Record<string, unknown>} */
  const answer = Object.create(null);
  for (const field of fieldsOf(form)) {
    const name = field.getAttribute("name");
    const said = saidOf(field);
    if (!name || said === undefined) continue;
    const there = answer[name];
    answer[name] = isObject(there) && isObject(said) ? { ...there, ...said } : said;
  }
  return answer;
}

/** Puts an earlier answer into the form. @param {ParentNode} form @param {Record<string, unknown>} answer */
export function fill(form, answer) {
  for (const field of fieldsOf(form)) {
    const said = Object.hasOwn(answer, field.getAttribute("name") ?? "") ? answer[field.getAttribute("name") ?? ""] : undefined;
    if (said !== undefined) tellTo(field, said);
  }
}

/** What keeps the form from being sent: the first field that has something, and its sentence. @param {ParentNode} form @returns {[Field, string] | null} */
export function troubleOf(form) {
  for (const field of fieldsOf(form)) if (field.trouble) return [field, field.trouble];
  return null;
}

/** @param {Field} field @returns {unknown} */
function saidOf(field) {
  if (field.matches(SPEAKING)) return field.said;
  if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) return { [field.value]: field.checked };
  if (field instanceof HTMLSelectElement && field.multiple) return [...field.selectedOptions].map((option) => option.value);
  return /** @type {HTMLInputElement} */ (/** @type {unknown} */ (field)).value;
}

/** @param {Field} field @param {unknown} said */
function tellTo(field, said) {
  if (field.matches(SPEAKING)) field.said = said;
  else if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) field.checked = isObject(said) && said[field.value] === true;
  else if (field instanceof HTMLSelectElement && field.multiple) for (const option of field.options) option.selected = Array.isArray(said) && said.includes(option.value);
  else /** @type {HTMLInputElement} */ (/** @type {unknown} */ (field)).value = String(said);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
