// A task's page: AWS' crowd elements by the house, and the way of the answer to the page around it (elements/task-frame.js).
import { make } from "../elements/label-dom.js";
import { collect, fill, troubleOf } from "./crowd-answer.js";
import "./crowd-fields.js";
import "./crowd-form.js";
import "./crowd-labels.js";
import "./crowd-layout.js";

const ALIVE_MS = 1000;
const CALM_MS = 300; // after the last change, until the answer as it is now is told

/** @type {Record<string, string>} */
const REFUSED = {
  "crowd-rekognition-detect-moderation-labels": "this element shows what Amazon Rekognition has said, which is on AWS only.",
  "crowd-textract-analyze-document": "this element shows what Amazon Textract has said, which is on AWS only.",
};

const SENDING = "crowd-button[form-action=submit], button[type=submit], button:not([type]), input[type=submit]";

const said = make("p", "notice warn crowd-trouble");
said.setAttribute("role", "alert");
said.hidden = true;

/** @type {MessagePort | null} */
let port = null;
let alive = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let calm;

/** The form that is sent: the first, or the whole page where there is none. */
const form = () => document.querySelector("form") ?? document.body;

/** @param {"change" | "done"} what */
const send = (what) => port?.postMessage([what, JSON.stringify(collect(form()))]);

function changed() {
  clearTimeout(calm);
  calm = setTimeout(send, CALM_MS, "change");
}

/** @param {string} words */
function tell(words) {
  said.textContent = words;
  said.hidden = !words;
}

/** @param {SubmitEvent} event */
function submitted(event) {
  if (event.defaultPrevented) return; // the template's own script has more to ask
  event.preventDefault();
  const trouble = troubleOf(form());
  tell(trouble ? trouble[1] : "");
  if (!trouble) return void setTimeout(send, 0, "done"); // the click ends before its frame may
  trouble[0].querySelector("[tabindex='0']")?.scrollIntoView({ block: "nearest" });
}

/** Enter sends what no field or button takes for itself. @param {KeyboardEvent} event */
function pressed(event) {
  const target = /** @type {Element} */ (event.target);
  const sure = event.ctrlKey || event.metaKey;
  if (event.key !== "Enter" || event.repeat || event.isComposing) return;
  if (!sure && (event.defaultPrevented || target.closest("input, textarea, select, button, summary, a, dialog"))) return;
  event.preventDefault();
  document.querySelector("form")?.requestSubmit();
}

function felt() {
  if (performance.now() - alive < ALIVE_MS) return;
  alive = performance.now();
  port?.postMessage(["alive"]);
}

/** A form without a button to send it gets one. */
function completed() {
  const its = document.querySelector("form");
  if (!its && !document.querySelector(".notice")) document.body.prepend(notice("There is no form in this template; begin it with <crowd-form>."));
  if (!its || its.querySelector(SENDING)) return;
  const button = make("button", "button primary big", "Submit", make("kbd", "", "Enter"));
  button.type = "submit";
  its.append(make("div", "crowd-send", button));
}

function unknown() {
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    if (!name.startsWith("crowd-") || customElements.get(name)) continue;
    element.before(notice(`<${name}>: ${REFUSED[name] ?? "there is no such element here; docs/templates.md lists those that are."}`));
  }
}

/** What the template asks for elsewhere, which the browser has not loaded. @param {Report[]} reports */
function withheld(reports) {
  for (const { body } of reports) {
    const { blockedURL } = /** @type {{blockedURL?: string}} */ (body ?? {});
    if (blockedURL?.startsWith("http")) form().prepend(notice(`${blockedURL} was not loaded: a task's page has nothing but its own pictures.`));
  }
}

/** @param {string} words */
function notice(words) {
  const note = make("p", "notice bad", words);
  note.setAttribute("role", "alert");
  return note;
}

/** @param {MessageEvent} event */
function opened(event) {
  const its = event.ports[0];
  if (event.source !== parent || !its || port) return;
  port = its;
  fill(form(), JSON.parse(String(event.data)));
  port.postMessage(["ready"]);
}

unknown();
completed();
new ReportingObserver(withheld, { types: ["csp-violation"], buffered: true }).observe();
form().append(said);
addEventListener("message", opened);
addEventListener("submit", (event) => submitted(/** @type {SubmitEvent} */ (event)));
addEventListener("keydown", pressed);
for (const kind of ["input", "change"]) addEventListener(kind, changed);
for (const kind of ["keydown", "pointerdown", "wheel"]) addEventListener(kind, felt, { capture: true, passive: true });
document.dispatchEvent(new CustomEvent("all-crowd-elements-ready", { bubbles: true }));
