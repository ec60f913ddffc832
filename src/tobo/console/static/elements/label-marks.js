// The list of what is labelled: each entry is a button that chooses its mark, so that Tab reaches every one.
import { make, numeral, own, series } from "./label-dom.js";

export class Marks {
  root = make("ol", "label-marks");
  chosen = -1;

  /** @param {(at: number) => void} picked */
  constructor(picked) {
    this.root.setAttribute("aria-label", "What is labelled");
    for (const kind of ["focusin", "click"]) {
      this.root.addEventListener(kind, (event) => {
        const row = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-at]"));
        if (row) picked(Number(row.dataset.at));
      });
    }
  }

  /** Scrolls the list alone, never the page. @param {number} at */
  reveal(at) {
    const row = /** @type {HTMLElement | undefined} */ (this.root.children[at]);
    if (!row || row.contains(document.activeElement)) return;
    const top = row.offsetTop - this.root.offsetTop;
    if (top < this.root.scrollTop || top + row.offsetHeight > this.root.scrollTop + this.root.clientHeight) this.root.scrollTop = top;
  }

  /** Rows are kept, so that the focus stays. @param {{label: string, index: number, words: string}[]} marks @param {number} chosen */
  show(marks, chosen) {
    while (this.root.children.length > marks.length) this.root.lastElementChild?.remove();
    marks.forEach(({ label, index, words }, at) => {
      const row = this.root.children[at] ?? this.root.appendChild(make("li"));
      const its = /** @type {HTMLButtonElement} */ (row.firstElementChild ?? row.appendChild(make("button")));
      const look = `label-mark ${series(index)}`;
      const same = its.className === look && its.dataset.label === label && its.dataset.words === words;
      its.setAttribute("aria-pressed", String(at === chosen));
      if (same) return;
      Object.assign(its.dataset, { at: String(at), label, words });
      its.type = "button";
      its.className = look;
      its.replaceChildren(make("span", "label-number", numeral(index)), own(label), make("span", "quiet", words));
    });
    if (chosen !== this.chosen) this.reveal(chosen);
    this.chosen = chosen;
  }
}
