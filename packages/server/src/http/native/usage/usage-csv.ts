import {
  type ApiKey,
  csvLine,
  type UsageFilter,
  type UsageRow,
  type UsageStore,
} from '@sandgate/core';
import { toUsageRow } from './to-usage-row.ts';
import { usageRow } from './usage-schemas.ts';

const rowsAtOnce = 1_000;

const columns = Object.keys(usageRow.shape) as readonly (keyof typeof usageRow.shape)[];

/**
 * Every row, newest first, read as fast as the client takes them: a year of them fits no memory. The
 * newest are read before this resolves, so that a store that cannot answer is an error like any other.
 */
export async function usageCsv(
  store: Pick<UsageStore, 'list'>,
  filter: UsageFilter,
  reader: ApiKey | null,
): Promise<Response> {
  const encoder = new TextEncoder();
  const read = async (beforeId: number | null) =>
    await store.list(filter, {
      limit: rowsAtOnce,
      ...(beforeId === null ? {} : { beforeId }),
    });
  const linesOf = (rows: readonly UsageRow[]): string =>
    rows
      .map((row) => toUsageRow(row, reader))
      .map((row) => csvLine(columns.map((column) => row[column])))
      .join('');

  const newest = await read(null);
  let text = csvLine(columns) + linesOf(newest.rows);
  let next = newest.nextBeforeId;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(encoder.encode(text));
      if (next === null) {
        controller.close();
        return;
      }
      const page = await read(next);
      text = linesOf(page.rows);
      next = page.nextBeforeId;
    },
  });
  return new Response(stream, {
    headers: {
      'Content-Type': 'text/csv; charset=utf-8; header=present',
      'Content-Disposition': 'attachment; filename="usage.csv"',
      'Cache-Control': 'no-store',
    },
  });
}
