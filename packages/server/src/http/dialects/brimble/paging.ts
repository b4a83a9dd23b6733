import type { Page, PageRequest } from '@sandgate/core';
import { z } from 'zod';
import { teamQuery } from './brimble-route.ts';

/** A number in a query. */
export const queryNumber = (least: number, most: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: `must be a whole number, ${least} to ${most}` })
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .default(otherwise);

export const pageQuery = teamQuery.extend({
  page: queryNumber(1, 1_000_000, 1),
  limit: queryNumber(1, 100, 15),
});

export type PageQuery = z.output<typeof pageQuery>;

export const toPageRequest = ({ page, limit }: PageQuery): PageRequest => ({
  limit,
  offset: (page - 1) * limit,
});

/** A page as clients walk through them: they stop at `totalPages`. */
export const pageAnswer = (
  { page, limit }: PageQuery,
  { total }: Page<unknown>,
  data: readonly object[],
): object => ({
  data,
  totalCount: total,
  currentPage: page,
  totalPages: Math.ceil(total / limit),
  limit,
});
