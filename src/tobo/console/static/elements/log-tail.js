// <log-tail data-group data-stream data-live-source=".../logs/newest?..." data-depends="every:1">: a log that follows.
//
// It opens at the end; what is older is loaded when one scrolls up to it. Only the lines in sight are in the document.
// A search jumps to the first line that holds the words; n and N (Enter and Shift-Enter while typing) go on and back.
import { ask, Refused, ROOT } from "../requests.js";

/** @typedef {[number, string]} Line time in epoch milliseconds, text */
/** @typedef {[number, number, string]} Hit where the line begins, time, text */

const HEIGHT = 20; // of a line, as its style says
const BEYOND = 30; // lines that are drawn above and below what is in sight

class LogTail extends HTMLElement {
  /** @type {Line[]} */
  lines = [];
  /** @type {Hit[]} */
  hits = [];
  /** @type {string | null} what to ask further hits after */
  further = null;
  words = "";
  current = -1; // of the hits
  marked = -1; // the line of `lines` that is the current hit
  only = false; // whether the hits alone are shown
  atEnd = true; // whether `lines` reach the log's end
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
        <span class="actions" data-hits hidden><button class="button compact" type="button" data-step="-1" title="N">Previous</button><button class="button compact" type="button" data-step="1" title="n">Next</button><button class="button compact" type="button" data-only aria-pressed="false">Only these</button></span>
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
    this.addEventListener("keydown", (event) => this.key(event, search));
    for (const button of this.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => this.step(Number(button.getAttribute("data-step"))));
    }
    this.querySelector("[data-only]")?.addEventListener("click", () => this.showOnly(!this.only));
    this.addEventListener("live", (event) => {
      const { forward } = JSON.parse(/** @type {CustomEvent} */ (event).detail);
      if (forward !== this.forward && this.atEnd) this.more();
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
        if (!found.lines.length || found.forward === token) this.atEnd = true;
        if (!token || !found.lines.length || found.forward === token || !this.atEnd) break;
      }
      if (!this.words) this.say(this.lines.length ? "" : "Nothing has been logged yet.");
    });
  }

  /** What is older than the first line that is there. */
  older() {
    const token = this.backward;
    if (!token || this.only) return;
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
      if (this.marked >= 0) this.marked += found.lines.length;
      this.draw();
      box.scrollTop = from + found.lines.length * HEIGHT; // the same lines stay in sight
    });
  }

  /** Jumps to the first line with these words; all of it again for none. @param {string} words */
  find(words) {
    if (words === this.words) return;
    this.words = words;
    this.queue(async () => {
      if (words !== this.words) return; // somebody types on
      [this.hits, this.further, this.current, this.marked] = [[], null, -1, -1];
      if (words) await this.moreHits();
      /** @type {HTMLElement} */ (this.querySelector("[data-hits]")).hidden = !this.hits.length;
      if (!this.hits.length) {
        this.showOnly(false);
        this.say(words ? `No line has “${words}”` : "");
      } else await this.jump(0);
    });
  }

  async moreHits() {
    const query = this.query({ pattern: this.words, after: this.further ?? "" });
    const found = await (await ask(`${ROOT}/logs/matches?${query}`)).json();
    this.hits = this.hits.concat(found.hits);
    this.further = found.more;
  }

  /** The next hit, or the one before; round at the ends. @param {number} by */
  step(by) {
    this.queue(async () => {
      if (!this.hits.length) return;
      let next = this.current + by;
      if (next >= this.hits.length && this.further) await this.moreHits();
      if (next >= this.hits.length) next = 0;
      await this.jump(next < 0 ? this.hits.length - 1 : next);
    });
  }

  /** Shows the log around a hit. @param {number} index */
  async jump(index) {
    this.current = index;
    this.follow(false);
    const place = this.hits[index]?.[0] ?? 0;
    if (!this.only) {
      const [before, from] = await Promise.all(
        ["b", "f"].map(async (way) => (await ask(`${ROOT}/logs/lines?${this.query({ token: `${way}/${place}` })}`)).json()),
      );
      this.lines = before.lines.concat(from.lines);
      this.backward = before.lines.length ? before.backward : null;
      this.forward = from.forward;
      this.atEnd = false;
      this.marked = before.lines.length;
    }
    const box = this.box();
    this.draw(); // the room that the lines take
    box.scrollTop = (this.only ? index : this.marked) * HEIGHT - box.clientHeight / 2;
    box.scrollIntoView({ block: "nearest" });
    this.draw();
    this.say(`${index + 1} of ${this.hits.length}${this.further ? "+" : ""} lines with “${this.words}”`);
  }

  /** @param {boolean} on */
  showOnly(on) {
    if (on !== this.only) {
      this.only = on;
      this.querySelector("[data-only]")?.setAttribute("aria-pressed", String(on));
      if (this.hits.length) this.queue(() => this.jump(this.current));
    }
    this.draw();
  }

  /** @param {KeyboardEvent} event @param {HTMLInputElement} search */
  key(event, search) {
    const typing = event.target === search;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing ? event.key !== "Enter" : event.key !== "n" && event.key !== "N") return;
    event.preventDefault();
    clearTimeout(this.typing);
    if (typing && search.value !== this.words) this.find(search.value);
    else this.step(event.key === "N" || (typing && event.shiftKey) ? -1 : 1);
  }

  /** @param {boolean} on */
  follow(on) {
    this.following = on;
    this.follower().setAttribute("aria-pressed", String(on));
    if (!on) return;
    this.showOnly(false);
    if (!this.atEnd) {
      [this.lines, this.forward, this.backward, this.marked, this.atEnd] = [[], null, null, -1, true];
      this.more();
    }
    this.draw();
  }

  scrolled() {
    const box = this.box();
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < HEIGHT * 2;
    if (this.following && !atEnd) this.follow(false);
    if (box.scrollTop < HEIGHT * BEYOND) this.older();
    if (atEnd && !this.atEnd && !this.only) this.more();
    this.draw();
  }

  draw() {
    /** @type {Line[]} */
    const lines = this.only ? this.hits.map(([, at, text]) => [at, text]) : this.lines;
    const current = this.only ? this.current : this.marked;
    const box = this.box();
    const space = /** @type {HTMLElement} */ (this.querySelector(".log-space"));
    const pane = /** @type {HTMLElement} */ (this.querySelector(".log-window"));
    space.style.height = `${lines.length * HEIGHT}px`;
    if (this.following) box.scrollTop = box.scrollHeight;
    const first = Math.max(0, Math.floor(box.scrollTop / HEIGHT) - BEYOND);
    const last = Math.min(lines.length, Math.ceil((box.scrollTop + box.clientHeight) / HEIGHT) + BEYOND);
    pane.style.transform = `translateY(${first * HEIGHT}px)`;
    pane.replaceChildren(
      ...lines.slice(first, last).map(([at, text], index) => {
        const line = document.createElement("div");
        if (first + index === current) line.className = "current";
        const time = document.createElement("span");
        time.className = "quiet";
        time.textContent = new Date(at).toLocaleTimeString(undefined, { hour12: false });
        line.append(time, " ", ...this.marks(text));
        return line;
      }),
    );
  }

  /** The text with the words that are searched for marked. @param {string} text @returns {(string | Element)[]} */
  marks(text) {
    if (!this.words || !this.hits.length) return [text];
    return text.split(this.words).flatMap((part, index) => {
      if (!index) return [part];
      const mark = document.createElement("mark");
      mark.textContent = this.words;
      return [mark, part];
    });
  }

  /** @param {string} words */
  say(words) {
    const line = this.querySelector("[role=status]");
    if (line) line.textContent = words;
  }
}

customElements.define("log-tail", LogTail);
