import { OpenAPIHono } from '@hono/zod-openapi';
import type { ErrorCode } from '@sandgate/core';
import { z } from 'zod';
import { nativeErrors } from './error-table.ts';
import type { Route } from './route.ts';

const errorBody = z.strictObject({ detail: z.string() }).meta({ id: 'Error' });

/** What every route for keys can answer. */
const commonErrors: readonly ErrorCode[] = [
  'invalid_request',
  'credential_missing',
  'key_disabled',
  'workspace_not_found',
  'rate_limited',
  'internal',
  'storage_unavailable',
];

/** What a route that takes a body can answer besides. */
const bodyErrors: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

const statusNames: Readonly<Record<number, string>> = {
  400: 'The request is malformed; the detail names every violation',
  401: 'Invalid or missing API key',
  403: 'API key is inactive, or may not do this',
  404: 'There is no such thing, or it belongs to another workspace',
  409: 'Something else was changed first',
  413: 'The body is too large',
  415: 'The body is not JSON by its Content-Type',
  429: 'Rate limit exceeded',
  500: 'Internal server error',
  503: 'The store cannot answer; nothing was carried out',
};

/** OpenAPI 3.1, out of the schemas that validate. */
export function openApiDocument(routes: readonly Route[], version: string) {
  const documented = new OpenAPIHono();
  const registry = documented.openAPIRegistry;
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
  });
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  for (const route of routes) registry.registerPath(pathOf(route));
  return documented.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Sandgate',
      version,
      description: 'API keys, their limits, usage and audit. See docs/api.md.',
      license: { name: 'Apache-2.0' },
    },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
  });
}

type PathConfig = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0];

function pathOf(route: Route): PathConfig {
  const isPublic = route.access === 'public';
  const { params, query, body } = route;
  const headers = z.object({
    'x-workspace-id': z
      .string()
      .optional()
      .meta({ description: 'Slug, UUID or id of the workspace that the request is about' }),
  });
  return {
    operationId: route.operationId,
    method: route.method,
    path: route.path,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    security: isPublic ? [] : [{ apiKey: [] }, { bearer: [] }],
    'x-required-scope': route.access,
    ...('workspace' in route && route.workspace === 'all' ? { 'x-operator-only': true } : {}),
    request: {
      ...(isPublic ? {} : { headers }),
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined
        ? {}
        : {
            body: {
              required: !body.isOptional(),
              content: { 'application/json': { schema: body } },
            },
          }),
    },
    responses: { ...success(route), ...failures(route) },
  };
}

function success(route: Route) {
  if (route.status === 204) return { 204: { description: 'Done' } };
  const content = { 'application/json': { schema: route.answer } };
  return { 200: { description: route.summary, content } };
}

function failures({ access, body, errors = [] }: Route) {
  const common = access === 'public' ? (['invalid_request', 'internal'] as const) : commonErrors;
  const ofBody = body === undefined ? [] : bodyErrors;
  const statuses = new Set(
    [...common, ...ofBody, ...errors].map((code) => nativeErrors[code].status),
  );
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      {
        description: statusNames[status] ?? 'Refused',
        content: { 'application/json': { schema: errorBody } },
      },
    ]),
  );
}
