// <drop-invoke data-action="…/invoke">: photos that are dropped, pasted or chosen are classified, one after the other.
import { ask, Refused } from "../requests.js";

const KEPT = 12;

class DropInvoke extends HTMLElement {
  /** @type {Promise<void>} */
  asking = Promise.resolve();

  connectedCallback() {
    const zone = /** @type {HTMLElement} */ (this.querySelector(".drop"));
    const input = /** @type {HTMLInputElement} */ (this.querySelector("input"));
    zone.addEventListener("drop", (event) => this.take(event.dataTransfer?.files));
    input.addEventListener("change", () => {
      this.take(input.files);
      input.value = "";
    });
    document.addEventListener("paste", (event) => this.take(event.clipboardData?.files));
  }

  /** @param {FileList | null | undefined} files */
  take(files) {
    for (const file of files ?? []) {
      const row = this.row(file);
      this.asking = this.asking.then(() => this.classify(file, row));
    }
  }

  /** @param {File} file */
  row(file) {
    const row = document.createElement("article");
    row.className = "answer";
    const picture = document.createElement("img");
    picture.alt = file.name;
    picture.src = URL.createObjectURL(file);
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
    const said = document.createElement("div");
    said.textContent = "…";
    row.append(picture, said);
    const answers = /** @type {HTMLElement} */ (this.querySelector(".answers"));
    answers.prepend(row);
    while (answers.children.length > KEPT) answers.lastElementChild?.remove();
    return said;
  }

  /** @param {File} file @param {HTMLElement} said */
  async classify(file, said) {
    try {
      const headers = { "Content-Type": file.type || "application/octet-stream" };
      const answer = await ask(this.dataset.action ?? "", { method: "POST", body: file, headers });
      this.show(said, await answer.json());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      said.replaceChildren(text("p", "refusal", `${file.name}: ${error.message}`));
    }
  }

  /** @param {HTMLElement} said @param {{scores: [string, number][], ms: number, raw: string, variant: string}} found */
  show(said, found) {
    const first = found.scores[0];
    said.replaceChildren(text("h3", "", first ? String(first[0]) : "Answer"));
    for (const [label, score] of found.scores.slice(0, 6)) {
      const bar = document.createElement("div");
      bar.className = "score";
      const meter = document.createElement("meter");
      meter.max = 1;
      meter.value = score;
      meter.setAttribute("aria-label", label);
      bar.append(text("span", "", label), meter, text("span", "end", `${(score * 100).toFixed(1)} %`));
      said.append(bar);
    }
    if (!first) said.append(text("pre", "code", found.raw));
    said.append(text("p", "quiet small", `${found.ms} ms, variant ${found.variant}`));
  }
}

/** @param {string} tag @param {string} style @param {string} words */
function text(tag, style, words) {
  const made = document.createElement(tag);
  made.className = style;
  made.textContent = words;
  return made;
}

customElements.define("drop-invoke", DropInvoke);
