// <command-palette data-source="…">: any screen, any deed, any resource, by the keyboard alone.
import { ask } from "../requests.js";

/** @typedef {{title: string, kind: string, href: string, icon: string}} Entry */

export class CommandPalette extends HTMLElement {
  /** @type {Entry[]} */
  entries = [];
  /** @type {Entry[]} */
  shown = [];
  chosen = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  typing;
  /** What is being asked for. @type {Promise<void>} */
  asking = Promise.resolve();

  build() {
    this.innerHTML = `<dialog class="palette" aria-label="Jump to a screen, an action or a resource">
      <input type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list"
        aria-label="Jump to" placeholder="A screen, an action, or a resource's name" autocomplete="off" spellcheck="false">
      <ul id="palette-list" role="listbox" aria-label="Found"></ul><p hidden>Nothing is called so.</p></dialog>`;
    this.input.addEventListener("input", () => this.search());
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("click", (event) => {
      const item = /** @type {Element} */ (event.target).closest("li");
      if (item) this.go(Number(item.dataset.index));
    });
  }

  get box() {
    return /** @type {HTMLDialogElement} */ (this.querySelector("dialog"));
  }
  get input() {
    return /** @type {HTMLInputElement} */ (this.querySelector("input"));
  }
  get list() {
    return /** @type {HTMLUListElement} */ (this.querySelector("ul"));
  }

  open() {
    if (!this.querySelector("dialog")) this.build();
    if (this.box.open) return;
    this.input.value = "";
    this.box.showModal();
    this.asking = this.load("");
  }

  search() {
    clearTimeout(this.typing);
    this.show();
    this.typing = setTimeout(() => (this.asking = this.load(this.input.value)), 120);
  }

  /** @param {string} words */
  async load(words) {
    const answer = await ask(`${this.dataset.source}?q=${encodeURIComponent(words)}`);
    const found = await answer.json();
    if (this.entries.length && words !== this.input.value) return; // a later question is under way
    this.entries = found.entries;
    this.show();
  }

  show() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.shown = this.entries.filter((entry) => {
      const text = `${entry.title} ${entry.kind}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    this.chosen = 0;
    this.list.replaceChildren(...this.shown.map((entry, index) => this.item(entry, index)));
    const nothing = this.querySelector("p");
    if (nothing) nothing.hidden = this.shown.length > 0;
    this.mark();
  }

  /** @param {Entry} entry @param {number} index */
  item(entry, index) {
    const item = document.createElement("li");
    item.id = `palette-${index}`;
    item.dataset.index = String(index);
    item.setAttribute("role", "option");
    const icon = document.querySelector(".jump .icon")?.cloneNode(true);
    if (icon instanceof SVGElement) {
      const use = icon.querySelector("use");
      use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*/, `#${entry.icon}`));
      item.append(icon);
    }
    const title = document.createElement("span");
    title.textContent = entry.title;
    const kind = document.createElement("span");
    kind.className = "kind";
    kind.textContent = entry.kind;
    item.append(title, kind);
    return item;
  }

  mark() {
    [...this.list.children].forEach((item, index) => {
      item.setAttribute("aria-selected", String(index === this.chosen));
      if (index === this.chosen) item.scrollIntoView({ block: "nearest" });
    });
    if (this.shown.length) this.input.setAttribute("aria-activedescendant", `palette-${this.chosen}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[/** @type {"ArrowDown" | "ArrowUp"} */ (event.key)];
    if (step && this.shown.length) {
      event.preventDefault();
      this.chosen = (this.chosen + step + this.shown.length) % this.shown.length;
      this.mark();
    }
    if (event.key === "Enter") {
      event.preventDefault();
      this.enter();
    }
  }

  /** Who types faster than the server answers gets what they typed. */
  async enter() {
    await this.asking;
    if (!this.shown.length) await this.load(this.input.value);
    this.go(this.chosen);
  }

  /** @param {number} index */
  go(index) {
    const entry = this.shown[index];
    if (entry) location.assign(entry.href);
  }
}

customElements.define("command-palette", CommandPalette);
