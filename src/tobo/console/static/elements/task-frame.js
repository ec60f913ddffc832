// <task-frame>: a worker task in its author's own page, which is kept in an origin of its own (docs/templates.md).
// It has what a labelling element has: `task` in, `answer` out, "label-change", "label-done"; `next` loads the task after it.
// What a frame says comes through a port that is made for its first document and closed with its task: whatever runs in
// there can answer this one.
import { make } from "./label-dom.js";

/** @typedef {import("./label-element.js").Answer} Answer */
/** @typedef {{src?: string, title: string, initial?: Answer | null}} Task */
/** `early`: what was sent before its turn. @typedef {{task: Task, frame: HTMLIFrameElement, port: MessagePort | null, ready: boolean, early?: string}} Sheet */

const MOST = 16 << 20; // characters of an answer
const PATIENCE = 10_000; // ms until a page that says nothing is given up

class TaskFrame extends HTMLElement {
  /** @type {Sheet | null} */
  sheet = null;
  /** @type {Sheet | null} */
  upcoming = null;
  /** @type {Task | null} */
  wanted = null;
  /** @type {Answer} */
  answer = {};
  complete = false;
  /** Undoing is the form's own. @type {never[]} */
  past = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  patience;

  /** Its frame has said that it is there. */
  get ready() {
    return Boolean(this.sheet?.ready);
  }

  get task() {
    return this.sheet?.task ?? { title: "" };
  }

  set task(task) {
    const waiting = this.upcoming && same(this.upcoming.task, task) ? this.upcoming : null;
    if (waiting) this.upcoming = null;
    this.end();
    for (const before of this.children) before.toggleAttribute("inert", true); // it stays in sight until this one is there
    const sheet = (this.sheet = waiting ?? this.load(task));
    this.answer = answerOf(task);
    this.complete = false;
    if (sheet.ready) this.show();
    else this.patience = setTimeout(() => this.fail("The template's page does not answer."), PATIENCE);
  }

  /** The task that comes after this one, or none: loaded out of sight, once this one is there. @param {Task | null} task */
  set next(task) {
    this.wanted = task;
    if (!this.ready || (task && this.upcoming && same(this.upcoming.task, task))) return;
    this.upcoming?.port?.close();
    this.upcoming?.frame.remove();
    this.upcoming = task && this.load(task);
    this.upcoming?.frame.classList.add("upcoming");
    this.upcoming?.frame.toggleAttribute("inert", true);
  }

  /** @param {Task} task @returns {Sheet} */
  load(task) {
    const frame = make("iframe");
    /** @type {Sheet} */
    const sheet = { task, frame, port: null, ready: false };
    frame.setAttribute("sandbox", "allow-scripts allow-forms");
    frame.title = task.title;
    frame.addEventListener("load", () => this.loaded(sheet));
    frame.src = task.src ?? "";
    this.append(frame);
    return sheet;
  }

  /** @param {Sheet} sheet */
  loaded(sheet) {
    if (sheet.port) return sheet === this.sheet && this.fail("The template has left its page.");
    const { port1, port2 } = new MessageChannel();
    sheet.port = port1;
    port1.onmessage = (event) => this.hear(sheet, event.data);
    sheet.frame.contentWindow?.postMessage(JSON.stringify(answerOf(sheet.task)), "*", [port2]); // no origin to name: it is opaque
  }

  /** The frame is there: it takes the place of the one before. */
  show() {
    const { sheet } = this;
    if (!sheet) return;
    const focused = [document.body, ...this.children].some((element) => element === document.activeElement);
    clearTimeout(this.patience);
    for (const child of [...this.children]) if (child !== sheet.frame) child.remove(); // a frame that is moved loads anew
    sheet.frame.classList.remove("upcoming");
    sheet.frame.removeAttribute("inert");
    if (focused) sheet.frame.focus();
    this.next = this.wanted;
    if (sheet.early !== undefined) setTimeout(() => this.hear(sheet, ["done", sheet.early]));
  }

  disconnectedCallback() {
    this.end();
  }

  /** Nobody listens any more to what is there. */
  end() {
    clearTimeout(this.patience);
    for (const sheet of [this.sheet, this.upcoming]) sheet?.port?.close();
    this.sheet = null;
    this.upcoming = null;
  }

  /** @param {Sheet} sheet @param {unknown} data [what, JSON of the form's values] */
  hear(sheet, data) {
    if (!Array.isArray(data)) return;
    const [what, said] = data;
    const its = sheet === this.sheet;
    if (what === "ready" && !sheet.ready) {
      sheet.ready = true;
      if (its) this.show();
    } else if (what === "alive" && its) this.tell("task-alive");
    else if ((what === "change" || what === "done") && typeof said === "string" && said.length <= MOST) {
      if (its && !this.complete) this.take(what, said);
      else if (sheet === this.upcoming && what === "done") sheet.early = said;
    }
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
    this.replaceChildren(make("p", "notice bad", `${words} Skip this one, and tell who made the job.`));
  }
}

/** The form as it begins: an answer that was sent, or a draft. @param {Task} task @returns {Answer} */
function answerOf(task) {
  return task.initial?.answerContent ?? task.initial ?? {};
}

/** @param {Task} one @param {Task} other */
function same(one, other) {
  return one.src === other.src && JSON.stringify(answerOf(one)) === JSON.stringify(answerOf(other));
}

customElements.define("task-frame", TaskFrame);
