// A labelling element over a text, which stands in its own direction and is never markup.
import { make } from "./label-dom.js";
import { LabelElement } from "./label-element.js";

/** @template State @extends {LabelElement<State>} */
export class TextElement extends LabelElement {
  text = make("div", "label-text");

  main() {
    this.text.dir = "auto";
    this.text.tabIndex = 0;
    this.text.setAttribute("role", "region");
    return this.text;
  }

  focusMain() {
    this.text.focus({ preventScroll: true });
  }

  begin() {
    this.text.setAttribute("aria-label", this.given.title);
    this.text.replaceChildren(this.given.text ?? "");
    this.text.scrollTop = 0;
  }

  get ready() {
    return this.given.text !== undefined;
  }
}
