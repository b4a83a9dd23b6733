import { printableInLine } from './printable.ts';

/** Lines of left-aligned columns under their headings. Cells may hold what strangers chose. */
export function formatTable(
  headings: readonly string[],
  cellsOfRows: readonly (readonly string[])[],
): string {
  const rows = cellsOfRows.map((cells) => cells.map(printableInLine));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [headings, ...rows].map(line).join('\n');
}

/** Lines of `name: value` with the values below each other. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 1;
  return fields
    .map(([name, value]) => `${`${name}:`.padEnd(width)} ${printableInLine(value)}`)
    .join('\n');
}
