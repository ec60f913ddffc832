// <model-evaluation data-source>: loads predictions once, and shows matrix, figures, threshold, cost and pictures of them.
import { ask, ROOT, Refused } from "../requests.js";
import { number } from "../words.js";
import { cheapest, confusion, costs, curve, decide, edges, figures } from "./evaluation-figures.js";

/** @typedef {import("./evaluation-figures.js").Predictions} Predictions */

const SUSPECTS = /^(ko|nok|bad|defect|defective|fail|faulty|reject|broken|scratch|anomaly)/i;

class ModelEvaluation extends HTMLElement {
  /** @type {Predictions} */
  found = { labels: [], base: "", keys: [], truth: [], scores: [] };
  /** @type {number[]} */
  decided = [];
  /** @type {[number, number] | null} */
  cell = null;

  connectedCallback() {
    this.piece("class").addEventListener("change", () => this.update());
    for (const name of ["threshold", "miss", "reject"]) this.piece(name).addEventListener("input", () => this.update());
    this.piece("cheapest").addEventListener("click", () => {
      const best = this.best();
      if (best) this.set("threshold", String(best.threshold));
      this.update();
    });
    this.piece("mistakes").addEventListener("click", () => this.choose(null));
    this.piece("all").addEventListener("click", () => this.grid.all());
    this.piece("none").addEventListener("click", () => this.grid.none());
    this.matrix.addEventListener("cell", (/** @type {Event} */ event) => {
      const { truth, decided } = /** @type {CustomEvent} */ (event).detail;
      this.choose([truth, decided]);
    });
    this.grid.addEventListener("chosen", () => this.count());
    this.load();
  }

  /** @param {string} name @returns {any} the element that bears data-part */
  piece(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }
  get matrix() {
    return /** @type {any} */ (this.querySelector("confusion-matrix"));
  }
  get grid() {
    return /** @type {any} */ (this.querySelector("image-grid"));
  }

  /** @param {string} name @param {string} value */
  set(name, value) {
    this.piece(name).value = value;
  }

  async load() {
    try {
      this.found = await (await ask(this.dataset.source ?? "")).json();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.piece("waiting").textContent = error.message;
      this.piece("waiting").className = "refusal";
      return;
    }
    const { labels } = this.found;
    const none = new Option("None: the highest score decides", "");
    const options = labels.map((label, index) => new Option(label, String(index)));
    this.piece("class").replaceChildren(...(labels.length > 2 ? [none] : []), ...options);
    const query = new URLSearchParams(location.search);
    const asked = labels.indexOf(query.get("class") ?? "");
    const suspect = Math.max(labels.findIndex((label) => SUSPECTS.test(label)), 0);
    if (asked >= 0) this.set("class", String(asked));
    else if (labels.length === 2) this.set("class", String(suspect));
    const threshold = Number(query.get("threshold"));
    if (query.has("threshold") && threshold >= 0 && threshold <= 1) this.set("threshold", String(threshold));
    this.piece("waiting").hidden = true;
    this.piece("shown").hidden = false;
    this.update();
  }

  /** @returns {number | null} */
  get chosen() {
    const value = this.piece("class").value;
    return value === "" ? null : Number(value);
  }

  best() {
    if (this.chosen === null) return null;
    return cheapest(curve(this.found, this.chosen), this.amount("miss"), this.amount("reject"));
  }

  /** @param {string} name */
  amount(name) {
    return Math.max(Number(this.piece(name).value) || 0, 0);
  }

  /** Everything that follows from class, threshold and costs. */
  update() {
    const { labels, truth, scores } = this.found;
    const threshold = Number(this.piece("threshold").value);
    this.decided = decide(scores, this.chosen, threshold);
    const matrix = confusion(truth, this.decided, labels.length);
    this.matrix.show(labels, matrix);
    this.piece("figures").replaceChildren(...figures(matrix).map((its, index) => this.row(labels[index] ?? "", its)));
    const right = truth.filter((its, index) => its === this.decided[index]).length;
    this.piece("accuracy").textContent = percent(right / truth.length);
    this.piece("pictures").textContent = number(truth.length);
    this.piece("wrong").textContent = number(truth.length - right);
    this.piece("threshold-value").textContent = threshold.toFixed(3);
    for (const each of this.querySelectorAll("[data-needs-class]")) /** @type {HTMLElement} */ (each).hidden = this.chosen === null;
    this.piece("unchosen").hidden = this.chosen !== null;
    if (this.chosen !== null) this.weigh(this.chosen, threshold);
    this.remember(threshold);
    this.choose(this.cell);
  }

  /** @param {string} label @param {import("./evaluation-figures.js").Figures} its */
  row(label, its) {
    const row = document.createElement("tr");
    row.append(document.createElement("td"));
    row.cells[0]?.append(label);
    for (const value of [percent(its.precision), percent(its.recall), percent(its.f1), number(its.examples)]) {
      const cell = row.insertCell();
      cell.className = "end";
      cell.textContent = value;
    }
    return row;
  }

