// A task's page: AWS' crowd elements by the house, and the way of the answer to the page around it (elements/task-frame.js).
import { make } from "../elements/label-dom.js";
import { collect, fill, troubleOf } from "./crowd-answer.js";
import "./crowd-fields.js";
import "./crowd-form.js";
import "./crowd-labels.js";
import "./crowd-layout.js";

const ALIVE_MS = 1000;

/** @type {Record<string, string>} */
const REFUSED = {
  "crowd-rekognition-detect-moderation-labels": "this element shows what Amazon Rekognition has said, which is on AWS only.",
  "crowd-textract-analyze-document": "this element shows what Amazon Textract has said, which is on AWS only.",
};

const said = make("p", "notice warn crowd-trouble");
said.setAttribute("role", "alert");
said.hidden = true;

/** @type {MessagePort | null} */
let port = null;
let alive = 0;

/** The form that is sent: the first, or the whole page where there is none. @returns {ParentNode} */
const form = () => document.querySelector("form") ?? document.body;

/** @param {"change" | "done"} what */
const send = (what) => port?.postMessage([what, JSON.stringify(collect(form()))]);

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

function unknown() {
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    if (!name.startsWith("crowd-") || customElements.get(name)) continue;
    const note = make("p", "notice bad", `<${name}>: ${REFUSED[name] ?? "there is no such element here; docs/templates.md lists those that are."}`);
    note.setAttribute("role", "alert");
    element.before(note);
  }
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
form().append(said);
addEventListener("message", opened);
addEventListener("submit", (event) => submitted(/** @type {SubmitEvent} */ (event)));
addEventListener("keydown", pressed);
for (const kind of ["input", "change"]) addEventListener(kind, () => send("change"));
for (const kind of ["keydown", "pointerdown", "wheel"]) addEventListener(kind, felt, { capture: true, passive: true });
document.dispatchEvent(new CustomEvent("all-crowd-elements-ready", { bubbles: true }));
