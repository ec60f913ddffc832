// <work-bench>: one item after another. The next three are in hand already; what is said is sent while the next one is shown.
// Each step measures itself: performance entries "work:next", from the key or click to the next picture painted, in ms.
import { make } from "./label-dom.js";
import { answerCards } from "./work-answers.js";
import { WorkFigures } from "./work-figures.js";
import { isBroken, measureStep, Pictures } from "./work-pictures.js";
import { WorkQueue } from "./work-queue.js";
import { emptyBox, nothingToDo } from "./work-words.js";

/** @typedef {import("./work-queue.js").Task} Task */
/** @typedef {import("./work-queue.js").Deed} Deed */
/** @typedef {import("./work-queue.js").Told} Told */
/** @typedef {import("./label-element.js").LabelElement<any>} Element */
/** @typedef {{role: "label" | "review", element: string, shape: string, text: boolean, multiple: boolean, adjusts: boolean, labels: string[], title: string, limit: number, final: boolean}} Setup */

const IN_HAND = 4;
const DRAFT_MS = 3000;
const IDLE_MS = 5000;
const MOST_UNDONE = 50;

class WorkBench extends HTMLElement {
  /** @type {Task[]} */
  ahead = [];
  /** @type {{task: Task, answer: any}[]} */
  past = [];
  pictures = new Pictures();
  /** @type {Element | null} */
  element = null;
  dirty = false;
  away = false;
  over = "";
  claimed = false;
  troubled = false;
  /** When the last input came, when the item was shown, since when the page is hidden: ms of performance.now(). */
  input = performance.now();
  shownAt = 0;
  hiddenAt = 0;
  renewedAt = 0;
  /** Seconds that the server's clock is ahead. */
  serverAhead = 0;

  connectedCallback() {
    /** @type {Setup} */
    const setup = JSON.parse(this.dataset.setup ?? "{}");
    this.setup = setup;
    this.place = this.find("place");
    this.figures = new WorkFigures(this, JSON.parse(this.dataset.progress ?? "{}"), this.reviewing);
    const at = this.dataset.at ?? "";
    const name = `work:${at}:${setup.role}:${this.dataset.who}`;
    const queue = new WorkQueue(`${at}/deeds`, setup.role, name, {
      want: () => (this.away || this.over ? 0 : setup.final ? 1 : IN_HAND), // what may be stopped is not held before its turn
      arrived: (batch, told) => this.arrived(batch, told),
      troubled: (words) => this.trouble(words),
      counted: (pending) => this.figures?.waits(pending),
    });
    this.queue = queue;
    this.figures.waits(queue.deeds.length);
    this.listen();
    this.show();
    queue.claim();
  }

  get reviewing() {
    return this.setup?.role === "review";
  }

  /** Whether the job has a template of its own, which has its own button to be done. */
  get framed() {
    return this.setup?.element === "task-frame";
  }

  /** @param {string} name @returns {HTMLElement} */
  find(name) {
    return /** @type {HTMLElement} */ (this.querySelector(`[data-${name}]`));
  }

