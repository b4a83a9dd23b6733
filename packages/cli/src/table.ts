import { printableInLine } from './printable.ts';

const gap = '  ';
/** No column is cut shorter to make a table fit. */
const leastWidth = 8;

/**
 * Lines of left-aligned columns under their headings. Cells may hold what strangers chose. Where a
 * line may only be so long, the widest columns are cut.
 */
export function formatTable(
  headings: readonly string[],
  cellsOfRows: readonly (readonly string[])[],
  { columns = Number.POSITIVE_INFINITY }: { readonly columns?: number | undefined } = {},
): string {
  const rows = cellsOfRows.map((cells) => cells.map(printableInLine));
  const widths = fitted(
    headings.map((heading, column) =>
      Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
    ),
    columns,
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd();
  return [headings, ...rows].map(line).join('\n');
}

function fitted(wanted: readonly number[], columns: number): readonly number[] {
  const widths = [...wanted];
  const total = () => widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
  for (let excess = total() - columns; excess > 0; excess = total() - columns) {
    const widest = Math.max(...widths);
    if (widest <= leastWidth) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`;

/** Lines of `name: value` with the values below each other. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 1;
  return fields
    .map(([name, value]) => `${`${name}:`.padEnd(width)} ${printableInLine(value)}`)
    .join('\n');
}
