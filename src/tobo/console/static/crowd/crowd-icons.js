// Icons by the names that templates use (Polymer's iron-icons): as characters, for a frame may not read a file of symbols.
import { make } from "../elements/label-dom.js";

/** @type {Record<string, string>} */
const GLYPHS = {
  add: "+", "add-circle": "⊕", "arrow-back": "←", "arrow-downward": "↓", "arrow-forward": "→", "arrow-upward": "↑", bookmark: "★",
  cancel: "✕", check: "✓", "check-circle": "✓", clear: "✕", close: "✕", create: "✎", delete: "⌫", done: "✓", edit: "✎", error: "!",
  "error-outline": "!", favorite: "♥", help: "?", "help-outline": "?", home: "⌂", info: "i", "info-outline": "i", menu: "☰",
  "more-horiz": "…", "more-vert": "⋮", redo: "↷", refresh: "↻", remove: "−", report: "!", search: "⌕", settings: "⚙", star: "★",
  "star-border": "☆", "thumb-down": "👎", "thumb-up": "👍", undo: "↶", warning: "⚠", "zoom-in": "+", "zoom-out": "−",
};

/** @param {string} name of an icon; of one that is not known its name */
export function glyph(name) {
  const made = make("span", "crowd-glyph", GLYPHS[name.replace(/^[a-z]+:/, "")] ?? name);
  made.setAttribute("aria-hidden", "true");
  return made;
}
