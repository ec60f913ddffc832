// The labelling elements of the style guide get their tasks here, where the page of a worker would ask for them.

const LABELS = ["ok", "scratch", "<b>crack</b> & chip", "خدش", "wrong colour"];
const MANY = Array.from({ length: 300 }, (_, index) => `part ${String(index + 1).padStart(3, "0")}`);
const TEXT = "Ms Okafor ordered 40 blue marbles from Lindqvist Glas in Malmö on 3 March; two of them were chipped.";
const BOX = { left: 90, top: 130, width: 140, height: 140, label: "ok" };
const GUESSED = { left: 316, top: 186, width: 168, height: 168, label: "scratch", confidence: 0.87 };
const CORNERS = [[400, 190], [480, 270], [400, 350], [320, 270]].map(([x, y]) => ({ x, y }));

/** @param {string} words @param {string} label */
const entity = (words, label) => ({ startOffset: TEXT.indexOf(words), endOffset: TEXT.indexOf(words) + words.length, label });

/** @param {string} src @returns {Record<string, object>} tasks by the id of their element */
const tasks = (src) => ({
  "guide-image-classes": { src, labels: LABELS, guess: { label: "scratch", confidence: 0.87 }, title: "What do you see?" },
  "guide-many-classes": { src, labels: MANY, multiple: true, initial: { labels: ["part 004"] }, title: "Which parts do you see?" },
  "guide-boxes": { src, labels: LABELS, initial: { boundingBoxes: [BOX] }, guess: { boundingBoxes: [GUESSED] }, title: "Draw a box around each marble" },
  "guide-polygons": { src, labels: LABELS, guess: { polygons: [{ label: "scratch", vertices: CORNERS, confidence: 0.61 }] }, title: "Draw around each marble" },
  "guide-mask": { src, labels: LABELS, title: "Paint each marble" },
  "guide-text-classes": { text: TEXT, labels: ["order", "complaint", "question"], multiple: true, guess: { labels: [{ label: "complaint", confidence: 0.9 }] }, title: "What is this letter about?" },
  "guide-spans": { text: TEXT, labels: ["person", "company", "place", "date"], initial: { entities: [entity("Okafor", "person")] }, guess: { entities: [{ ...entity("Malmö", "place"), confidence: 0.93 }] }, title: "Mark the names" },
  "guide-verify": { src, labels: ["ok", "a box is missing", "a box is wrong"], guess: { boundingBoxes: [BOX, { ...GUESSED, confidence: undefined }] }, title: "Is every marble in its box?" },
});

const section = /** @type {HTMLElement} */ (document.querySelector("[data-label-sample]"));
for (const [id, task] of Object.entries(tasks(section.dataset.labelSample ?? ""))) {
  Object.assign(document.querySelector(`#${id}`) ?? {}, { task });
}
