import { updateKey } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { findKeyWithin, grantorFor } from './find-key-within.ts';
import { oneKeyItem } from './key-item.ts';
import { keyItem, keyParams, updateKeyBody } from './key-schemas.ts';
import { limitOverrides } from './limit-fields.ts';
import { toRestrictions } from './restriction-fields.ts';

export const updateKeyRoute = defineRoute({
  operationId: 'updateApiKey',
  method: 'put',
  path: '/api/v1/api-keys/{id}',
  tag: 'API keys',
  summary: 'Change an API key',
  description:
    'What is left out stays as it is. What is given replaces what was there; limits that are left out of a given `limits` are those of the plan again.',
  access: 'key:manage',
  workspace: 'reach',
  safe: false,
  audit: 'key.update',
  params: keyParams,
  body: updateKeyBody,
  answer: keyItem,
  errors: ['grant_exceeded', 'key_changed', 'key_not_found', 'sandbox_not_found'],
  async run({ params, body }, context) {
    const key = await findKeyWithin(context, params.id);
    context.change.note({ details: { fields: Object.keys(body).join(', ') } });
    const expiresAtMs =
      body.expires_in === undefined ? body.expires_at : context.clock.nowMs() + body.expires_in;
    const changed = await updateKey(context, await grantorFor(context, key), key, {
      ...(body.name === undefined ? {} : { name: body.name }),
      ...(body.description === undefined ? {} : { description: body.description }),
      ...(body.is_active === undefined ? {} : { enabled: body.is_active }),
      ...(body.scopes === undefined ? {} : { scopes: [...new Set(body.scopes)] }),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      ...(body.ip_allow_list === undefined ? {} : { addressAllowList: body.ip_allow_list }),
      ...(body.limits === undefined ? {} : { limits: limitOverrides(body.limits) }),
      ...(body.restrictions === undefined
        ? {}
        : { restrictions: toRestrictions(body.restrictions) }),
      ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
    });
    return await oneKeyItem(context, changed);
  },
});
