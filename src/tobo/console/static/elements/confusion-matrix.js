// <confusion-matrix>: rows are the true class, columns what was decided. A cell that is chosen tells so by "cell".

class ConfusionMatrix extends HTMLElement {
  /** @type {[number, number] | null} */
  chosen = null;

  connectedCallback() {
    if (this.dataset.matrix) this.show(JSON.parse(this.dataset.labels ?? "[]"), JSON.parse(this.dataset.matrix));
  }

  /** @param {string[]} labels @param {number[][]} matrix */
  show(labels, matrix) {
    const focused = this.querySelector(":focus")?.getAttribute("data-cell");
    const table = document.createElement("table");
    table.className = labels.length > 3 ? "many" : "";
    const caption = document.createElement("caption");
    caption.textContent = "Rows: the label. Columns: the decision. Choose a cell to see its pictures.";
    const head = table.createTHead().insertRow();
    head.append(document.createElement("td"), ...labels.map((label) => this.head(label, "col")));
    const most = matrix.map((row) => Math.max(row.reduce((sum, count) => sum + count, 0), 1));
    const body = table.createTBody();
    matrix.forEach((row, truth) => {
      const line = body.insertRow();
      line.append(this.head(labels[truth] ?? "", "row"));
      row.forEach((count, decided) => {
        const share = count / (most[truth] ?? 1);
        line.insertCell().append(this.cell(labels, truth, decided, count, share));
      });
    });
    table.prepend(caption);
    this.replaceChildren(table);
    const back = /** @type {HTMLElement | null} */ (this.querySelector(`[data-cell="${focused}"]`));
    if (back) back.focus();
  }

  /** @param {string} label @param {string} scope */
  head(label, scope) {
    const head = document.createElement("th");
    head.scope = scope;
    head.textContent = label;
    return head;
  }

  /** @param {string[]} labels @param {number} truth @param {number} decided @param {number} count @param {number} share */
  cell(labels, truth, decided, count, share) {
    const button = document.createElement("button");
    const tone = truth === decided ? "--good" : "--bad";
    const here = this.chosen?.[0] === truth && this.chosen[1] === decided;
    button.type = "button";
    button.dataset.cell = `${truth}-${decided}`;
    button.textContent = String(count);
    button.setAttribute("aria-pressed", String(here));
    button.setAttribute("aria-label", `${count} of ${labels[truth]} decided as ${labels[decided]}`);
    button.tabIndex = here || (!this.chosen && truth + decided === 0) ? 0 : -1;
    if (count) button.style.backgroundColor = `color-mix(in oklab, var(${tone}-ground) ${Math.round(30 + 70 * share)}%, var(--surface))`;
    if (count) button.style.color = `var(${tone})`;
    button.addEventListener("click", () => this.choose(truth, decided));
    button.addEventListener("keydown", (event) => this.press(event, truth, decided));
    return button;
  }

  /** @param {number} truth @param {number} decided */
  choose(truth, decided) {
    this.chosen = [truth, decided];
    for (const button of this.querySelectorAll("button")) {
      const here = button.dataset.cell === `${truth}-${decided}`;
      button.setAttribute("aria-pressed", String(here));
      button.tabIndex = here ? 0 : -1;
    }
    this.dispatchEvent(new CustomEvent("cell", { detail: { truth, decided } }));
  }

  /** @param {KeyboardEvent} event @param {number} truth @param {number} decided */
  press(event, truth, decided) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (!move) return;
    event.preventDefault();
    const at = `${truth + (move[0] ?? 0)}-${decided + (move[1] ?? 0)}`;
    /** @type {HTMLElement | null} */ (this.querySelector(`[data-cell="${at}"]`))?.focus();
  }
}

customElements.define("confusion-matrix", ConfusionMatrix);
