// <crowd-form>: a form around what the template has put into it, with a button that sends it where there is none.
import { make } from "../elements/label-dom.js";
import { CrowdElement, define } from "./crowd-base.js";

const SENDING = "crowd-button[form-action=submit], button[type=submit], button:not([type]), input[type=submit]";

class CrowdForm extends CrowdElement {
  form = make("form", "crowd-form");

  build() {
    this.form.append(...this.childNodes);
    this.append(this.form);
    if (this.querySelector(SENDING)) return;
    const button = make("button", "button primary big", "Submit", make("kbd", "", "Enter"));
    button.type = "submit";
    this.form.append(make("div", "crowd-send", button));
  }

  submit() {
    this.form.requestSubmit();
  }

  reset() {
    this.form.reset();
  }
}

define("crowd-form", CrowdForm);
