// <log-tail data-group data-stream data-live-source=".../logs/newest?..." data-depends="every:1">: a log that follows.
//
// It opens at the end; what is older is loaded when one scrolls up to it. Only the lines in sight are in the document.
import { ask, Refused, ROOT } from "../requests.js";

/** @typedef {[number, string]} Line time in epoch milliseconds, text */

const HEIGHT = 20; // of a line, as its style says
const BEYOND = 30; // lines that are drawn above and below what is in sight

class LogTail extends HTMLElement {
  /** @type {Line[]} */
  lines = [];
  /** @type {Line[] | null} */
  hits = null;
  /** @type {string | null} */
  forward = null;
  /** @type {string | null} */
  backward = null;
  following = true;
  /** @type {Promise<void>} */
  loading = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  typing;

  connectedCallback() {
    if (this.querySelector(".log-lines")) return;
    this.innerHTML = `<div class="toolbar">
        <input class="input search" type="search" placeholder="Find in the whole log" aria-label="Find in the whole log">
        <button class="button compact" type="button" data-follow aria-pressed="true">Follow</button>
        <a class="button compact" data-download download>Download</a><span class="quiet small" role="status"></span></div>
      <div class="log-lines" tabindex="0" role="log" aria-label="Log" aria-live="off"><div class="log-space"><div class="log-window"></div></div></div>`;
    this.link().href = `${ROOT}/logs/download?${this.query()}`;
    this.box().addEventListener("scroll", () => this.scrolled());
    this.follower().addEventListener("click", () => this.follow(!this.following));
    const search = /** @type {HTMLInputElement} */ (this.querySelector("input"));
    search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.find(search.value), 200);
    });
    this.addEventListener("live", (event) => {
      const { forward } = JSON.parse(/** @type {CustomEvent} */ (event).detail);
      if (forward !== this.forward) this.more();
    });
    new ResizeObserver(() => this.draw()).observe(this.box());
    this.more();
  }

  box() {
    return /** @type {HTMLElement} */ (this.querySelector(".log-lines"));
  }
  link() {
    return /** @type {HTMLAnchorElement} */ (this.querySelector("[data-download]"));
  }
  follower() {
    return /** @type {HTMLButtonElement} */ (this.querySelector("[data-follow]"));
  }

  /** @param {Record<string, string>} [more] */
  query(more = {}) {
    return new URLSearchParams({ group: this.dataset.group ?? "", stream: this.dataset.stream ?? "", ...more });
  }

  /** One request after the other: each continues where the last one ended. @param {() => Promise<void>} deed */
  queue(deed) {
    this.loading = this.loading.then(deed).catch((error) => {
      if (!(error instanceof Refused)) throw error;
      this.say(error.message);
    });
  }

  /** What has come since the last look; the end of the log at the first. */
  more() {
    this.queue(async () => {
      for (;;) {
        const token = this.forward;
        const answer = await ask(`${ROOT}/logs/lines?${this.query(token ? { token } : {})}`);
        const found = await answer.json();
        this.forward = found.forward;
        this.backward ??= found.backward;
        this.lines = this.lines.concat(found.lines);
        this.draw();
        if (!token || !found.lines.length || found.forward === token) break;
      }
      this.say(this.lines.length ? "" : "Nothing has been logged yet.");
    });
  }

  /** What is older than the first line that is there. */
  older() {
    const token = this.backward;
    if (!token || this.hits) return;
    this.backward = null;
    this.queue(async () => {
      this.backward = token; // should this be refused, it can be asked again
      const found = await (await ask(`${ROOT}/logs/lines?${this.query({ token })}`)).json();
      this.backward = null;
      if (!found.lines.length) return; // the beginning
      this.backward = found.backward;
      const box = this.box();
      const from = box.scrollTop;
      this.lines = found.lines.concat(this.lines);
      this.draw();
      box.scrollTop = from + found.lines.length * HEIGHT; // the same lines stay in sight
    });
  }

  /** @param {string} words */
  find(words) {
    if (!words) {
      this.hits = null;
      this.say("");
      this.draw();
      return;
    }
    this.queue(async () => {
      const found = await (await ask(`${ROOT}/logs/matches?${this.query({ pattern: words })}`)).json();
      this.hits = found.lines;
      this.follow(false);
      this.box().scrollTop = 0;
      this.draw();
      this.say(`${found.more ? "The first " : ""}${found.lines.length} lines with “${words}”`);
    });
  }

  /** @param {boolean} on */
  follow(on) {
    this.following = on;
    this.follower().setAttribute("aria-pressed", String(on));
    if (on) {
      this.hits = null;
      this.draw();
    }
  }

  scrolled() {
    const box = this.box();
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < HEIGHT * 2;
    if (this.following && !atEnd) this.follow(false);
    if (box.scrollTop < HEIGHT * BEYOND) this.older();
    this.draw();
  }

  draw() {
    const lines = this.hits ?? this.lines;
    const box = this.box();
    const space = /** @type {HTMLElement} */ (this.querySelector(".log-space"));
    const pane = /** @type {HTMLElement} */ (this.querySelector(".log-window"));
    space.style.height = `${lines.length * HEIGHT}px`;
    if (this.following) box.scrollTop = box.scrollHeight;
    const first = Math.max(0, Math.floor(box.scrollTop / HEIGHT) - BEYOND);
    const last = Math.min(lines.length, Math.ceil((box.scrollTop + box.clientHeight) / HEIGHT) + BEYOND);
    pane.style.transform = `translateY(${first * HEIGHT}px)`;
    pane.replaceChildren(
      ...lines.slice(first, last).map(([at, text]) => {
        const line = document.createElement("div");
        const time = document.createElement("span");
        time.className = "quiet";
        time.textContent = new Date(at).toLocaleTimeString(undefined, { hour12: false });
        line.append(time, ` ${text}`);
        return line;
      }),
    );
  }

  /** @param {string} words */
  say(words) {
    const line = this.querySelector("[role=status]");
    if (line) line.textContent = words;
  }
}

customElements.define("log-tail", LogTail);