  listen() {
    this.addEventListener("label-change", () => (this.dirty = true));
    this.addEventListener("label-done", () => this.answer());
    this.addEventListener("label-broken", () => this.looked());
    this.addEventListener("task-alive", () => (this.input = performance.now()));
    this.addEventListener("live", (event) => this.progressed(JSON.parse(/** @type {CustomEvent} */ (event).detail)));
    this.find("done").addEventListener("click", () => this.answer());
    this.querySelector("[data-undo]")?.addEventListener("click", () => this.back());
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-reason]"))) {
      button.addEventListener("click", () => this.skip(button.dataset.reason ?? ""));
    }
    this.find("broken").addEventListener("click", () => this.skip("The worker says that the picture is broken.", true));
    this.find("reason-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const form = /** @type {HTMLFormElement} */ (event.target);
      const reason = String(new FormData(form).get("reason")).trim();
      form.reset();
      if (reason) this.skip(reason);
    });
    for (const kind of ["keydown", "pointerdown", "wheel"]) addEventListener(kind, (event) => this.felt(event), { capture: true, passive: kind === "wheel" });
    addEventListener("keydown", (event) => this.pressed(event));
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    document.addEventListener("visibilitychange", () => this.turned());
    setInterval(() => this.keepDraft(), DRAFT_MS);
    setInterval(() => this.watchTime(), 1000);
    setInterval(() => this.idle && !document.hidden && this.queue?.claim(), IDLE_MS);
  }

  get current() {
    return this.ahead[0];
  }

  get idle() {
    return this.claimed && !this.current && !this.over && !this.away;
  }

  // What is shown.

  show() {
    const task = this.current;
    this.find("deeds").hidden = !task;
    this.find("skip").removeAttribute("open");
    if (task) this.showTask(task);
    else this.showNothing();
    this.undoable();
  }

  /** @param {Task} task */
  showTask(task) {
    const { setup } = this;
    if (!setup) return;
    if (!this.element) {
      this.element = /** @type {Element} */ (document.createElement(setup.element));
      this.place?.replaceChildren(this.element);
    }
    this.place?.querySelector(".work-answers")?.remove();
    this.dirty = false;
    this.shownAt = performance.now();
    this.element.task = this.given(task);
    this.preload();
    if (this.reviewing) {
      this.place?.prepend(answerCards(task.answers, { labels: setup.labels, src: this.picture(task), text: task.text }, (answer) => this.takeOver(answer)));
    }
    this.dataset.item = String(task.number);
  }

  /** What the element gets of a task. @param {Task} task @returns {import("./label-element.js").Task} */
  given(task) {
    const { adjusts = false, labels = [], multiple, title = "" } = this.setup ?? {};
    return {
      src: this.framed ? `${this.dataset.frames}/${task.number}` : (this.picture(task) ?? undefined),
      text: task.text ?? undefined,
      labels,
      initial: task.draft ?? (adjusts ? task.guess : null),
      guess: adjusts ? null : task.guess,
      multiple,
      title: task.name || title,
    };
  }

  showNothing() {
    this.element = null;
    delete this.dataset.item;
    const { claimed, away, over, reviewing } = this;
    const state = { claimed, away, over, reviewing, waiting: this.troubled, endless: Boolean(this.setup?.final) };
    const [title, words] = nothingToDo(state, this.figures?.progress);
    const box = emptyBox(title, words, away ? () => this.comeBack() : null, over && !away ? (this.dataset.others ?? "") : "");
    this.place?.replaceChildren(box);
  }

  undoable() {
    const button = /** @type {HTMLButtonElement | null} */ (this.querySelector("[data-undo]"));
    if (button) button.disabled = !this.past.length;
  }

  /** @param {string} words @param {"good" | "warn" | "bad" | "info"} [tone] */
  tell(words, tone = "info") {
    const said = this.find("said");
    if (said.textContent === words) return;
    said.replaceChildren(...(words ? [make("p", `notice ${tone}`, words)] : []));
  }

  /** @param {Task} task @returns {string | null} */
  picture(task) {
    return task.text === null ? `${this.dataset.at}/source/${task.number}` : null;
  }

  preload() {
    const [, next] = this.ahead;
    if (!this.framed) this.pictures.keep(this.ahead.map((task) => this.picture(task)).filter((source) => source !== null));
    else if (this.element) Object.assign(this.element, { next: next ? this.given(next) : null });
  }

  // What the worker does.

  /** Any sign of life. @param {Event} event */
  felt(event) {
    this.input = event.timeStamp;
    if (!(event instanceof KeyboardEvent)) return;
    const typing = /** @type {HTMLElement} */ (event.target).closest?.("input, textarea, select, dialog");
    if (event.repeat && !typing && /^[1-9]$|^Enter$/.test(event.key)) {
      event.preventDefault(); // a key that is held down says one thing, not one of each picture
      event.stopPropagation();
    }
    const undo = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
    if (undo && !typing && !this.setup?.final && !this.element?.past.length && this.past.length) {
      event.preventDefault();
      event.stopPropagation();
      this.back();
    }
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (event.key !== "Enter" || !this.current || this.framed) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const sure = event.ctrlKey || event.metaKey;
    if (!sure && (event.defaultPrevented || target.closest("input, textarea, select, button, summary, a, dialog"))) return;
    event.preventDefault();
    this.answer();
  }

  /** @param {import("./label-element.js").Answer} answer */
  takeOver(answer) {
    const { element, current } = this;
    if (!element || !current) return;
    element.task = { ...element.task, initial: answer };
    current.draft = answer;
    if (this.setup?.shape === "class") this.answer();
    else element.querySelector(".label-stage, .label-text")?.scrollIntoView({ block: "nearest" });
  }

  answer() {
    const { element, current, queue } = this;
    if (!element || !current || !queue) return;
    if (!element.complete) return this.tell(element.ready ? "Nothing is chosen yet; choose a class first." : "The picture is still coming.");
    const { answer } = element;
    const seconds = (performance.now() - this.shownAt) / 1000;
    this.tell("");
    this.past = [...this.past.slice(1 - MOST_UNDONE), { task: current, answer }];
    if (this.reviewing) this.past = [];
    this.ahead.shift();
    this.show();
    const next = this.current;
    measureStep(this.input, () => this.current === next && (!this.element || this.element.ready));
    this.figures?.answered(seconds);
    queue.push({ deed: "answer", ItemNumber: current.number, Body: JSON.stringify(answer), Seconds: seconds });
  }

  /** @param {string} reason @param {boolean} [broken] */
  skip(reason, broken = false) {
    const task = this.ahead.shift();
    if (!task) return;
    this.show();
    this.queue?.push({ deed: "skip", ItemNumber: task.number, Reason: reason, Broken: broken });
  }

  /** The last answer is taken back, to be said anew. */
  back() {
    const last = this.past.pop();
    if (!last) return;
    this.remember();
    this.keepDraft();
    last.task.draft = last.answer;
    this.ahead.unshift(last.task);
    if (!this.queue?.recall(last.task.number)) this.queue?.push({ deed: "reopen", ItemNumber: last.task.number });
    this.figures?.takenBack();
    this.show();
    this.tell(`Back at ${last.task.name || "the last one"}; say it anew.`);
  }

  /** The picture did not come: whether it is broken, or only the way to it, the server says. */
  async looked() {
    const { current } = this;
    const source = current && this.picture(current);
    if (!current || !source) return;
    const broken = await isBroken(source);
    if (this.current !== current) return;
    if (broken) {
      this.tell(`${current.name} cannot be shown; that is reported, and you need do nothing.`);
      this.skip("The picture cannot be shown.", true);
    } else setTimeout(() => this.current === current && this.show(), 2000);
  }

  // What the server says.

  /** What is said does not arrive. @param {string} words */
  trouble(words) {
    this.troubled = true;
    this.tell(words, "warn");
    if (!this.current) this.show();
  }

  /** @param {Deed[]} batch @param {Told} told */
  arrived(batch, told) {
    this.claimed = true;
    if (this.troubled) this.tell("The server answers again; everything is sent.", "good");
    this.troubled = false;
    this.serverAhead = told.now - Date.now() / 1000;
    const offered = new Set(told.tasks.map((task) => task.number));
    batch.forEach((deed, index) => this.heard(deed, told.results[index] ?? {}, offered));
    for (const task of told.tasks) this.take(task);
    if (told.over) this.end(told.over);
    this.preload();
    if (!this.element || !this.current) this.show();
  }

  /** @param {Task} task */
  take(task) {
    const known = this.ahead.find((one) => one.number === task.number);
    if (known) known.until = task.until;
    else if (!this.queue?.knows(task.number) && !this.over) this.ahead.push(task);
  }

  /** @param {Deed} deed @param {import("./work-queue.js").Result} result @param {Set<number>} offered */
  heard(deed, result, offered) {
    const held = this.ahead.find((task) => task.number === deed.ItemNumber);
    const until = result.until ?? result.task?.until;
    if (until && held) held.until = until;
    if (result.refused && deed.deed === "answer") {
      const last = this.past.find(({ task }) => task.number === deed.ItemNumber);
      this.tell(result.refused, "bad");
      if (last) this.past = this.past.filter((one) => one !== last);
      if (last) this.ahead.unshift(Object.assign(last.task, { draft: last.answer }));
      if (last) this.show();
    }
    if (!result.gone) return;
    this.past = this.past.filter(({ task }) => task.number !== deed.ItemNumber);
    if (deed.deed === "reopen" && deed.ItemNumber !== undefined && offered.has(deed.ItemNumber)) return;
    if (held && deed.deed !== "answer") {
      const shown = held === this.current;
      this.ahead = this.ahead.filter((task) => task !== held);
      if (shown) this.show();
    }
    if (!deed.again && deed.deed !== "release") this.tell(`${result.gone} You need do nothing; go on with this one.`);
    this.undoable();
  }

  /** @param {string} why */
  end(why) {
    this.over = why;
    this.ahead = [];
    this.past = [];
    this.show();
  }

  /** @param {import("./work-figures.js").Progress} progress */
  progressed(progress) {
    this.figures?.take(progress);
    if (progress.over && !this.over) this.end(`This job is ${progress.status.toLowerCase()}. You have labelled ${progress.own.answers} of its ${progress.total}. Thank you!`);
    else if (progress.over) this.show();
    else if (this.idle) {
      this.show();
      this.queue?.claim();
    }
  }

  // Drafts and time.

  /** What is drawn so far becomes the task's draft, here. */
  remember() {
    const { element, current } = this;
    if (!this.dirty || !element?.ready || !current) return false;
    current.draft = element.answer;
    this.dirty = false;
    return true;
  }

  keepDraft() {
    const task = this.current;
    if (task && this.remember()) this.queue?.push(draftOf(task));
  }

  get now() {
    return Date.now() / 1000 + this.serverAhead;
  }

  watchTime() {
    const { current, setup } = this;
    const place = this.find("time");
    if (!current || !setup) return void (place.textContent = "");
    const left = current.until - this.now;
    const active = performance.now() - this.input < setup.limit * 500;
    if (left < setup.limit / 2 && active && performance.now() - this.renewedAt > 2000) this.renew();
    if (left <= 0 && !active) return this.pause();
    const near = left < Math.min(60, setup.limit / 4);
    place.textContent = near ? `This one goes back to the others in ${Math.max(Math.ceil(left), 0)} s; any key keeps it.` : "";
  }

  /** All that is in hand stays there. */
  renew() {
    this.renewedAt = performance.now();
    this.remember();
    for (const task of this.ahead) this.queue?.push(draftOf(task));
  }

  pause() {
    this.away = true;
    this.ahead = [];
    this.show();
  }

  comeBack() {
    this.away = false;
    this.claimed = false;
    this.show();
    this.queue?.claim();
  }

  turned() {
    if (document.hidden) {
      this.hiddenAt = performance.now();
      this.keepDraft();
    } else if (this.hiddenAt) this.shownAt += performance.now() - this.hiddenAt;
  }

  leave() {
    const drafts = this.current && this.remember() ? [draftOf(this.current)] : [];
    const numbers = this.ahead.map((task) => task.number);
    this.queue?.leave([...drafts, ...(numbers.length ? [/** @type {Deed} */ ({ deed: "release", ItemNumbers: numbers })] : [])]);
  }
}

/** @param {Task} task @returns {Deed} */
function draftOf(task) {
  return { deed: "keep", ItemNumber: task.number, Draft: JSON.stringify(task.draft ?? null) };
}

customElements.define("work-bench", WorkBench);
