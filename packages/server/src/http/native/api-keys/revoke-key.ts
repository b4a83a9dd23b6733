import { revokeKey } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { findKeyWithin } from './find-key-within.ts';
import { oneKeyItem } from './key-item.ts';
import { keyItem, keyParams, message } from './key-schemas.ts';

export const deleteKeyRoute = defineRoute({
  operationId: 'deleteApiKey',
  method: 'delete',
  path: '/api/v1/api-keys/{id}',
  tag: 'API keys',
  summary: 'Revoke an API key and its children, for good',
  description:
    'With the answer in hand, not one request more is accepted. The usage and the audit of the key stay.',
  access: 'key:manage',
  ownChildren: true,
  workspace: 'reach',
  safe: false,
  audit: 'key.revoke',
  params: keyParams,
  answer: message,
  errors: ['key_not_found'],
  async run({ params }, context) {
    const key = await findKeyWithin(context, params.id);
    await revokeKey(context, key.id);
    return { message: 'API key deleted successfully' };
  },
});

export const revokeKeyRoute = defineRoute({
  operationId: 'revokeApiKey',
  method: 'post',
  path: '/api/v1/api-keys/{id}/revoke',
  tag: 'API keys',
  summary: 'Revoke an API key and its children, for good',
  description: 'Like DELETE, and may be repeated: a revoked key is answered as it is.',
  access: 'key:manage',
  ownChildren: true,
  workspace: 'reach',
  safe: false,
  audit: 'key.revoke',
  params: keyParams,
  answer: keyItem,
  errors: ['key_not_found'],
  async run({ params }, context) {
    const key = await findKeyWithin(context, params.id, { revokedToo: true });
    return await oneKeyItem(context, await revokeKey(context, key.id));
  },
});
