// Deeds on their way to the server: in order, kept over a reload, sent again until they have arrived.
import { csrfToken } from "../requests.js";

/** @typedef {{deed: "answer" | "keep" | "skip" | "reopen" | "release", ItemNumber?: number, ItemNumbers?: number[], Body?: string, Draft?: string, Reason?: string, Broken?: boolean, Seconds?: number, again?: boolean}} Deed */
/** @typedef {{state?: string, task?: Task, until?: number, gone?: string, refused?: string}} Result */
/** @typedef {{number: number, text: string | null, name: string, until: number, draft: any, guess: any, answers: {worker: string, answer: any}[]}} Task */
/** @typedef {{results: Result[], tasks: Task[], now: number, over?: string}} Told */
/** What the page hears. @typedef {{want(): number, arrived(batch: Deed[], told: Told): void, troubled(words: string): void, counted(pending: number): void}} Hearer */

const BATCH = 20;
const WAITS = [500, 1000, 2000, 4000, 8000];
/** Bytes that a browser sends after its page is gone (Fetch, "inflight keepalive"). */
const LAST_WORDS = 60_000;

export class WorkQueue {
  /** @type {Deed[]} */
  deeds = [];
  /** How many of them are under way. */
  flying = 0;
  sending = false;
  stopped = false;
  wish = false;
  failures = 0;

  /** @param {string} address @param {string} role @param {string} name under which the browser keeps them @param {Hearer} hearer */
  constructor(address, role, name, hearer) {
    this.address = address;
    this.role = role;
    this.name = name;
    this.hearer = hearer;
    this.remember();
    addEventListener("online", () => this.send());
  }

  remember() {
    try {
      this.deeds = JSON.parse(sessionStorage.getItem(this.name) ?? "[]");
    } catch {
      this.deeds = [];
    }
    for (const deed of this.deeds) deed.again = true;
  }

  keep() {
    const told = this.deeds.filter((deed) => deed.deed === "answer" || deed.deed === "skip");
    try {
      if (told.length) sessionStorage.setItem(this.name, JSON.stringify(told));
      else sessionStorage.removeItem(this.name);
    } catch {
      // larger than the browser keeps: they are in memory still
    }
    this.hearer.counted(told.length);
  }

  /** @param {Deed} deed */
  push(deed) {
    if (deed.deed === "keep") {
      const old = this.deeds.findIndex((one, at) => at >= this.flying && one.deed === "keep" && one.ItemNumber === deed.ItemNumber);
      if (old >= 0) this.deeds.splice(old, 1);
    }
    this.deeds.push(deed);
    this.keep();
    // After the next picture was painted.
    requestAnimationFrame(() => setTimeout(() => this.send()));
  }

  /** Takes back an answer that has not left yet. @param {number} number @returns {boolean} whether it had not */
  recall(number) {
    const at = this.deeds.findIndex((deed, index) => index >= this.flying && deed.deed === "answer" && deed.ItemNumber === number);
    if (at < 0) return false;
    this.deeds.splice(at, 1);
    this.keep();
    return true;
  }

  /** Whether something about the item is still to be said. @param {number} number */
  knows(number) {
    return this.deeds.some((deed) => deed.ItemNumber === number && (deed.deed === "answer" || deed.deed === "skip"));
  }

  /** Asks for tasks, too. */
  claim() {
    this.wish = true;
    this.send();
  }

  async send() {
    if (this.sending || this.stopped) return;
    this.sending = true;
    while (!this.stopped && (this.deeds.length || this.wish)) {
      this.wish = false;
      const batch = this.deeds.slice(0, BATCH);
      this.flying = batch.length;
      const told = await this.post(batch);
      this.flying = 0;
      if (told) {
        this.failures = 0;
        this.deeds.splice(0, batch.length);
        this.keep();
        this.hearer.arrived(batch, told);
      } else {
        this.wish = true;
        for (const deed of batch) deed.again = true;
        if (!this.stopped) await this.wait();
      }
    }
    this.sending = false;
  }

  wait() {
    const patience = WAITS[Math.min(this.failures, WAITS.length - 1)];
    this.failures += 1;
    return new Promise((resolve) => setTimeout(resolve, patience));
  }

  /** @param {Deed[]} batch @returns {Promise<Told | null>} null where it has to be sent again */
  async post(batch) {
    const body = JSON.stringify({ deeds: batch, claim: Math.min(this.hearer.want() + this.deeds.length - batch.length, 8), role: this.role });
    /** @type {Response} */
    let answer;
    try {
      answer = await fetch(this.address, { method: "POST", headers: this.headers(), body });
    } catch {
      this.hearer.troubled("The server does not answer. Go on: what you say is kept here and sent as soon as it does.");
      return null;
    }
    if (answer.ok) return answer.json();
    if (answer.status >= 500 || answer.status === 429) {
      this.hearer.troubled(`The server cannot take answers just now (${answer.status}). They are kept here and sent again.`);
      return null;
    }
    this.stopped = true;
    if (answer.status === 401) location.reload();
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.hearer.troubled(`${parsed.body.textContent?.trim() ?? answer.status} What you have said is kept; load the page again to send it.`);
    return null;
  }

  headers() {
    return { "Content-Type": "application/json", "HX-Request": "true", "X-CSRF-Token": csrfToken() };
  }

  /** The page closes: all that is to be said, and these besides; what is too much for that waits in the browser. @param {Deed[]} last */
  leave(last) {
    this.stopped = true;
    const all = [...this.deeds, ...last];
    const fits = JSON.stringify(all).length < LAST_WORDS ? all : last.filter((deed) => deed.deed === "release");
    if (!fits.length) return;
    const body = JSON.stringify({ deeds: fits, claim: 0, role: this.role });
    fetch(this.address, { method: "POST", headers: this.headers(), body, keepalive: true }).catch(() => undefined);
  }
}
