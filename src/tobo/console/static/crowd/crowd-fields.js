// Crowd elements with a value of their own: texts, ticks, one of several, numbers. Attributes: SageMaker developer guide.
import { make } from "../elements/label-dom.js";
import { isObject } from "./crowd-answer.js";
import { CrowdElement, define } from "./crowd-base.js";

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Typed */

const SAME = ["placeholder", "type", "min", "max", "step", "rows", "autocomplete"];
const LENGTHS = [["max-length", "maxlength"], ["min-length", "minlength"]];

let count = 0;

class CrowdText extends CrowdElement {
  /** @returns {Typed} */
  made() {
    return make("input");
  }

  build() {
    const field = (this.field = this.made());
    field.className = "input";
    field.id = `crowd-${(count += 1)}`;
    for (const name of SAME) if (this.hasAttribute(name)) field.setAttribute(name, this.text(name));
    for (const [from, to] of LENGTHS) if (from && to && this.hasAttribute(from)) field.setAttribute(to, this.text(from));
    for (const name of ["required", "disabled"]) field.toggleAttribute(name, this.has(name));
    field.toggleAttribute("readonly", this.has("readonly"));
    if (this.has("auto-validate") && this.text("allowed-pattern")) field.setAttribute("pattern", this.text("allowed-pattern"));
    if (this.text("error-message")) field.title = this.text("error-message");
    const label = make("label", "", this.text("label"));
    label.htmlFor = field.id;
    if (!this.text("label")) field.setAttribute("aria-label", this.text("placeholder") || this.text("name"));
    field.value = this.early() ?? this.text("value");
    const box = make("div", "field", ...(this.text("label") ? [label] : []), field);
    if (this.has("char-counter")) box.append(this.counter(field));
    this.replaceChildren(box);
    if (this.has("auto-focus")) field.focus();
  }

  /** What a script has set before the element was there. @returns {string | undefined} */
  early() {
    if (!Object.hasOwn(this, "value")) return undefined;
    const { value } = this;
    Reflect.deleteProperty(this, "value");
    return value;
  }

  /** @param {Typed} field */
  counter(field) {
    const count = make("output", "hint");
    const show = () => (count.value = `${field.value.length}${field.maxLength > 0 ? ` of ${field.maxLength}` : ""}`);
    field.addEventListener("input", show);
    show();
    return count;
  }

  get value() {
    return this.field?.value ?? "";
  }

  set value(value) {
    if (this.field) this.field.value = value;
  }

  get said() {
    return this.value;
  }

  set said(said) {
    this.value = String(said);
  }
}

class CrowdTextArea extends CrowdText {
  made() {
    const field = make("textarea");
    field.rows = 3;
    return field;
  }
}

class CrowdTick extends CrowdElement {
  kind = "checkbox";

  build() {
    const field = (this.field = make("input"));
    field.type = this.kind;
    field.checked = this.has("checked");
    for (const name of ["required", "disabled"]) field.toggleAttribute(name, this.has(name));
    this.replaceChildren(make("label", "check", field, make("span", "", ...this.childNodes)));
  }

  get checked() {
    return this.field?.checked ?? false;
  }

  set checked(checked) {
    if (this.field) this.field.checked = checked;
  }

  get value() {
    return this.text("value") || "on";
  }

  get said() {
    return { [this.value]: this.checked };
  }

  set said(said) {
    this.checked = isObject(said) && said[this.value] === true;
  }
}

class CrowdToggleButton extends CrowdTick {
  build() {
    super.build();
    this.field?.setAttribute("role", "switch");
    this.field?.classList.add("crowd-switch");
  }
}

/** One of several where a crowd-radio-group is around it. */
class CrowdRadioButton extends CrowdTick {
  kind = "radio";

  build() {
    super.build();
    const group = /** @type {CrowdRadioGroup | null} */ (this.closest("crowd-radio-group"));
    if (this.field) this.field.name = group ? group.key : `crowd-${(count += 1)}`;
    if (group?.has("disabled") && this.field) this.field.disabled = true;
  }
}

class CrowdRadioGroup extends CrowdElement {
  key = `crowd-${(count += 1)}`;

  build() {
    this.setAttribute("role", "radiogroup");
  }
}

class CrowdSlider extends CrowdElement {
  build() {
    const field = (this.field = make("input"));
    const shown = make("output", "crowd-number");
    field.type = "range";
    for (const name of ["min", "max", "step"]) if (this.hasAttribute(name)) field.setAttribute(name, this.text(name));
    field.value = this.text("value") || field.min || "0";
    field.toggleAttribute("disabled", this.has("disabled"));
    field.setAttribute("aria-label", this.text("label") || this.text("name"));
    const show = () => (shown.value = field.value);
    field.addEventListener("input", show);
    show();
    this.show = show;
    this.replaceChildren(...(this.text("label") ? [make("span", "", this.text("label"))] : []), field, shown);
  }

  get value() {
    return Number(this.field?.value ?? 0);
  }

  set value(value) {
    if (this.field) this.field.value = String(value);
    this.show?.();
  }

  get said() {
    return this.value;
  }

  set said(said) {
    this.value = Number(said);
  }
}

define("crowd-radio-group", CrowdRadioGroup);
define("crowd-input", CrowdText);
define("crowd-text-area", CrowdTextArea);
define("crowd-checkbox", CrowdTick);
define("crowd-toggle-button", CrowdToggleButton);
define("crowd-radio-button", CrowdRadioButton);
define("crowd-slider", CrowdSlider);
