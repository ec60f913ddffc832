// <device-view data-live-source data-depends="every:1">: what a device shows while somebody looks: that it is asked is
// what makes it show itself, and it stops soon after the page is left. Its places are in the page; here they are filled.
import { ago, number } from "../words.js";

/** @typedef {{Number: number, Verdict: string, Reason?: string, Label?: string, Fault?: string, Milliseconds?: number, Scores?: {Label: string, Value: number}[]}} Part */
/** @typedef {{Part?: Part, Decisions?: number, Rejects?: number, Late?: number, Faults?: number, P50?: number, P99?: number, Override?: string}} Told */
/** @typedef {{state: string, heartbeat: number | null, age: number | null, told: Told | null, picture: string}} Shown */

const FRESH = 5; // seconds: a device that shows itself does so once a second

class DeviceView extends HTMLElement {
  connectedCallback() {
    this.addEventListener("live", (event) => this.show(JSON.parse(/** @type {CustomEvent} */ (event).detail)));
  }

  /** @param {Shown} shown */
  show(shown) {
    const fresh = shown.age !== null && shown.age < FRESH;
    this.toggleAttribute("data-stale", !fresh);
    this.say(fresh, fresh ? "A picture a second, at most" : this.why(shown));
    const image = /** @type {HTMLImageElement} */ (this.querySelector("img"));
    image.hidden = !shown.picture;
    if (shown.picture) image.src = `data:image/jpeg;base64,${shown.picture}`;
    const part = shown.told?.Part;
    image.alt = part ? `Part ${part.Number}, ${part.Verdict}` : "The device's camera";
    if (part) this.tell(part);
    if (shown.told) this.counts(shown.told);
  }

  /** Why nothing is to be seen. @param {Shown} shown */
  why({ state, heartbeat, age }) {
    if (age !== null) return "Nothing comes any more; its network may be slow or gone.";
    if (state === "Online") return "Asked. It answers at its next look: within half a minute, at once where it hears nudges.";
    const last = heartbeat === null ? "It has not sent a heartbeat yet" : `Its last heartbeat came ${ago(new Date(heartbeat * 1000), new Date())}`;
    return `${last}. It shows itself when it is back.`;
  }

  /** @param {boolean} live @param {string} words */
  say(live, words) {
    const line = this.querySelector("[role=status]");
    if (!line || line.textContent?.endsWith(words)) return; // said once, not every second
    const badge = document.createElement("span");
    badge.className = live ? "badge good" : "badge";
    badge.textContent = live ? "Live" : "Not live";
    line.replaceChildren(badge, ` ${words}`);
  }

  /** @param {Part} part */
  tell(part) {
    const badge = document.createElement("span");
    badge.className = `badge ${part.Verdict === "ok" ? "good" : "bad"}`;
    badge.textContent = part.Verdict;
    const reasons = JSON.parse(this.dataset.reasons ?? "{}");
    const why = reasons[part.Reason ?? ""] ?? part.Reason ?? "";
    const took = part.Milliseconds === undefined ? "" : `, ${number(part.Milliseconds)} ms`;
    const words = `Part ${number(part.Number)}: `;
    this.place("part").replaceChildren(words, badge, ` ${part.Label ?? "no label"} (${why})${took}`);
    this.place("fault").textContent = part.Fault ?? "";
    this.place("fault").hidden = !part.Fault;
    this.place("scores").replaceChildren(...(part.Scores ?? []).map(score));
  }

  /** @param {Told} told */
  counts({ Decisions = 0, Rejects = 0, Late = 0, Faults = 0, P50, P99, Override = "auto" }) {
    const parts = [`${number(Decisions)} decisions since it started`, `${number(Rejects)} rejects`];
    if (Late) parts.push(`${number(Late)} late`);
    if (Faults) parts.push(`${number(Faults)} faults`);
    const pace = P50 === undefined || P99 === undefined ? "" : ` From frame to command ${number(P50)} ms (p50), ${number(P99)} ms (p99).`;
    const override = Override === "auto" ? "" : ` Every part is told to be ${Override}.`;
    this.place("counts").textContent = `${parts.join(", ")}.${pace}${override}`;
  }

  /** @param {string} name */
  place(name) {
    return /** @type {HTMLElement} */ (this.querySelector(`[data-place=${name}]`));
  }
}

/** A line of a label, a meter and its share. @param {{Label: string, Value: number}} one */
function score({ Label, Value }) {
  const line = document.createElement("div");
  line.className = "score";
  const name = document.createElement("span");
  name.textContent = Label;
  const meter = document.createElement("meter");
  meter.max = 1;
  meter.value = Value;
  meter.setAttribute("aria-label", Label);
  const share = document.createElement("span");
  share.className = "end";
  share.textContent = `${(100 * Value).toFixed(1)} %`;
  line.append(name, meter, share);
  return line;
}

customElements.define("device-view", DeviceView);
