// Crowd elements that label a picture or a text: the house's labelling elements, under AWS' names and with AWS' answers.
import "../elements/label-boxes.js";
import "../elements/label-image-classes.js";
import "../elements/label-mask.js";
import "../elements/label-polygons.js";
import "../elements/label-spans.js";
import { LabelTargetClasses } from "../elements/label-target-classes.js";
import { make } from "../elements/label-dom.js";
import { isObject } from "./crowd-answer.js";
import { CrowdElement, define } from "./crowd-base.js";

/** @typedef {import("../elements/label-element.js").LabelElement<any>} Inner */
/** @typedef {import("../elements/label-element.js").Answer} Answer */

/** What is wrapped: the element, where its labels stand, whether several of them count, and what its initial-value is of.
 * @typedef {{inner: string, labels: "labels" | "categories", multiple?: boolean, text?: boolean, initial?: string}} How */

/** @param {How} how @returns {CustomElementConstructor} */
function labelling(how) {
  return class extends CrowdElement {
    /** @type {Inner | undefined} */
    inner;
    exclusive = "";

    build() {
      const inner = (this.inner = /** @type {Inner} */ (document.createElement(how.inner)));
      const target = this.querySelector("classification-target");
      const header = this.text("header");
      if (header) this.prepend(make("h2", "crowd-header", header));
      this.append(inner);
      if (inner instanceof LabelTargetClasses && target) inner.target.append(target);
      /** @type {{text?: string} | null} */
      const exclusion = this.json("exclusion-category", null);
      this.exclusive = exclusion?.text ?? "";
      const labels = this.names(this.json(how.labels, []));
      inner.task = {
        labels: this.exclusive ? [...labels, this.exclusive] : labels,
        title: header || this.text("name"),
        src: how.text ? undefined : this.text("src"),
        text: how.text ? this.text("text") : undefined,
        multiple: Boolean(how.multiple),
        initial: this.initial(),
      };
      let before = this.value;
      inner.addEventListener("label-change", () => {
        if (this.exclusive) this.exclude(inner, before);
        before = this.value;
        this.changed();
      });
    }

    /** Labels are names, or objects with one. @param {unknown} given @returns {string[]} */
    names(given) {
      if (!Array.isArray(given)) this.complain(`${how.labels} is no list of labels, like ["ok", "ko"]`);
      const found = Array.isArray(given) ? given : [];
      return found.map((one) => String(isObject(one) ? (one.label ?? one.text ?? one.value) : one));
    }

    /** @returns {Answer | null} */
    initial() {
      const given = this.json("initial-value", null);
      if (given === null || !how.initial) return null;
      return Array.isArray(given) ? { [how.initial]: given } : given;
    }

    /** "None of them" and any of them do not go together: what was chosen last stays. @param {Inner} inner @param {Answer} before */
    exclude(inner, before) {
      const none = inner.index(this.exclusive);
      if (!inner.state.includes(none) || inner.state.length < 2) return;
      const had = before.labels?.includes(this.exclusive);
      inner.state = had ? inner.state.filter((/** @type {number} */ index) => index !== none) : [none];
      inner.refresh();
    }

    /** @returns {Answer} */
    get value() {
      return this.inner?.ready ? this.inner.answer : {};
    }

    get said() {
      return this.inner?.complete ? this.value : undefined;
    }

    set said(said) {
      if (!this.inner || !isObject(said)) return;
      this.inner.task = { ...this.inner.task, initial: said };
    }

    get trouble() {
      if (this.inner?.complete) return "";
      if (!this.inner?.ready) return "The picture is not there yet.";
      return how.labels === "labels" ? "Nothing is marked yet; mark it, or say that there is nothing." : "Nothing is chosen yet; choose a class first.";
    }
  };
}

/** @type {Record<string, How>} */
const KINDS = {
  "crowd-classifier": { inner: "label-target-classes", labels: "categories" },
  "crowd-classifier-multi-select": { inner: "label-target-classes", labels: "categories", multiple: true },
  "crowd-image-classifier": { inner: "label-image-classes", labels: "categories" },
  "crowd-image-classifier-multi-select": { inner: "label-image-classes", labels: "categories", multiple: true },
  "crowd-bounding-box": { inner: "label-boxes", labels: "labels", initial: "boundingBoxes" },
  "crowd-polygon": { inner: "label-polygons", labels: "labels", initial: "polygons" },
  "crowd-semantic-segmentation": { inner: "label-mask", labels: "labels" },
  "crowd-entity-annotation": { inner: "label-spans", labels: "labels", text: true, initial: "entities" },
};
for (const [name, how] of Object.entries(KINDS)) define(name, labelling(how));
