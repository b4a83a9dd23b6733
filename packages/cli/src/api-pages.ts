import type { ApiCall, ApiClient } from './api-client.ts';

const pageSize = 100;

interface Page {
  readonly total: number;
  readonly next_cursor: string | null;
}

/** The first `limit` items of a list, page by page, and how many there are. */
export async function listItems<Answer extends Page, Item>(
  api: ApiClient,
  path: string,
  query: NonNullable<ApiCall['query']>,
  limit: number,
  itemsOf: (page: Answer) => readonly Item[],
): Promise<{ readonly items: readonly Item[]; readonly total: number }> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (;;) {
    const size = Math.min(pageSize, limit - items.length);
    const page = await api.call<Answer>('GET', path, { query: { ...query, cursor, size } });
    items.push(...itemsOf(page));
    if (page.next_cursor === null || items.length >= limit) return { items, total: page.total };
    cursor = page.next_cursor;
  }
}
