// Refusals at the field that they name. A refusal says the member, the hyperparameter or the value: one of them finds it.

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */

/** What is refused, or null where that is no field that one can see. @param {HTMLFormElement} form @param {string} message @returns {Field | null} */
export function fieldOf(form, message) {
  const fields = [...form.elements].filter(isShown);
  return byMember(fields, message) ?? byWords(fields, message) ?? byValue(fields, message);
}

/** The place below a field for its refusal; the field is marked and looked at. @param {Field} field */
export function placeAt(field) {
  const box = field.closest(".field") ?? field.parentElement;
  const place = document.createElement("div");
  place.className = "form-refusal at-field";
  place.id = `refusal-${field.name}`;
  place.setAttribute("role", "alert");
  box?.append(place);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-errormessage", place.id);
  for (let details = field.closest("details"); details; details = details.parentElement?.closest("details") ?? null) {
    details.open = true;
  }
  field.focus();
  field.scrollIntoView({ block: "center" });
  field.addEventListener("input", () => clear(field, place), { once: true });
  return place;
}

/** @param {HTMLFormElement} form */
export function clearRefusals(form) {
  for (const place of form.querySelectorAll(".at-field")) {
    const field = [...form.elements].find((each) => each.getAttribute("aria-errormessage") === place.id);
    clear(field ?? null, place);
  }
}

/** @param {Element | null} field @param {Element} place */
function clear(field, place) {
  place.remove();
  field?.removeAttribute("aria-invalid");
  field?.removeAttribute("aria-errormessage");
}

/** @param {Element} element @returns {element is Field} */
function isShown(element) {
  return element.matches(".input[name]") && !(element instanceof HTMLInputElement && element.type === "hidden");
}

/** "Value 'x' at 'resourceConfig.volumeSizeInGB' failed ...", "... at AlgorithmSpecification.TrainingImage is ..." @param {Field[]} fields @param {string} message */
function byMember(fields, message) {
  const member = /\bat '?(?:[\w.]+\.)?([A-Za-z]\w*)/.exec(message)?.[1]?.toLowerCase();
  return fields.find((field) => member && field.dataset.member?.toLowerCase() === member) ?? null;
}

/** The name or the label that comes first in the message. @param {Field[]} fields @param {string} message */
function byWords(fields, message) {
  /** @type {[number, Field][]} */
  const found = [];
  for (const field of fields) {
    const label = field.labels?.[0]?.textContent?.trim() ?? "";
    if (label && new RegExp(`(^|[A-Za-z]+ )${escaped(label)}[:,]`).test(message)) found.push([0, field]);
    const name = field.name.startsWith("hyper.") ? field.name.slice(6) : field.dataset.member;
    const at = name ? message.search(new RegExp(`(^|[^\\w-])${escaped(name)}([^\\w-]|$)`)) : -1;
    if (at >= 0) found.push([at + 1, field]);
  }
  return found.sort(([one], [other]) => one - other)[0]?.[1] ?? null;
}

/** The only field whose value the message quotes, or has at the end of an ARN. @param {Field[]} fields @param {string} message */
function byValue(fields, message) {
  const said = (/** @type {string} */ text) => text && (message.includes(`'${text}'`) || message.includes(`/${text})`));
  const found = fields.filter((field) => said(field.value.trim()));
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