  /** The curves of a class. @param {number} chosen @param {number} threshold */
  weigh(chosen, threshold) {
    const its = curve(this.found, chosen);
    const [miss, reject] = [this.amount("miss"), this.amount("reject")];
    const paid = costs(its, miss, reject);
    const ends = edges(its);
    const best = cheapest(its, miss, reject);
    const caught = its.thresholds.filter((each) => each >= threshold).length;
    const now = paid[caught] ?? 0;
    const [hits, alarms] = caught ? [its.hits[caught - 1] ?? 0, its.alarms[caught - 1] ?? 0] : [0, 0];
    const label = this.found.labels[chosen] ?? "";
    this.piece("outcome").textContent =
      `${its.cases - hits} of ${its.cases} ${label} missed, ${alarms} of ${this.found.truth.length - its.cases} others rejected: cost ${number(now)}.`;
    this.piece("cheapest-words").textContent = `Cheapest: ${number(best.cost)} at ${best.threshold.toFixed(3)}.`;
    /** @type {[number, number][]} */
    const steps = paid.flatMap((cost, index) => [[ends[index] ?? 1, cost], [ends[index + 1] ?? 0, cost]]);
    this.piece("cost").show(
      steps.map(([x, y]) => [Math.min(Math.max(x, 0), 1), y]),
      [
        { x: best.threshold, y: best.cost, words: `Cheapest: ${number(best.cost)}`, tone: "good" },
        { x: threshold, y: now, words: `Now: ${number(now)}`, tone: "now" },
      ],
      { x: "Threshold", y: "Cost", said: `Cost over thresholds; ${number(best.cost)} at ${best.threshold.toFixed(3)} is the least` },
    );
    /** @type {[number, number][]} */
    const pairs = its.hits.map((hit, index) => [hit / Math.max(its.cases, 1), hit / Math.max(hit + (its.alarms[index] ?? 0), 1)]);
    this.piece("curve").show(
      [[0, pairs[0]?.[1] ?? 1], ...pairs],
      [{ x: hits / Math.max(its.cases, 1), y: caught ? hits / Math.max(hits + alarms, 1) : 1, words: "Now", tone: "now" }],
      { x: "Recall", y: "Precision", said: `Precision over recall of ${label}` },
    );
  }

  /** The state is the address, so that it can be sent. @param {number} threshold */
  remember(threshold) {
    const address = new URL(location.href);
    if (this.chosen === null) for (const name of ["class", "threshold"]) address.searchParams.delete(name);
    else {
      address.searchParams.set("class", this.found.labels[this.chosen] ?? "");
      address.searchParams.set("threshold", threshold.toFixed(3));
    }
    history.replaceState(history.state, "", address);
  }

  /** Shows the pictures of a cell, or all mistakes; the surest first. @param {[number, number] | null} cell */
  choose(cell) {
    this.cell = cell;
    const { labels, truth, scores } = this.found;
    const those = truth
      .map((_, index) => index)
      .filter((index) => {
        const decided = this.decided[index];
        return cell ? truth[index] === cell[0] && decided === cell[1] : truth[index] !== decided;
      })
      .sort((one, other) => this.confidence(other) - this.confidence(one));
    if (!cell && this.matrix.chosen) {
      this.matrix.chosen = null;
      this.matrix.show(labels, confusion(truth, this.decided, labels.length));
    }
    this.piece("which").textContent = cell
      ? `${labels[cell[0]]} decided as ${labels[cell[1]]}: ${those.length}`
      : `All mistakes: ${those.length}`;
    this.piece("nothing").hidden = those.length > 0;
    this.grid.show(
      those.map((index) => ({
        id: index,
        source: this.picture(index),
        name: this.found.keys[index] ?? "",
        words: `${labels[truth[index] ?? 0]} → ${labels[this.decided[index] ?? 0]} ${percent(scores[index]?.[this.decided[index] ?? 0] ?? 0)}`,
      })),
    );
  }

  /** @param {number} index */
  confidence(index) {
    return this.found.scores[index]?.[this.decided[index] ?? 0] ?? 0;
  }

  /** The address in S3, "" where there is none. @param {number} index */
  uri(index) {
    const key = this.found.keys[index] ?? "";
    if (key.startsWith("s3://")) return key;
    return this.found.base ? `${this.found.base}${key}` : "";
  }

  /** @param {number} index */
  picture(index) {
    const [, bucket, key] = this.uri(index).match(/^s3:\/\/([^/]+)\/([^]+)$/) ?? [];
    return bucket && key ? `${ROOT}/s3/preview?${new URLSearchParams({ bucket, key })}` : "";
  }

  /** What the form will send. */
  count() {
    const chosen = /** @type {number[]} */ (this.grid.chosen()).filter((index) => this.uri(index));
    this.piece("count").textContent = `${chosen.length} chosen`;
    const items = this.piece("items");
    if (!items) return;
    const { labels, truth } = this.found;
    items.value = JSON.stringify(
      chosen.map((index) => {
        const decided = this.decided[index] ?? 0;
        return [this.uri(index), decided, labels[decided], this.confidence(index), labels[truth[index] ?? 0]];
      }),
    );
    this.piece("send").disabled = chosen.length === 0;
  }
}

/** @param {number} share */
function percent(share) {
  return `${(share * 100).toFixed(1)}\u00a0%`;
}

customElements.define("model-evaluation", ModelEvaluation);
