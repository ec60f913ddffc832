// <image-grid>: thumbnails that load when they come into view. Space or a click chooses, Shift extends, Enter enlarges.
// `show(items)` puts them there; "chosen" tells that another set is chosen, which `chosen()` gives.

/** @typedef {{id: number, source: string, name: string, words: string}} Item */

const PAGE = 120;

class ImageGrid extends HTMLElement {
  /** @type {Item[]} */
  items = [];
  /** @type {Set<number>} */
  picked = new Set();
  at = 0;
  anchor = 0;
  drawn = 0;

  connectedCallback() {
    const list = document.createElement("div");
    list.className = "tiles";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-multiselectable", "true");
    list.setAttribute("aria-label", this.getAttribute("aria-label") ?? "Pictures");
    this.removeAttribute("aria-label");
    const more = document.createElement("button");
    more.type = "button";
    more.className = "button compact";
    more.addEventListener("click", () => this.more());
    this.replaceChildren(list, more, this.box());
    list.addEventListener("click", (event) => this.pick(event));
    list.addEventListener("dblclick", () => this.enlarge());
    list.addEventListener("keydown", (event) => this.press(event));
    this.show(this.given());
  }

  /** Items that the page itself brings, as links of a sibling list. @returns {Item[]} */
  given() {
    const links = document.querySelectorAll(`[data-grid="${this.id}"] a`);
    return [...links].map((link, id) => ({
      id,
      source: link.getAttribute("href") ?? "",
      name: link.getAttribute("title") ?? "",
      words: link.textContent ?? "",
    }));
  }

  get list() {
    return /** @type {HTMLElement} */ (this.querySelector(".tiles"));
  }

  /** @param {Item[]} items */
  show(items) {
    this.items = items;
    this.picked.clear();
    this.at = 0;
    this.anchor = 0;
    this.drawn = 0;
    this.list.replaceChildren();
    this.more();
    this.tell();
  }

  chosen() {
    return this.items.filter((_, index) => this.picked.has(index)).map((item) => item.id);
  }

  more() {
    const next = this.items.slice(this.drawn, this.drawn + PAGE);
    this.list.append(...next.map((item, index) => this.tile(item, this.drawn + index)));
    this.drawn += next.length;
    const button = /** @type {HTMLButtonElement} */ (this.querySelector(".tiles + button"));
    button.hidden = this.drawn >= this.items.length;
    button.textContent = `Show more of ${this.items.length}`;
  }

  /** @param {Item} item @param {number} index */
  tile(item, index) {
    const tile = document.createElement("div");
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-selected", "false");
    tile.dataset.item = String(index);
    tile.tabIndex = index === this.at ? 0 : -1;
    tile.title = item.name;
    const words = document.createElement("span");
    words.textContent = item.words;
    if (item.source) {
      const image = document.createElement("img");
      image.loading = "lazy";
      image.decoding = "async";
      image.width = 112;
      image.height = 112;
      image.alt = item.name.split("/").pop() ?? "";
      image.src = item.source;
      tile.append(image);
    } else {
      const name = document.createElement("code");
      name.textContent = item.name;
      tile.append(name);
    }
    tile.append(words);
    return tile;
  }

  /** @param {number} index @returns {HTMLElement | null} */
  tileAt(index) {
    return this.list.querySelector(`[data-item="${index}"]`);
  }

  /** @param {MouseEvent} event */
  pick(event) {
    const tile = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-item]"));
    if (!tile) return;
    this.move(Number(tile.dataset.item));
    if (event.shiftKey) this.extend();
    else this.toggle();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const across = this.across();
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
    const by = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (by) {
      this.move(this.at + by);
      if (event.shiftKey) this.extend();
    } else if (event.key === "Home" || event.key === "End") this.move(event.key === "Home" ? 0 : this.drawn - 1);
    else if (event.key === " ") this.toggle();
    else if (event.key === "Enter") this.enlarge();
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.all();
    else if (event.key === "Escape") this.none();
    else return;
    event.preventDefault();
  }

  /** Tiles in a row. */
  across() {
    const tiles = /** @type {HTMLElement[]} */ ([...this.list.children]);
    const top = tiles[0]?.offsetTop;
    const second = tiles.findIndex((tile) => tile.offsetTop !== top);
    return second < 0 ? Math.max(tiles.length, 1) : second;
  }

  /** @param {number} to */
  move(to) {
    if (to < 0 || to >= this.items.length) return;
    while (to >= this.drawn) this.more();
    this.tileAt(this.at)?.setAttribute("tabindex", "-1");
    this.at = to;
    const tile = this.tileAt(to);
    tile?.setAttribute("tabindex", "0");
    tile?.focus();
  }

  toggle() {
    this.anchor = this.at;
    if (!this.picked.delete(this.at)) this.picked.add(this.at);
    this.tell();
  }

  extend() {
    const [from, to] = [Math.min(this.anchor, this.at), Math.max(this.anchor, this.at)];
    for (let index = from; index <= to; index++) this.picked.add(index);
    this.tell();
  }

  all() {
    this.items.forEach((_, index) => this.picked.add(index));
    this.tell();
  }

  none() {
    this.picked.clear();
    this.tell();
  }

  tell() {
    for (const tile of /** @type {NodeListOf<HTMLElement>} */ (this.list.querySelectorAll("[data-item]"))) {
      tile.setAttribute("aria-selected", String(this.picked.has(Number(tile.dataset.item))));
    }
    this.dispatchEvent(new CustomEvent("chosen"));
  }

  /** The dialog that shows one picture large. */
  box() {
    const box = document.createElement("dialog");
    box.className = "zoom";
    box.setAttribute("aria-label", "Picture");
    const image = document.createElement("img");
    const words = document.createElement("p");
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => box.close());
    box.append(image, words, close);
    box.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[/** @type {"ArrowRight" | "ArrowLeft"} */ (event.key)];
      if (!by) return;
      this.at = Math.min(Math.max(this.at + by, 0), this.items.length - 1);
      this.enlarge();
    });
    box.addEventListener("close", () => this.move(this.at));
    return box;
  }

  enlarge() {
    const item = this.items[this.at];
    const box = this.querySelector("dialog");
    const image = box?.querySelector("img");
    const words = box?.querySelector("p");
    if (!item || !box || !image || !words) return;
    image.hidden = !item.source;
    if (item.source) image.src = item.source;
    image.alt = item.name;
    words.textContent = `${item.name}: ${item.words}`;
    if (!box.open) box.showModal();
  }
}

customElements.define("image-grid", ImageGrid);
