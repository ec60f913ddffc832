// <photo-wizard>: a dropped folder becomes two channels in S3, a fifth of each class for validation, then a training job.
import { ask, Refused, ROOT } from "../requests.js";
import { filesOf, put } from "./upload-drop.js";

const PICTURES = /\.(jpe?g|png|webp|gif|bmp)$/i;
const AT_ONCE = 4;
const LINKS = 200;

class PhotoWizard extends HTMLElement {
  /** Photos by class. @type {Map<string, File[]>} */
  classes = new Map();
  left = 0;
  busy = false;

  connectedCallback() {
    this.find("[data-takes-files]").addEventListener("drop", (event) => this.drop(/** @type {DragEvent} */ (event)));
    const input = /** @type {HTMLInputElement} */ (this.find("[data-folder]"));
    input.addEventListener("change", () => {
      this.take([...(input.files ?? [])].map((file) => [file, file.webkitRelativePath || file.name]));
    });
    this.find("[data-start]").addEventListener("click", () => this.start());
    addEventListener("beforeunload", (event) => this.busy && event.preventDefault());
  }

  /** @param {string} selector @returns {HTMLElement} */
  find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  /** @param {DragEvent} event */
  async drop(event) {
    const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
    /** @type {[File, string][]} */
    const files = [];
    for (const entry of entries) if (entry) files.push(...(await filesOf(entry)));
    this.take(files);
  }

  /** The folder that a photo lies in is its class. @param {[File, string][]} files */
  take(files) {
    this.classes = new Map();
    this.left = 0;
    for (const [file, path] of files) {
      const label = path.split("/").at(-2);
      if (!label || !PICTURES.test(file.name)) this.left += 1;
      else this.classes.set(label, [...(this.classes.get(label) ?? []), file]);
    }
    this.show();
  }

  show() {
    const found = this.find("[data-found]");
    found.hidden = false;
    const rows = [...this.classes].sort().map(([label, files]) => this.row(label, files));
    const table = document.createElement("table");
    table.className = "table";
    table.append(document.createElement("tbody"));
    table.tBodies[0]?.append(...rows);
    const words = this.problem();
    const said = document.createElement("p");
    said.className = words ? "notice warn" : "quiet small";
    const left = this.left ? ` ${this.left} files are no photos in a class's folder and stay here.` : "";
    said.textContent = (words || `${this.count()} photos of ${this.classes.size} classes.`) + left;
    found.replaceChildren(table, said);
    /** @type {HTMLButtonElement} */ (this.find("[data-start]")).disabled = Boolean(words);
    /** @type {HTMLInputElement} */ (this.find("[name=classes]")).value = JSON.stringify(this.counts());
  }

  /** @param {string} label @param {File[]} files */
  row(label, files) {
    const row = document.createElement("tr");
    const name = row.insertCell();
    name.className = "name";
    name.textContent = label;
    row.insertCell().textContent = `${files.length} photos`;
    const pictures = row.insertCell();
    pictures.className = "thumbnails";
    for (const file of files.slice(0, 6)) {
      const picture = document.createElement("img");
      picture.alt = "";
      picture.src = URL.createObjectURL(file);
      pictures.append(picture);
    }
    return row;
  }

  /** Why no classifier can come of it; "" where one can. */
  problem() {
    const fewest = Number(this.dataset.fewest);
    if (this.classes.size < 2) return "Two classes are the least: drop a folder whose subfolders are the classes.";
    for (const [label, files] of [...this.classes].sort()) {
      if (files.length < fewest) return `Class “${label}” has ${files.length} photos; ${fewest} are the least.`;
    }
    return "";
  }

  count() {
    return [...this.classes.values()].reduce((sum, files) => sum + files.length, 0);
  }

  counts() {
    return Object.fromEntries([...this.classes].map(([label, files]) => [label, files.length]));
  }

  async start() {
    const form = /** @type {HTMLFormElement} */ (this.find("form"));
    if (this.busy || !form.reportValidity()) return;
    this.busy = true;
    const button = /** @type {HTMLButtonElement} */ (this.find("[data-start]"));
    button.disabled = true;
    this.find("[data-progress]").hidden = false;
    try {
      await this.upload(String(new FormData(form).get("name")));
      this.busy = false;
      form.requestSubmit();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const line = document.createElement("p");
      line.className = "refusal";
      line.textContent = error.message;
      this.find(".form-refusal").replaceChildren(line);
    } finally {
      this.busy = false;
      button.disabled = false;
    }
  }

  /** Raises Refused. @param {string} name */
  async upload(name) {
    const body = JSON.stringify({ name, classes: this.counts() });
    const prepared = await ask(this.dataset.prepare ?? "", { method: "POST", body });
    const { bucket } = await prepared.json();
    /** @type {{key: string, file: File}[]} */
    const waiting = [];
    for (const [label, files] of this.classes) {
      const kept = Math.max(Math.floor(files.length / 5), 1);
      // Every fifth, not the first ones: photos lie in the order in which they were taken.
      files.forEach((file, index) => {
        const validation = index % 5 === 2 && Math.floor(index / 5) < kept;
        waiting.push({ key: `${name}/${validation ? "validation" : "train"}/${label}/${file.name}`, file });
      });
    }
    const all = waiting.length;
    let done = 0;
    const moved = () => {
      /** @type {HTMLProgressElement} */ (this.find("progress")).value = done / all;
      this.find("[data-said]").textContent = `${done} of ${all} photos are in S3`;
    };
    while (waiting.length) {
      const some = waiting.splice(0, LINKS);
      const keys = JSON.stringify({ keys: some.map((each) => each.key) });
      const address = `${ROOT}/s3/${encodeURIComponent(bucket)}/upload`;
      const { urls } = await (await ask(address, { method: "POST", body: keys })).json();
      const queue = some.map((each, index) => ({ ...each, url: urls[index] }));
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let next = queue.shift(); next; next = queue.shift()) {
            await put(next.url, { file: next.file, key: next.key, sent: 0, why: "" }, () => {});
            done += 1;
            moved();
          }
        }),
      );
    }
  }
}

customElements.define("photo-wizard", PhotoWizard);
