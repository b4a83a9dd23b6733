import { grants, SandgateError, scopes } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from './route.ts';

/**
 * For whoever puts Sandgate in front of something else, as nginx's `auth_request` does: a check,
 * counted and limited like any call, and nothing else.
 */
export const verifyKeyRoute = defineRoute({
  operationId: 'verifyKey',
  method: 'get',
  path: '/api/v1/verify',
  tag: 'API keys',
  summary: 'Check a key, and charge one call to its limits',
  description:
    'Answers 204 to a key that may be used, and 401, 403 or 429 otherwise, with the limits in the headers: what a reverse proxy needs to guard another service.',
  access: 'any key',
  workspace: 'reach',
  safe: true,
  status: 204,
  query: z.strictObject({
    scope: z.enum(scopes).optional().meta({ description: 'A scope that the key must have' }),
  }),
  answer: z.undefined(),
  errors: ['scope_missing'],
  run({ query: { scope } }, { access: { caller } }) {
    const granted = caller.kind === 'key' ? caller.key.scopes : (['*'] as const);
    if (scope === undefined || grants(granted, scope)) return undefined;
    throw new SandgateError('scope_missing', `This API key lacks the scope ${scope}`);
  },
});
