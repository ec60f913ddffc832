// <label-verify>: what somebody or a model has said of a picture or a text, as `guess`, and the choice whether it holds.
import { boxesOf } from "./label-boxes.js";
import { chooseClass, readClasses, writeClasses } from "./label-classified.js";
import { make, own, percent } from "./label-dom.js";
import { entitiesOf, pieces } from "./label-entities.js";
import { PictureElement } from "./label-picture.js";
import { polygonsOf } from "./label-polygons.js";

/** @extends {PictureElement<number[]>} */
class LabelVerify extends PictureElement {
  /** @type {number[]} */
  state = [];
  text = make("div", "label-text");
  mask = make("img", "label-mask-guess");
  claim = make("div", "label-claim");

  /** @returns {[string, string]} */
  naming() {
    return ["Labels", "Show the labels (G)"];
  }

  main() {
    const stage = super.main();
    this.text.dir = "auto";
    this.text.tabIndex = 0;
    this.text.setAttribute("role", "region");
    this.mask.alt = "";
    this.view.sheet.append(this.mask);
    return make("div", "label-shown", this.claim, stage, this.text);
  }

  begin() {
    super.begin();
    this.view.stage.hidden = !this.given.src;
    this.text.hidden = Boolean(this.given.src);
    this.text.setAttribute("aria-label", this.given.title);
  }

  focusMain() {
    (this.given.src ? this.view.stage : this.text).focus({ preventScroll: true });
  }

  get ready() {
    return this.given.src ? this.view.ready : this.given.text !== undefined;
  }

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
    this.choices.mark(this.state);
    const claim = this.guessed ?? {};
    this.drawClaim(claim);
    if (this.given.src) this.drawShapes(claim);
    else this.drawText(claim);
  }

  /** What is claimed has classes of its own, beside those of the choice. @param {string} label */
  place(label) {
    const { boundingBoxes = [], polygons = [] } = this.guessed ?? {};
    const labels = [...boundingBoxes, ...polygons].map((shape) => shape.label);
    return [...new Set(labels)].sort().indexOf(label);
  }

  /** The classes that are claimed of the whole, and the colours of a mask. @param {import("./label-element.js").Answer} claim */
  drawClaim(claim) {
    /** @type {(string | {label: string, confidence?: number})[]} */
    const labels = claim.labels ?? (claim.label === undefined ? [] : [{ label: claim.label, confidence: claim.confidence }]);
    const words = labels.map((one, at) => {
      const [label, confidence] = typeof one === "string" ? [one, claim.confidences?.[at]] : [one.label, one.confidence];
      return make("span", "tag", own(label), confidence === undefined ? "" : ` ${percent(confidence)}`);
    });
    const colours = Object.entries(claim.labelMappings ?? {}).map(([label, its]) => {
      const swatch = make("i", "label-swatch");
      swatch.style.backgroundColor = String(its.color);
      return make("span", "tag", swatch, own(label));
    });
    this.claim.hidden = !words.length && !colours.length;
    this.claim.replaceChildren(...words, ...colours);
    const png = claim.labeledImage?.pngImageData;
    this.mask.hidden = !png;
    const source = `data:image/png;base64,${png}`;
    if (png && this.mask.src !== source) this.mask.src = source;
  }

  /** @param {import("./label-element.js").Answer} claim */
  drawShapes(claim) {
    const boxes = this.ready ? boxesOf(claim) : [];
    const polygons = this.ready ? polygonsOf(claim) : [];
    this.view.overlay.replaceChildren(
      ...boxes.map((box) => this.group(box.label, () => this.rectangle(box), "")),
      ...polygons.map(({ label, vertices }) => this.group(label, () => this.line(vertices), "")),
    );
    this.view.name([
      ...boxes.map((box) => this.nameTag({ x: box.left, y: box.top }, box.label, "", box)),
      ...polygons.map(({ label, vertices, confidence }) => this.nameTag(vertices[0] ?? { x: 0, y: 0 }, label, "", { confidence })),
    ]);
  }

  /** @param {import("./label-element.js").Answer} claim */
  drawText(claim) {
    const entities = entitiesOf(claim);
    const labels = [...new Set(entities.map(({ label }) => label))];
    this.text.replaceChildren(...pieces(this.given.text ?? "", labels, { entities, guesses: [] }));
  }
}

customElements.define("label-verify", LabelVerify);
