// What every page of the console runs. Custom elements that only some pages have are scripts of their own.
import "./forms.js";
import "./live.js";
import { ago } from "./words.js";

/** A popup that something on the page opens: data-open="#id", closed by data-close, Escape, or a click beside it. */
document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const opener = target.closest("[data-open]");
  if (opener) dialog(opener.getAttribute("data-open") ?? "")?.showModal();
  if (target.closest("[data-close]")) target.closest("dialog")?.close();
  if (target instanceof HTMLDialogElement && event.detail) target.close();
  const toggle = target.closest("[data-toggle]");
  if (toggle) {
    const open = document.querySelector(toggle.getAttribute("data-toggle") ?? "")?.classList.toggle("open");
    toggle.setAttribute("aria-expanded", String(Boolean(open)));
  } else if (!target.closest(".sidebar")) {
    document.querySelector(".sidebar.open")?.classList.remove("open");
    document.querySelector(".menu-button")?.setAttribute("aria-expanded", "false");
  }
  for (const other of document.querySelectorAll("details.popover[open]")) {
    if (!other.contains(target)) other.removeAttribute("open");
  }
  const copier = target.closest("[data-copy]");
  if (copier) copy(/** @type {HTMLElement} */ (copier));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.popover[open]");
  open?.removeAttribute("open");
  /** @type {HTMLElement | null | undefined} */ (open?.querySelector("summary"))?.focus();
});

/** @param {string} selector @returns {HTMLDialogElement | null} */
function dialog(selector) {
  return document.querySelector(selector);
}

/** The code beside the button. @param {HTMLElement} button */
async function copy(button) {
  const text = button.parentElement?.querySelector("code")?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return select(button); // without TLS a browser may keep its clipboard to itself
  }
  const words = button.lastChild;
  if (!words) return;
  words.textContent = "Copied";
  setTimeout(() => (words.textContent = "Copy"), 1500);
}

/** @param {HTMLElement} button */
function select(button) {
  const code = button.parentElement?.querySelector("code");
  if (code) getSelection()?.selectAllChildren(code);
}

/** Times are said in words; the moment itself is a hint. @param {ParentNode} root */
function sayTimes(root) {
  for (const time of root.querySelectorAll("time[data-ago]")) {
    const at = new Date(time.getAttribute("datetime") ?? "");
    const words = ago(at, new Date());
    if (time.textContent !== words) time.textContent = words;
    if (!time.hasAttribute("title")) time.setAttribute("title", at.toLocaleString());
  }
}

sayTimes(document);
setInterval(() => sayTimes(document), 10_000);
document.addEventListener("tobo:changed", (event) => sayTimes(/** @type {Element} */ (event.target)));
document.addEventListener("htmx:afterSwap", (event) => sayTimes(/** @type {Element} */ (event.target)));

/** The palette comes when it is called for: Ctrl-K, / or its button. */
async function openPalette() {
  const { CommandPalette } = await import("./elements/command-palette.js");
  const palette = document.querySelector("command-palette");
  if (palette instanceof CommandPalette) palette.open();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
  if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
    event.preventDefault();
    openPalette();
  }
});
document.addEventListener("click", (event) => {
  if (/** @type {Element} */ (event.target).closest("[data-palette]")) openPalette();
});

/** The sidebar is longer than a low window: where one is must be seen in it. */
document.querySelector(".sidebar [aria-current]")?.scrollIntoView({ block: "nearest" });
