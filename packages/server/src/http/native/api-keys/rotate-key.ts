import { requireWithin, rotateKey } from '@sandgate/core';
import { requireOwnKey } from '../../authorize/caller-key.ts';
import { defineRoute } from '../route.ts';
import { findKeyWithin, grantorFor } from './find-key-within.ts';
import { oneKeyItem } from './key-item.ts';
import { keyParams, keyWithText, rotateKeyBody } from './key-schemas.ts';

export const rotateKeyRoute = defineRoute({
  operationId: 'rotateApiKey',
  method: 'post',
  path: '/api/v1/api-keys/{id}/rotate',
  tag: 'API keys',
  summary: 'Give an API key a new text',
  description:
    'Id, rights, limits and what is used of them stay. The old text is valid for `overlap` more, and never past the expiry of the key.',
  access: 'key:manage',
  workspace: 'reach',
  safe: false,
  audit: 'key.rotate',
  params: keyParams,
  body: rotateKeyBody,
  answer: keyWithText,
  errors: ['grant_exceeded', 'key_changed', 'key_not_found', 'key_revoked'],
  async run({ params, body }, context) {
    const key = await findKeyWithin(context, params.id);
    requireOwnKey(context, key);
    // The new text is as good as the key: whoever gets it must be allowed all that the key is.
    requireWithin(key, await grantorFor(context, key));
    const rotated = await rotateKey(context, key.id, {
      overlapMs: body?.overlap ?? 0,
      expectedRevision: key.revision,
    });
    return { ...(await oneKeyItem(context, rotated.key)), key: rotated.text };
  },
});
