// Numbers and times as people say them; the same words as the server's filters.

/** @param {Date} at @param {Date} now @returns {string} "just now", "3 min ago", "in 2 h", or the day */
export function ago(at, now) {
  const seconds = (now.getTime() - at.getTime()) / 1000;
  const span = Math.abs(seconds);
  if (span < 10) return "just now";
  /** @type {[number, number, string][]} */
  const units = [[60, 1, "s"], [3600, 60, "min"], [86_400, 3600, "h"], [30 * 86_400, 86_400, "d"]];
  for (const [limit, unit, name] of units) {
    if (span < limit) {
      const count = `${Math.floor(span / unit)} ${name}`;
      return seconds < 0 ? `in ${count}` : `${count} ago`;
    }
  }
  return at.toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
}

/** @param {number} value @returns {string} three significant digits */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size >= 100) return value.toLocaleString("en-US", { maximumFractionDigits: 1 });
  return size !== 0 && size < 0.001 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

/** @param {number} bytes @returns {string} "12.3 MB" */
export function size(bytes) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (bytes < 1000) return unit === "B" ? `${bytes} B` : `${bytes.toFixed(1)} ${unit}`;
    bytes /= 1000;
  }
  return `${bytes.toFixed(1)} TB`;
}
