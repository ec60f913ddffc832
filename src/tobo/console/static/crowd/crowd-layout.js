// Crowd elements around the fields: instructions, cards, tabs, dialogs, buttons, notes.
import { make } from "../elements/label-dom.js";
import { CrowdElement, define } from "./crowd-base.js";
import { glyph } from "./crowd-icons.js";

class CrowdButton extends CrowdElement {
  build() {
    const button = (this.button = make("button", "button"));
    const variant = this.text("variant");
    if (variant === "primary" || this.text("form-action") === "submit") button.classList.add("primary");
    if (variant === "link" || variant === "icon") button.classList.add("bare");
    const action = this.text("form-action");
    button.type = action === "submit" || action === "reset" ? action : "button";
    button.disabled = this.has("disabled") || this.has("loading");
    const icon = this.text("icon") ? [glyph(this.text("icon"))] : [];
    const words = [...this.childNodes];
    button.append(...(this.text("icon-align") === "right" ? [...words, ...icon] : [...icon, ...words]));
    this.replaceChildren(button);
  }

  get disabled() {
    return this.button?.disabled ?? this.has("disabled");
  }

  set disabled(disabled) {
    if (this.button) this.button.disabled = disabled;
  }
}

class CrowdIconButton extends CrowdElement {
  build() {
    const button = make("button", "button bare", glyph(this.text("icon")));
    button.type = "button";
    button.disabled = this.has("disabled");
    button.setAttribute("aria-label", this.title || this.textContent?.trim() || this.text("icon"));
    this.replaceChildren(button);
  }
}

class CrowdFab extends CrowdElement {
  build() {
    const button = make("button", "button primary", this.text("icon") ? glyph(this.text("icon")) : this.text("label"));
    button.type = "button";
    button.disabled = this.has("disabled");
    button.setAttribute("aria-label", this.title || this.text("label") || this.text("icon"));
    this.replaceChildren(button);
  }
}

class CrowdIcon extends CrowdElement {
  build() {
    this.replaceChildren(glyph(this.text("icon")));
  }
}

class CrowdBadge extends CrowdElement {
  build() {
    this.replaceChildren(make("span", "tag", this.text("icon") ? glyph(this.text("icon")) : this.text("label")));
    const its = document.getElementById(this.text("for"));
    its?.after(this);
  }
}

class CrowdAlert extends CrowdElement {
  build() {
    const tone = { success: "good", error: "bad", warning: "warn" }[this.text("type")] ?? "";
    const note = make("div", `notice ${tone}`, make("span", "", ...this.childNodes));
    note.setAttribute("role", "status");
    if (this.has("dismissible")) {
      const close = make("button", "button bare compact", "×");
      close.type = "button";
      close.setAttribute("aria-label", "Dismiss");
      close.addEventListener("click", () => this.remove());
      note.append(close);
    }
    this.replaceChildren(note);
  }
}

class CrowdCard extends CrowdElement {
  build() {
    this.classList.add("card");
    const body = make("div", "body", ...this.childNodes);
    const heading = this.text("heading") ? [make("header", "", make("h2", "", this.text("heading")))] : [];
    const picture = make("img");
    picture.alt = "";
    picture.src = this.text("image");
    this.replaceChildren(...heading, ...(this.text("image") ? [picture] : []), body);
  }
}

class CrowdTabs extends CrowdElement {
  /** @type {HTMLButtonElement[]} */
  tabs = [];

  build() {
    const panes = /** @type {HTMLElement[]} */ ([...this.children].filter((child) => child.localName === "crowd-tab"));
    const list = make("div", "crowd-tab-list");
    list.setAttribute("role", "tablist");
    this.tabs = panes.map((pane, at) => {
      const tab = make("button", "", pane.getAttribute("header") ?? String(at + 1));
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.addEventListener("click", () => this.show(panes, at));
      tab.addEventListener("keydown", (event) => {
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: panes.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = (to + panes.length) % panes.length;
        this.show(panes, next);
        this.tabs[next]?.focus();
      });
      pane.setAttribute("role", "tabpanel");
      return tab;
    });
    list.append(...this.tabs);
    this.prepend(list);
    this.show(panes, 0);
  }

  /** @param {HTMLElement[]} panes @param {number} at */
  show(panes, at) {
    panes.forEach((pane, index) => (pane.hidden = index !== at));
    this.tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === at));
      tab.tabIndex = index === at ? 0 : -1;
    });
  }
}

/** A link or button that opens what stands in it. */
class CrowdModal extends CrowdElement {
  build() {
    const title = this.text("link-text") || this.otherwise;
    const dialog = (this.dialog = make("dialog"));
    const close = make("button", "button bare compact close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => this.close());
    dialog.setAttribute("aria-label", title);
    dialog.append(make("header", "", make("h2", "", title), close), make("div", "body", ...this.childNodes));
    const opener = make("button", this.text("link-type") === "button" ? "button" : "crowd-link", title);
    opener.type = "button";
    opener.addEventListener("click", () => this.open());
    this.replaceChildren(opener, dialog);
    if (this.has("open")) this.open();
  }

  get otherwise() {
    return "More";
  }

  open() {
    this.dialog?.showModal();
  }

  close() {
    this.dialog?.close();
  }
}

class CrowdInstructions extends CrowdModal {
  get otherwise() {
    return "Instructions";
  }
}

class CrowdToast extends CrowdElement {
  build() {
    this.setAttribute("role", "status");
    const words = this.text("text");
    this.replaceChildren(make("div", "notice", make("span", "", words, ...this.childNodes)));
    if (this.hasAttribute("opened") || words) setTimeout(() => this.remove(), Number(this.text("duration")) || 3000);
  }
}

/** What a worker needs once stands folded away. */
class FullInstructions extends CrowdElement {
  build() {
    const title = this.text("header") || "Full instructions";
    this.replaceChildren(make("details", "work-instructions", make("summary", "", title), make("div", "body", ...this.childNodes)));
  }
}

define("crowd-button", CrowdButton);
define("crowd-icon-button", CrowdIconButton);
define("crowd-fab", CrowdFab);
define("crowd-icon", CrowdIcon);
define("crowd-badge", CrowdBadge);
define("crowd-alert", CrowdAlert);
define("crowd-card", CrowdCard);
define("crowd-tab", class extends CrowdElement {});
define("crowd-tabs", CrowdTabs);
define("crowd-modal", CrowdModal);
define("crowd-instructions", CrowdInstructions);
define("crowd-toast", CrowdToast);
define("full-instructions", FullInstructions);
