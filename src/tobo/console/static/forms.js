// Forms: sent by htmx with the session's token; refused where one looks; asked about before they destroy; shown as code.
import { clearRefusals, fieldOf, placeAt } from "./refusals.js";
import { ask, csrfToken, Refused, sentence, tell } from "./requests.js";

/** @typedef {{detail: any, target: Element, preventDefault(): void}} HtmxEvent */

document.addEventListener("htmx:configRequest", (event) => {
  /** @type {HtmxEvent} */ (/** @type {unknown} */ (event)).detail.headers["X-CSRF-Token"] = csrfToken();
});

/** A refusal goes to the field that it names, else into the form's own line, or to the head of the page. */
document.addEventListener("htmx:beforeSwap", (raw) => {
  const { detail } = /** @type {HtmxEvent} */ (/** @type {unknown} */ (raw));
  const asker = /** @type {Element} */ (detail.requestConfig.elt);
  const form = asker.closest("form");
  const line = form?.querySelector(".form-refusal:not(.at-field)") ?? document.querySelector("#notices");
  if (asker === form) clearRefusals(form);
  if (detail.xhr.status < 400) {
    if (line?.classList.contains("form-refusal")) line.replaceChildren();
    return;
  }
  const field = asker === form ? fieldOf(form, sentence(detail.xhr.responseText)) : null;
  detail.shouldSwap = true;
  detail.isError = false;
  detail.target = field ? placeAt(field) : line;
  detail.swapOverride = "innerHTML";
  if (!field) line?.scrollIntoView({ block: "nearest" });
});

document.addEventListener("htmx:sendError", () => tell("bad", "The server does not answer; is it still running?"));

/** data-confirm asks first. htmx would ask with the browser's own box. */
document.addEventListener("htmx:confirm", (raw) => {
  const event = /** @type {HtmxEvent} */ (/** @type {unknown} */ (raw));
  const question = event.detail.elt.getAttribute("data-confirm");
  const box = /** @type {HTMLDialogElement | null} */ (document.querySelector("#ask"));
  const title = box?.querySelector("h2");
  if (!question || !box || !title) return;
  event.preventDefault();
  title.textContent = question.replace("{count}", String(ticked(event.detail.elt)));
  box.returnValue = "no";
  box.addEventListener("close", () => box.returnValue === "yes" && event.detail.issueRequest(true), { once: true });
  box.showModal();
});

/** "As code" of a form: the same fields go to the same address, which then only tells what it would ask. */
document.addEventListener("click", async (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-code-of-form]");
  const form = button?.closest("form");
  const box = /** @type {HTMLDialogElement | null} */ (document.querySelector("#code"));
  const body = box?.querySelector("[data-code-body]");
  const action = form?.getAttribute("hx-post");
  if (!form || !box || !body || !action) return;
  if (!form.reportValidity()) return;
  clearRefusals(form);
  try {
    const fields = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    const address = `${action}${action.includes("?") ? "&" : "?"}as=code`;
    const answer = await ask(address, { method: "POST", body: fields });
    body.innerHTML = await answer.text(); // the server's own template, in which every value is escaped
    box.showModal();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const field = fieldOf(form, error.message);
    const line = field ? placeAt(field) : form.querySelector(".form-refusal");
    const told = document.createElement("p");
    told.className = "refusal";
    told.textContent = error.message;
    if (line) line.replaceChildren(told);
    else tell("bad", error.message);
  }
});

/** Ticks of a table: [data-tick-all] ticks all, [data-needs-ticks] can be pressed once something is ticked. */
document.addEventListener("change", (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  const form = box.closest("form");
  if (!form) return;
  if (box.matches("[data-tick-all]")) for (const each of ticks(form)) each.checked = box.checked;
  if (box.matches("[data-tick-all], [data-tick]")) countTicks(form);
});
document.addEventListener("tobo:changed", (event) => {
  const form = /** @type {Element} */ (event.target).closest("form");
  if (form) countTicks(form);
});

/** @param {Element} form @returns {HTMLInputElement[]} */
function ticks(form) {
  return [...form.querySelectorAll("[data-tick]")].filter((each) => each instanceof HTMLInputElement);
}

/** @param {Element} form */
function ticked(form) {
  return ticks(form).filter((each) => each.checked).length;
}

/** @param {Element} form */
function countTicks(form) {
  const count = ticked(form);
  for (const button of form.querySelectorAll("[data-needs-ticks]")) {
    /** @type {HTMLButtonElement} */ (button).disabled = count === 0;
  }
}

/** A filter's form changes the page's address: its state can be kept, sent and gone back to. */
document.addEventListener("change", (event) => {
  const field = /** @type {Element} */ (event.target);
  const form = /** @type {HTMLFormElement | null} */ (field.closest("form[data-filter]"));
  if (form && !field.closest("[data-wait]")) form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("form[data-filter]")) return;
  event.preventDefault();
  const address = new URL(location.href);
  for (const field of form.elements) address.searchParams.delete(field.getAttribute("name") ?? "");
  for (const [name, value] of new FormData(form)) if (value) address.searchParams.append(name, String(value));
  address.searchParams.delete("token");
  location.assign(address);
});

/** Files may be let go over [data-takes-files]; what becomes of them is for its own "drop" listener. */
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const zone = /** @type {Element} */ (event.target).closest?.("[data-takes-files]");
    if (!zone) return;
    event.preventDefault(); // the browser would open the file
    const shown = zone.matches(".drop") ? zone : zone.querySelector(".drop");
    shown?.classList.toggle("over", name === "dragenter" || name === "dragover");
  });
}
