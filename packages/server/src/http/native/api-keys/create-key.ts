import {
  type ApiKey,
  type MintKeyRequest,
  mintKey,
  SandgateError,
  type Workspace,
} from '@sandgate/core';
import type { z } from 'zod';
import { callerKey, requireOwnKey } from '../../authorize/caller-key.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { findKeyWithin } from './find-key-within.ts';
import { oneKeyItem } from './key-item.ts';
import { createKeyBody, keyParams, keyWithText } from './key-schemas.ts';
import { limitOverrides } from './limit-fields.ts';
import { toRestrictions } from './restriction-fields.ts';

export const createKeyRoute = defineRoute({
  operationId: 'createApiKey',
  method: 'post',
  path: '/api/v1/api-keys',
  tag: 'API keys',
  summary: 'Make an API key',
  description:
    'The answer is the only place where the text of the key is ever shown. A key of one workspace makes children of itself: they reach no further than it does, and die with it. With `key:mint` it may make no other keys.',
  access: 'key:manage',
  ownChildren: true,
  workspace: 'create',
  safe: false,
  audit: 'key.issue',
  body: createKeyBody,
  answer: keyWithText,
  errors: ['grant_exceeded', 'sandbox_not_found'],
  async run({ body }, context) {
    const { workspace } = context.access;
    if (workspace === null) throw new SandgateError('invalid_request', 'workspace: name one');
    return await mint(context, body, workspace);
  },
});

export const createChildKeyRoute = defineRoute({
  operationId: 'createChildApiKey',
  method: 'post',
  path: '/api/v1/api-keys/{id}/children',
  tag: 'API keys',
  summary: 'Make a key that reaches no further than another one, and dies with it',
  access: 'key:manage',
  ownChildren: true,
  workspace: 'reach',
  safe: false,
  audit: 'key.mint',
  params: keyParams,
  body: createKeyBody,
  answer: keyWithText,
  errors: ['grant_exceeded', 'key_not_found', 'key_revoked', 'sandbox_not_found'],
  async run({ params, body }, context) {
    const parent = await findKeyWithin(context, params.id, { selfToo: true });
    requireOwnKey(context, parent);
    const workspace =
      parent.workspaceId === null
        ? null
        : await context.storage.workspaces.findById(parent.workspaceId);
    if (workspace === null) {
      throw new SandgateError(
        'invalid_request',
        'A key of all workspaces has no children. Make a key of one workspace with POST /api/v1/api-keys',
      );
    }
    return await mint(context, body, workspace, parent);
  },
});

async function mint(
  context: AuthorisedContext,
  body: z.output<typeof createKeyBody>,
  workspace: Workspace,
  parent?: ApiKey,
) {
  const grantor = { caller: callerKey(context), workspace, limitsOf: context.limitsOf };
  const { key, text } = await mintKey(context, grantor, requestOf(body), parent);
  return { ...(await oneKeyItem(context, key)), key: text };
}

function requestOf(body: z.output<typeof createKeyBody>): MintKeyRequest {
  return {
    name: body.name,
    description: body.description,
    ...(body.scopes === undefined ? {} : { scopes: [...new Set(body.scopes)] }),
    ...(body.expires_at === undefined ? {} : { expiresAtMs: body.expires_at }),
    ...(body.expires_in === undefined ? {} : { expiresInMs: body.expires_in }),
    ...(body.ip_allow_list === undefined ? {} : { addressAllowList: body.ip_allow_list }),
    ...(body.limits === undefined ? {} : { limits: limitOverrides(body.limits) }),
    ...(body.restrictions === undefined ? {} : { restrictions: toRestrictions(body.restrictions) }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  };
}
