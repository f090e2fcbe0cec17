// @ts-check
// Plain text tables: texts to the left, numbers to the right.

/**
 * @param {string[]} heads
 * @param {string[][]} rows rows may be shorter than the heads
 * @param {number} [leftColumns] columns that are aligned to the left
 */
export function formatTable(heads, rows, leftColumns = 1) {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  /** @param {string[]} row */
  const line = (row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        return column < leftColumns ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return [heads, ...rows].map((row) => `   ${line(row)}`).join('\n');
}

/**
 * A whole number with its thousands grouped.
 * @param {number} value
 */
export function grouped(value) {
  return Math.round(value).toLocaleString('en-US');
}
