// <label-target-classes>: the class, or with `multiple` the classes, of whatever its `target` is, by one key or click.
import { chooseClass, drawClasses, readClasses, writeClasses } from "./label-classified.js";
import { make } from "./label-dom.js";
import { LabelElement } from "./label-element.js";

/** @extends {LabelElement<number[]>} */
export class LabelTargetClasses extends LabelElement {
  /** @type {number[]} */
  state = [];
  target = make("div", "label-target");

  main() {
    return this.target;
  }

  /** @param {import("./label-element.js").Answer} answer */
  read(answer) {
    return readClasses(this, answer);
  }

  write() {
    return writeClasses(this);
  }

  get complete() {
    return this.state.length > 0;
  }

  /** @param {number} index */
  choose(index) {
    chooseClass(this, index);
  }

  draw() {
    drawClasses(this);
  }
}

customElements.define("label-target-classes", LabelTargetClasses);
