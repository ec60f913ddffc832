// A mask: the class of every pixel of a picture, 0 for none; strokes of a round brush; in and out as PNG.

/** @typedef {import("./label-viewport.js").Point} Point */
/** What a stroke changed: places of pixels and what they were before. @typedef {{at: Uint32Array, was: Uint16Array}} Stroke */
/** @typedef {{left: number, top: number, width: number, height: number}} Area */

const WHITE = 0xffffffff;
const GOLDEN = 137.508;

/** The colour of a class in the PNG: hues a golden angle apart, in three depths, so that hundreds differ. @param {number} index @returns {string} #rrggbb */
export function maskColour(index) {
  const light = [0.42, 0.62, 0.28][index % 3] ?? 0.42;
  const reach = 0.7 * Math.min(light, 1 - light);
  const part = (/** @type {number} */ shift) => {
    const k = (shift + (index * GOLDEN) / 30) % 12;
    return Math.round(255 * (light - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)))).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** @param {string} colour #rrggbb @returns {number} as a Uint32Array of canvas pixels holds it (little-endian) */
const packed = (colour) => {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return ((255 << 24) | ((blue ?? 0) << 16) | ((green ?? 0) << 8) | (red ?? 0)) >>> 0;
};

export class Raster {
  /** @type {number[]} */
  at = [];
  /** @type {number[]} */
  was = [];

  /** @param {number} width @param {number} height @param {number} classes */
  constructor(width, height, classes) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint16Array(width * height);
    this.counts = new Uint32Array(classes + 1);
    this.counts[0] = this.pixels.length;
    /** A pixel of each class, where its name stands. @type {Map<number, number>} */
    this.anchors = new Map();
  }

  get filled() {
    return this.pixels.length - (this.counts[0] ?? 0);
  }

  /** @param {number} place @param {number} value */
  set(place, value) {
    const before = this.pixels[place] ?? 0;
    this.pixels[place] = value;
    this.counts[before] = (this.counts[before] ?? 0) - 1;
    this.counts[value] = (this.counts[value] ?? 0) + 1;
  }

  /** Draws a round brush along a line: every pixel whose middle is within the radius. @param {Point} from @param {Point} to @param {number} size diameter in pixels @param {number} value @returns {Area} what may have changed */
  line(from, to, size, value) {
    const r = size / 2;
    const left = Math.max(Math.floor(Math.min(from.x, to.x) - r), 0);
    const top = Math.max(Math.floor(Math.min(from.y, to.y) - r), 0);
    const right = Math.min(Math.ceil(Math.max(from.x, to.x) + r), this.width);
    const bottom = Math.min(Math.ceil(Math.max(from.y, to.y) + r), this.height);
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const long = dx * dx + dy * dy;
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) {
        const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
        const along = long ? Math.min(Math.max((px * dx + py * dy) / long, 0), 1) : 0;
        if ((px - along * dx) ** 2 + (py - along * dy) ** 2 > r * r) continue;
        const place = y * this.width + x;
        if (this.pixels[place] === value) continue;
        this.at.push(place);
        this.was.push(this.pixels[place] ?? 0);
        this.set(place, value);
      }
    }
    return { left, top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) };
  }

  /** Takes every class away, as a part of the stroke. */
  clear() {
    for (let place = 0; place < this.pixels.length; place += 1) {
      const value = this.pixels[place];
      if (!value) continue;
      this.at.push(place);
      this.was.push(value);
      this.set(place, 0);
    }
  }

  /** Ends the stroke. @returns {Stroke} */
  stroke() {
    const stroke = { at: Uint32Array.from(this.at), was: Uint16Array.from(this.was) };
    this.at = [];
    this.was = [];
    return stroke;
  }

  /** Takes a stroke back. @param {Stroke} stroke @returns {Stroke} what makes it again */
  swap({ at, was }) {
    const is = was.slice();
    for (let step = 0; step < at.length; step += 1) {
      const place = at[step] ?? 0;
      is[step] = this.pixels[place] ?? 0;
      this.set(place, was[step] ?? 0);
    }
    return { at, was: is };
  }

  /** @param {Stroke} stroke @returns {Area} where it was */
  area({ at }) {
    let [left, top, right, bottom] = [this.width, this.height, 0, 0];
    for (const place of at) {
      const x = place % this.width;
      const y = (place - x) / this.width;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
    return { left, top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) };
  }

  /** @param {number} value @returns {Point | null} a pixel of the class, the same one as long as it is of it */
  anchor(value) {
    if (!this.counts[value]) return null;
    let place = this.anchors.get(value) ?? -1;
    if (this.pixels[place] !== value) place = this.pixels.indexOf(value);
    this.anchors.set(value, place);
    return { x: place % this.width, y: Math.floor(place / this.width) };
  }

  /** @param {Area} area @param {(value: number, x: number, y: number) => number} colour packed @returns {ImageData} */
  image({ left, top, width, height }, colour) {
    const image = new ImageData(width, height);
    const out = new Uint32Array(image.data.buffer);
    for (let y = 0; y < height; y += 1) {
      const row = (top + y) * this.width + left;
      for (let x = 0; x < width; x += 1) out[y * width + x] = colour(this.pixels[row + x] ?? 0, left + x, top + y);
    }
    return image;
  }

  /** @returns {string} PNG as base64: white where there is no class */
  png() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.width, this.height];
    const colours = [WHITE, ...[...this.counts.keys()].slice(1).map((value) => packed(maskColour(value - 1)))];
    const area = { left: 0, top: 0, width: this.width, height: this.height };
    canvas.getContext("2d")?.putImageData(this.image(area, (value) => colours[value] ?? WHITE), 0, 0);
    return canvas.toDataURL("image/png").split(",")[1] ?? "";
  }

  /** Reads a mask, of this size or another, by its own colours. @param {CanvasImageSource} picture @param {Map<string, number>} values class by #rrggbb */
  load(picture, values) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.width, this.height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, this.width, this.height);
    const colours = new Map([...values].map(([colour, value]) => [packed(colour), value]));
    const found = new Uint32Array(context.getImageData(0, 0, this.width, this.height).data.buffer);
    found.forEach((colour, place) => {
      const value = colours.get(colour);
      if (value) this.set(place, value);
    });
  }
}
