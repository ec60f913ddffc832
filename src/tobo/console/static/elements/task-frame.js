// <task-frame>: a worker task in its author's own page, which is kept in an origin of its own (docs/templates.md).
// It has what a labelling element has: `task` in, `answer` out, "label-change", "label-done". What the frame says comes
// through a port that is made for its first document and closed with the task: whatever runs in there can answer this one.
import { make } from "./label-dom.js";

/** @typedef {import("./label-element.js").Answer} Answer */
/** @typedef {{src?: string, title: string, initial?: Answer | null}} Task */

const MOST = 16 << 20; // characters of an answer
const PATIENCE = 10_000; // ms until a page that says nothing is given up

class TaskFrame extends HTMLElement {
  /** @type {Task} */
  given = { title: "" };
  /** @type {Answer} */
  answer = {};
  /** The frame has said that it is there. */
  ready = false;
  complete = false;
  /** Undoing is the form's own. @type {never[]} */
  past = [];
  /** @type {MessagePort | null} */
  port = null;
  /** @type {HTMLIFrameElement | null} */
  frame = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  patience;

  get task() {
    return this.given;
  }

  set task(task) {
    this.end();
    this.given = task;
    this.answer = task.initial?.answerContent ?? task.initial ?? {}; // as it was answered, or as a draft
    this.ready = false;
    this.complete = false;
    const frame = make("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-forms");
    frame.title = task.title;
    frame.addEventListener("load", () => frame === this.frame && this.loaded(frame));
    frame.src = task.src ?? "";
    this.frame = frame;
    for (const before of this.children) before.toggleAttribute("inert", true); // it stays in sight until this one is there
    this.append(frame);
    this.patience = setTimeout(() => this.fail("The template's page does not answer."), PATIENCE);
  }

  /** @param {HTMLIFrameElement} frame */
  loaded(frame) {
    if (this.port) return this.fail("The template has left its page.");
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.onmessage = (event) => this.hear(event.data);
    frame.contentWindow?.postMessage(JSON.stringify(this.answer), "*", [port2]); // no origin to name: it is opaque
  }

  /** The frame is there: it takes the place of the one before. */
  show() {
    const focused = [document.body, ...this.children].some((element) => element === document.activeElement);
    clearTimeout(this.patience);
    for (const child of [...this.children]) if (child !== this.frame) child.remove(); // a frame that is moved loads anew
    if (focused) this.frame?.focus();
    this.ready = true;
  }

  disconnectedCallback() {
    this.end();
  }

  end() {
    clearTimeout(this.patience);
    this.port?.close();
    this.port = null;
  }

  /** @param {unknown} data [what, JSON of the form's values] */
  hear(data) {
    if (!Array.isArray(data) || this.complete) return;
    const [what, said] = data;
    if (what === "ready") this.show();
    else if (what === "alive") this.tell("task-alive");
    else if ((what === "change" || what === "done") && typeof said === "string" && said.length <= MOST) this.take(what, said);
  }

  /** @param {"change" | "done"} what @param {string} said */
  take(what, said) {
    try {
      const answer = JSON.parse(said);
      if (typeof answer !== "object" || answer === null || Array.isArray(answer)) return;
      this.answer = answer;
    } catch {
      return;
    }
    this.complete = what === "done";
    this.tell(`label-${what}`);
  }

  /** @param {string} name */
  tell(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }

  /** @param {string} words */
  fail(words) {
    this.end();
    this.frame = null;
    this.replaceChildren(make("p", "notice bad", `${words} Skip this one, and tell who made the job.`));
  }
}

customElements.define("task-frame", TaskFrame);
