import { OpenAPIHono } from '@hono/zod-openapi';
import type { ErrorCode } from '@sandgate/core';
import { z } from 'zod';
import { sessionCookies } from '../people/session-cookies.ts';
import { nativeErrors } from './error-table.ts';
import type { Route } from './route.ts';

const errorBody = z.strictObject({ detail: z.string() }).meta({ id: 'Error' });

/** What is not JSON. */
const bytes = z.string().meta({ format: 'binary' });

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
  408: 'It took longer than it may',
  409: 'Something else was changed first, or is in the way',
  413: 'The body is too large',
  415: 'The body is not JSON by its Content-Type',
  422: 'The sandbox has no such program or directory',
  429: 'Rate limit exceeded',
  500: 'Internal server error',
  501: 'The engine of this server cannot do that',
  502: 'The sandbox failed',
  503: 'The store cannot answer, or there is no room now; nothing was carried out',
  504: 'What is behind the server did not answer in time',
  507: 'The disk is full',
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
  registry.registerComponent('securitySchemes', 'cookie', {
    type: 'apiKey',
    in: 'cookie',
    name: sessionCookies.access,
    description:
      'Of POST /api/v1/session. What changes something also needs the value of the cookie sandgate_csrf in X-CSRF-Token, from a page of this server.',
  });
  for (const route of routes) registry.registerPath(pathOf(route));
  return documented.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Sandgate',
      version,
      description: 'Sandboxes; API keys, their limits, usage and audit. See docs/api.md.',
      license: { name: 'Apache-2.0' },
    },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
  });
}

/** Whether the session of a browser opens it. */
const ofPages = ({ takesTickets, forwards }: Route): boolean =>
  takesTickets !== true && forwards !== true;

type PathConfig = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0];

function pathOf(route: Route): PathConfig {
  const isPublic = route.access === 'public';
  const { params, query, body, upload } = route;
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
    security: isPublic
      ? []
      : [{ apiKey: [] }, { bearer: [] }, ...(ofPages(route) ? [{ cookie: [] }] : [])],
    'x-required-scope': route.access,
    ...('ownChildren' in route && route.ownChildren ? { 'x-own-children-scope': 'key:mint' } : {}),
    ...('alsoNeeds' in route ? { 'x-also-required-scopes': route.alsoNeeds } : {}),
    ...('workspace' in route && route.workspace === 'all' ? { 'x-operator-only': true } : {}),
    ...(route.forwards === true ? { 'x-any-method': true } : {}),
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
      ...(upload === undefined ? {} : { body: { content: { [upload]: { schema: bytes } } } }),
    },
    responses: { ...success(route), ...others(route), ...failures(route) },
  };
}

function success(route: Route) {
  if (route.status === 204) return { 204: { description: 'Done' } };
  if (route.status === 101) return { 101: { description: 'It is a WebSocket from here' } };
  const { answer, media = [] } = route;
  const content = {
    ...(answer instanceof z.ZodNull ? {} : { 'application/json': { schema: answer } }),
    ...Object.fromEntries(media.map((type) => [type, { schema: bytes }])),
  };
  return { 200: { description: route.summary, content } };
}

const others = ({ otherStatuses = {} }: Route) =>
  Object.fromEntries(
    Object.entries(otherStatuses).map(([status, description]) => [status, { description }]),
  );

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
