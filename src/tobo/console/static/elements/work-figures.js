// The figures of who labels: how far the job is, how fast he is, how long a label takes him.

/** @typedef {{status: string, over: boolean, total: number, done: number, left: number, conflicts: number, own: {answers: number, seconds: number}}} Progress */

export class WorkFigures {
  /** Seconds of each answer on this page. @type {number[]} */
  taken = [];
  /** Answers that the progress does not count yet. */
  fresh = 0;
  pending = 0;

  /** @param {HTMLElement} root @param {Progress} progress @param {boolean} review */
  constructor(root, progress, review) {
    this.root = root;
    this.progress = progress;
    this.review = review;
    this.draw();
  }

  /** @param {Progress} progress */
  take(progress) {
    this.progress = progress;
    this.fresh = 0;
    this.draw();
  }

  /** @param {number} seconds */
  answered(seconds) {
    this.taken.push(seconds);
    this.fresh += 1;
    this.draw();
  }

  takenBack() {
    this.taken.pop();
    this.fresh -= 1;
    this.draw();
  }

  /** @param {number} pending */
  waits(pending) {
    this.pending = pending;
    this.draw();
  }

  draw() {
    const { total, done, left, conflicts, own } = this.progress;
    const seconds = this.taken.length ? this.taken.reduce((sum, one) => sum + one, 0) : own.seconds;
    const count = this.taken.length || own.answers;
    this.say("left", number(this.review ? conflicts : left));
    this.say("total", `${number(done)} of ${number(total)}`);
    this.say("own", number(Math.max(own.answers + this.fresh, 0)));
    this.say("rate", count && seconds ? number(Math.round((count * 3600) / seconds)) : "–");
    this.say("median", this.taken.length ? `${median(this.taken).toFixed(1)} s` : "–");
    this.say("pending", number(this.pending));
    const bar = this.root.querySelector("progress");
    if (bar) [bar.max, bar.value] = [total || 1, done];
  }

  /** @param {string} name @param {string} words */
  say(name, words) {
    const place = this.root.querySelector(`[data-${name}]`);
    if (place && place.textContent !== words) place.textContent = words;
  }
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/** @param {number} value */
function number(value) {
  return value.toLocaleString("en");
}
