// <label-text-classes>: the class of a text, or with `multiple` its classes, by one key or click.
import { chooseClass, drawClasses, readClasses, writeClasses } from "./label-classified.js";
import { TextElement } from "./label-text.js";

/** @extends {TextElement<number[]>} */
class LabelTextClasses extends TextElement {
  /** @type {number[]} */
  state = [];

  /** @param {import("./label-element.js").Answer} answer */
  read(answer) {
    return readClasses(this, answer);
  }

  write() {
    return writeClasses(this);
  }

  get complete() {
    return this.ready && this.state.length > 0;
  }

  /** @param {number} index */
  choose(index) {
    chooseClass(this, index);
  }

  draw() {
    drawClasses(this);
  }
}

customElements.define("label-text-classes", LabelTextClasses);
