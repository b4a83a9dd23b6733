import { type Page, type PageRequest, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { queryNumber } from './shared-schemas.ts';

/** Which part of a list is wanted, in a query. */
export const pageQuery = {
  page: queryNumber(1, 1_000_000).optional(),
  size: queryNumber(1, 100).default(20),
  cursor: z
    .string()
    .regex(/^[0-9a-f]{24}$/, 'is not a cursor')
    .optional()
    .meta({ description: 'next_cursor of the page before. Stays quick however many there are' }),
};

export const pageFields = {
  total: z.int(),
  page: z.int().meta({ description: '1 where a cursor was given' }),
  size: z.int(),
  next_cursor: z.string().nullable(),
};

interface PageQuery {
  readonly page?: number | undefined;
  readonly size: number;
  readonly cursor?: string | undefined;
}

/** @throws SandgateError `invalid_request` */
export function pageRequest({ page, size, cursor }: PageQuery): PageRequest {
  if (cursor !== undefined && page !== undefined) {
    throw new SandgateError('invalid_request', 'query: give page or cursor, not both');
  }
  return cursor === undefined
    ? { limit: size, offset: ((page ?? 1) - 1) * size }
    : { limit: size, afterId: cursor };
}

export const pageAnswer = (
  { total, nextAfterId }: Page<unknown>,
  { page = 1, size }: PageQuery,
) => ({ total, page, size, next_cursor: nextAfterId });
