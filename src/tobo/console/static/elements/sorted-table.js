// A table whose heads (th[data-sort="text" | "number"] with a button) sort the rows that are there; morphs keep the order.

/** @param {string} id */
export function sortTable(id) {
  let column = -1;
  let descending = false;

  const sort = () => {
    const table = document.querySelector(`#${id}`);
    const heads = [...(table?.querySelectorAll("th") ?? [])];
    const body = table?.querySelector("tbody");
    if (column < 0 || !body) return;
    heads.forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const numeric = heads[column]?.dataset.sort === "number";
    const rows = [...body.querySelectorAll("tr")].sort((one, other) => compare(value(one), value(other), numeric));
    if (rows.some((row, index) => body.children[index] !== row)) body.append(...rows);
  };

  /** @param {HTMLTableRowElement} row */
  const value = (row) => {
    const cell = row.cells[column];
    return cell?.dataset.value ?? cell?.textContent?.trim() ?? "";
  };

  /** What has no value comes last. @param {string} one @param {string} other @param {boolean} numeric */
  const compare = (one, other, numeric) => {
    if (!one || !other) return Number(!one) - Number(!other);
    const order = numeric ? Number(one) - Number(other) : one.localeCompare(other, undefined, { numeric: true });
    return descending ? -order : order;
  };

  document.addEventListener("click", (event) => {
    const head = /** @type {Element} */ (event.target).closest(`#${id} th[data-sort]`);
    if (!(head instanceof HTMLTableCellElement)) return;
    descending = column === head.cellIndex ? !descending : head.getAttribute("data-sort") === "number";
    column = head.cellIndex;
    sort();
  });
  document.addEventListener("tobo:changed", sort);
}
