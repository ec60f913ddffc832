// What the crowd elements share: built once, out of attributes that anybody may have written.
import { make } from "../elements/label-dom.js";

const LOOSE = /"(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'|([{,]\s*)(\w+)(?=\s*:)/g;

/** JSON, also as AWS's own examples have it: ['Positive', 'Negative'], { text: 'None' }. Throws SyntaxError. @param {string} given @returns {any} */
function parsed(given) {
  try {
    return JSON.parse(given);
  } catch {
    return JSON.parse(
      given.replace(LOOSE, (all, quoted, before, key) => {
        if (quoted !== undefined) return JSON.stringify(quoted.replaceAll("\\'", "'"));
        return key ? `${before}"${key}"` : all;
      }),
    );
  }
}

export class CrowdElement extends HTMLElement {
  built = false;

  connectedCallback() {
    if (this.built) return;
    this.built = true;
    this.build();
  }

  build() {}

  /** @param {string} name @returns {string} */
  text(name) {
    return this.getAttribute(name) ?? "";
  }

  /** A switch: there, and not "false". @param {string} name */
  has(name) {
    return this.hasAttribute(name) && this.getAttribute(name) !== "false";
  }

  /** An attribute's JSON; where it is none, the element says so. @param {string} name @param {any} otherwise @returns {any} */
  json(name, otherwise) {
    const given = this.text(name).trim();
    if (!given) return otherwise;
    try {
      return parsed(given);
    } catch {
      this.complain(`${name} is no JSON: ${given.slice(0, 80)}`);
      return otherwise;
    }
  }

  /** @param {string} words */
  complain(words) {
    const note = make("p", "notice bad", `<${this.localName}>: ${words}`);
    note.setAttribute("role", "alert");
    this.before(note);
  }

  changed() {
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/** @param {string} name @param {CustomElementConstructor} kind */
export function define(name, kind) {
  if (!customElements.get(name)) customElements.define(name, kind); // a template may have its own
}
