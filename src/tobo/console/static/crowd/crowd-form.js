// <crowd-form>: a form around what the template has put into it.
import { make } from "../elements/label-dom.js";
import { CrowdElement, define } from "./crowd-base.js";

class CrowdForm extends CrowdElement {
  form = make("form", "crowd-form");

  build() {
    this.form.append(...this.childNodes);
    this.append(this.form);
  }

  submit() {
    this.form.requestSubmit();
  }

  reset() {
    this.form.reset();
  }
}

define("crowd-form", CrowdForm);
