import { SandgateError } from '@sandgate/core';
import type { z } from 'zod';

/** @throws SandgateError `invalid_request`, with every problem where FastAPI would list it */
export function readFields<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: 'body' | 'query',
): z.output<Schema> {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const issues = error.issues.map(({ path, message, code }) => ({
    loc: [place, ...path.map(String)],
    msg: message,
    type: code,
  }));
  const text = issues.map(({ loc, msg }) => `${loc.slice(1).join('.') || `the ${place}`}: ${msg}`);
  throw new SandgateError('invalid_request', text.join('; '), { data: { issues } });
}
