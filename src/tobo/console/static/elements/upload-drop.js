// <upload-drop data-action data-prefix>: files and whole folders to S3, several at a time, by links that the page signs.
import { ask, Refused, tell } from "../requests.js";
import { size } from "../words.js";

const AT_A_TIME = 4;
const LINKS = 50;
const LARGEST = 5 * 2 ** 30; // bytes of one PutObject

/** @typedef {{file: File, key: string, sent: number, why: string}} Upload */

/** Every file below a dropped entry. @param {FileSystemEntry} entry @returns {Promise<[File, string][]>} */
export async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((found, lost) => /** @type {FileSystemFileEntry} */ (entry).file(found, lost));
    return [[file, entry.fullPath.replace(/^\//, "")]];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {[File, string][]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((found, lost) => reader.readEntries(found, lost)); // at most a hundred at once
    if (!some.length) return all;
    for (const each of some) all.push(...(await filesOf(each)));
  }
}

/** Sends a file; raises Refused in S3's words. @param {string} address @param {Upload} upload @param {() => void} moved */
export function put(address, upload, moved) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    request.upload.addEventListener("progress", (event) => {
      upload.sent = event.loaded;
      moved();
    });
    request.addEventListener("load", () => {
      if (request.status < 300) return done(undefined);
      const message = request.responseXML?.querySelector("Message")?.textContent;
      failed(new Refused(message || `The server answered ${request.status}.`));
    });
    request.addEventListener("error", () => failed(new Refused("The connection broke, or the file cannot be read.")));
    request.send(upload.file);
  });
}

class UploadDrop extends HTMLElement {
  /** @type {Upload[]} */
  waiting = [];
  /** @type {Map<Upload, HTMLElement>} */
  active = new Map();
  /** @type {Upload[]} */
  failed = [];
  done = 0;
  doneBytes = 0;
  /** @type {{upload: Upload, address: string}[]} */
  signed = [];
  /** @type {Promise<void> | null} */
  signing = null;

  connectedCallback() {
    this.addEventListener("drop", (event) => this.drop(event));
    for (const input of this.querySelectorAll("[data-files]")) {
      input.addEventListener("change", () => this.chosen(/** @type {HTMLInputElement} */ (input)));
    }
    this.querySelector("[data-again]")?.addEventListener("click", () => this.again([...this.failed]));
    addEventListener("beforeunload", (event) => this.busy && event.preventDefault());
  }

  get busy() {
    return this.active.size + this.waiting.length + this.signed.length > 0;
  }

  /** @param {DragEvent} event */
  async drop(event) {
    const items = [...(event.dataTransfer?.items ?? [])].filter((item) => item.kind === "file");
    const taken = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() })); // gone after this turn
    try {
      for (const { entry, file } of taken) {
        if (entry) this.add(await filesOf(entry));
        else if (file) this.add([[file, file.name]]);
      }
    } catch {
      tell("bad", "A dropped folder could not be read; try again, or choose it by its button.");
    }
  }

  /** @param {HTMLInputElement} input */
  chosen(input) {
    this.add([...(input.files ?? [])].map((file) => [file, file.webkitRelativePath || file.name]));
    input.value = "";
  }

  /** @param {[File, string][]} files */
  add(files) {
    const prefix = this.getAttribute("data-prefix") ?? "";
    for (const [file, path] of files) {
      const upload = { file, key: prefix + path, sent: 0, why: "" };
      if (file.size > LARGEST) this.fail(upload, "It is larger than 5 GiB; send it with `aws s3 cp`, in parts.");
      else this.waiting.push(upload);
    }
    this.begin();
  }

  /** @param {Upload[]} uploads */
  again(uploads) {
    this.failed = this.failed.filter((each) => !uploads.includes(each));
    for (const upload of uploads) this.waiting.push({ ...upload, sent: 0, why: "" });
    this.showFailures();
    this.begin();
  }

  begin() {
    while (this.active.size < AT_A_TIME) {
      const next = this.signed.shift();
      if (!next) break;
      this.send(next.upload, next.address);
    }
    if (this.active.size < AT_A_TIME && this.waiting.length && !this.signing) {
      this.signing = this.sign().finally(() => {
        this.signing = null;
        this.begin();
      });
    }
    this.show();
  }

  /** Links for the next few; they are signed late, so that they are young when they are used. */
  async sign() {
    const uploads = this.waiting.splice(0, LINKS);
    try {
      const body = JSON.stringify({ keys: uploads.map((each) => each.key) });
      const headers = { "Content-Type": "application/json" };
      const answer = await ask(this.getAttribute("data-action") ?? "", { method: "POST", headers, body });
      const { urls } = await answer.json();
      this.signed.push(...uploads.map((upload, at) => ({ upload, address: urls[at] })));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      for (const upload of uploads) this.fail(upload, error.message);
    }
  }

  /** @param {Upload} upload @param {string} address */
  async send(upload, address) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = upload.key;
    const bar = document.createElement("progress");
    bar.max = Math.max(upload.file.size, 1);
    bar.setAttribute("aria-label", upload.key);
    row.append(name, bar);
    this.active.set(upload, row);
    this.querySelector("[data-active]")?.append(row);
    try {
      await put(address, upload, () => {
        bar.value = upload.sent;
        this.show();
      });
      this.done += 1;
      this.doneBytes += upload.file.size;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.fail(upload, error.message);
    } finally {
      row.remove();
      this.active.delete(upload);
      this.begin();
    }
  }

  /** @param {Upload} upload @param {string} why */
  fail(upload, why) {
    this.failed.push({ ...upload, why });
    this.showFailures();
  }

  showFailures() {
    const box = /** @type {HTMLElement} */ (this.querySelector("[data-failures]"));
    box.hidden = !this.failed.length;
    const rows = this.failed.slice(0, 100).map((upload) => {
      const row = document.createElement("li");
      const words = document.createElement("span");
      words.textContent = `${upload.key}: ${upload.why}`;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button compact";
      button.textContent = "Try again";
      button.addEventListener("click", () => this.again([upload]));
      row.append(words, button);
      return row;
    });
    this.querySelector("[data-failed]")?.replaceChildren(...rows);
  }

  show() {
    const all = [...this.active.keys(), ...this.waiting, ...this.signed.map((each) => each.upload)];
    const bytes = this.doneBytes + all.reduce((sum, each) => sum + each.file.size, 0);
    const sent = this.doneBytes + [...this.active.keys()].reduce((sum, each) => sum + each.sent, 0);
    const count = this.done + all.length;
    const words = this.busy
      ? `${this.done} of ${count} files, ${size(sent)} of ${size(bytes)}`
      : `${this.done} ${this.done === 1 ? "file is" : "files are"} uploaded${this.failed.length ? `, ${this.failed.length} not` : ""}`;
    /** @type {HTMLElement} */ (this.querySelector("[data-uploads]")).hidden = !count && !this.failed.length;
    /** @type {HTMLElement} */ (this.querySelector("[data-sum]")).textContent = words;
    const total = /** @type {HTMLProgressElement} */ (this.querySelector("[data-total]"));
    total.max = Math.max(bytes, 1);
    total.value = bytes ? sent : 1;
  }
}

customElements.define("upload-drop", UploadDrop);
