// The scales of <parallel-coords>: from a hyperparameter's value to its place on an axis, and back.
import { number } from "../words.js";

/** @typedef {{name: string, low?: number, high?: number, scale?: string, choices?: string[]}} Axis */

/** @param {number} value @param {string | undefined} scale */
function scaled(value, scale) {
  if (scale === "Logarithmic") return Math.log(value);
  return scale === "ReverseLogarithmic" ? -Math.log1p(-value) : value;
}

/** 0 at the lower end, 1 at the upper one; null for what has no place. @param {Axis} axis @param {unknown} value */
export function place(axis, value) {
  if (value === null || value === undefined) return null;
  if (axis.choices) {
    const index = axis.choices.indexOf(String(value));
    return index < 0 ? null : (index + 0.5) / axis.choices.length;
  }
  const low = scaled(axis.low ?? 0, axis.scale);
  const high = scaled(axis.high ?? 1, axis.scale);
  const at = (scaled(Number(value), axis.scale) - low) / (high - low);
  return Number.isFinite(at) ? Math.min(Math.max(at, 0), 1) : null;
}

/** What stands at a place. @param {Axis} axis @param {number} at @returns {string} */
export function words(axis, at) {
  if (axis.choices) return axis.choices[Math.min(Math.floor(at * axis.choices.length), axis.choices.length - 1)] ?? "";
  const low = scaled(axis.low ?? 0, axis.scale);
  const value = low + at * (scaled(axis.high ?? 1, axis.scale) - low);
  if (axis.scale === "Logarithmic") return number(Math.exp(value));
  return number(axis.scale === "ReverseLogarithmic" ? -Math.expm1(-value) : value);
}

/** Where the axis bears words. @param {Axis} axis @returns {number[]} */
export function ticks(axis) {
  if (axis.choices) return axis.choices.map((_, index) => (index + 0.5) / (axis.choices?.length ?? 1));
  const { low = 0, high = 1 } = axis;
  if (axis.scale !== "Logarithmic") return [0, 0.5, 1];
  const inner = [];
  for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) {
    const at = place(axis, 10 ** power);
    if (at !== null && at > 0.08 && at < 0.92) inner.push(at);
  }
  return [0, ...inner, 1];
}

/** How far an arrow key goes. @param {Axis} axis */
export function step(axis) {
  return axis.choices ? 1 / axis.choices.length : 0.05;
}
