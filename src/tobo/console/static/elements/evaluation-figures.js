// The figures of an evaluation, as console/evaluation.py has them: decisions, confusion, curves, costs.

/** @typedef {{labels: string[], base: string, keys: string[], truth: number[], scores: number[][]}} Predictions */
/** @typedef {{examples: number, precision: number, recall: number, f1: number}} Figures */
/** @typedef {{thresholds: number[], hits: number[], alarms: number[], cases: number}} Curve */

/** @param {number[]} row @param {number} [but] @returns {number} the index of the highest, the first of equal ones */
function highest(row, but = -1) {
  let best = -1;
  row.forEach((score, index) => {
    if (index !== but && (best < 0 || score > (row[best] ?? 0))) best = index;
  });
  return best;
}

/** @param {number[][]} scores @param {number | null} chosen @param {number} threshold */
export function decide(scores, chosen, threshold) {
  if (chosen === null) return scores.map((row) => highest(row));
  return scores.map((row) => ((row[chosen] ?? 0) >= threshold ? chosen : highest(row, chosen)));
}

/** @param {number[]} truth @param {number[]} decided @param {number} classes @returns {number[][]} */
export function confusion(truth, decided, classes) {
  const matrix = Array.from({ length: classes }, () => new Array(classes).fill(0));
  truth.forEach((its, index) => {
    const row = matrix[its];
    if (row) row[decided[index] ?? 0] += 1;
  });
  return matrix;
}

/** @param {number[][]} matrix @returns {Figures[]} */
export function figures(matrix) {
  return matrix.map((row, index) => {
    const hits = row[index] ?? 0;
    const examples = row.reduce((sum, count) => sum + count, 0);
    const column = matrix.reduce((sum, each) => sum + (each[index] ?? 0), 0);
    return {
      examples,
      precision: hits / Math.max(column, 1),
      recall: hits / Math.max(examples, 1),
      f1: (2 * hits) / Math.max(examples + column, 1),
    };
  });
}

/** @param {Predictions} found @param {number} chosen @returns {Curve} */
export function curve(found, chosen) {
  const its = found.scores.map((row, index) => ({ score: row[chosen] ?? 0, right: found.truth[index] === chosen }));
  its.sort((one, other) => other.score - one.score);
  /** @type {Curve} */
  const curve = { thresholds: [], hits: [], alarms: [], cases: its.filter((each) => each.right).length };
  let hits = 0;
  its.forEach((each, index) => {
    if (each.right) hits += 1;
    if (its[index + 1]?.score === each.score) return;
    curve.thresholds.push(each.score);
    curve.hits.push(hits);
    curve.alarms.push(index + 1 - hits);
  });
  return curve;
}

/** @param {Curve} curve @param {number} miss @param {number} reject @returns {number[]} one more than thresholds */
export function costs(curve, miss, reject) {
  const paid = curve.hits.map((hits, index) => (curve.cases - hits) * miss + (curve.alarms[index] ?? 0) * reject);
  return [curve.cases * miss, ...paid];
}

/** The ends of the gaps between scores. @param {Curve} curve */
export function edges(curve) {
  const first = curve.thresholds[0] ?? 1;
  const last = curve.thresholds[curve.thresholds.length - 1] ?? 0;
  return [Math.max(1, first), ...curve.thresholds, Math.min(0, last)];
}

/** The middle of the widest of the cheapest gaps. @param {Curve} curve @param {number} miss @param {number} reject */
export function cheapest(curve, miss, reject) {
  const paid = costs(curve, miss, reject);
  const ends = edges(curve);
  /** @param {number} index */
  const width = (index) => (ends[index] ?? 0) - (ends[index + 1] ?? 0);
  let best = width(0) === 0 ? 1 : 0; // a score of 1 is rejected by every threshold
  paid.forEach((cost, index) => {
    if (index < best) return;
    const least = paid[best] ?? 0;
    if (cost < least || (cost === least && width(index) > width(best))) best = index;
  });
  const [upper, lower] = [ends[best] ?? 1, ends[best + 1] ?? 0];
  const middle = (upper + lower) / 2;
  return { threshold: middle > lower ? middle : upper, cost: paid[best] ?? 0 };
}
