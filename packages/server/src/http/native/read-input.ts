import { SandgateError, withoutKeys } from '@sandgate/core';
import type { z } from 'zod';
import { problemWords } from './problem-words.ts';

/** A request as it arrived. */
export interface RawInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined when the route takes none. */
  readonly body: unknown;
}

interface Schemas<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

/** What a request gave, checked and with its defaults in place. */
export interface Input<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

const inWords = { error: problemWords };

/** @throws SandgateError `invalid_request` naming every violation at once */
export function readInput<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
>(
  raw: RawInput,
  schemas: Schemas<Params, Query, Body>,
): Input<z.output<Params>, z.output<Query>, z.output<Body>> {
  const names = [...raw.query.keys()];
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const problems = [...new Set(repeated)].map(
    (name) => `query ${shorten(name)}: given more than once`,
  );
  const params = schemas.params.safeParse(raw.params, inWords);
  const query = schemas.query.safeParse(Object.fromEntries(raw.query), inWords);
  const body = schemas.body.safeParse(raw.body, inWords);
  for (const [part, { error }] of Object.entries({ params, query, body })) {
    problems.push(...(error?.issues ?? []).flatMap((issue) => describeIssue(part, issue)));
  }
  if (problems.length === 0 && params.success && query.success && body.success) {
    return { params: params.data, query: query.data, body: body.data };
  }
  // Some problems say back what they are about.
  throw new SandgateError('invalid_request', withoutKeys(problems.join('; ')));
}

/** Names the place and the problem. */
function describeIssue(part: string, issue: z.core.$ZodIssue): readonly string[] {
  const place = (path: readonly PropertyKey[]): string =>
    [part === 'body' ? '' : `${part} `, path.map((step) => shorten(String(step))).join('.')].join(
      '',
    );
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${place([...issue.path, key])}: unknown field`);
  }
  const where = place(issue.path);
  return [where === '' ? `the body: ${issue.message}` : `${where}: ${issue.message}`];
}

const mostNameCharacters = 64;

/** Keys are taken out first: what is left of one that is cut would not look like a key. */
function shorten(text: string): string {
  const name = withoutKeys(text);
  return name.length <= mostNameCharacters ? name : `${name.slice(0, mostNameCharacters)}…`;
}
