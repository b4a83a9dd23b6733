import { updateKey } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { findKeyWithin, grantorFor } from './find-key-within.ts';
import { oneKeyItem } from './key-item.ts';
import { keyItem, keyParams } from './key-schemas.ts';

const switchRoute = (word: 'enable' | 'disable', summary: string) =>
  defineRoute({
    operationId: `${word}ApiKey`,
    method: 'post',
    path: `/api/v1/api-keys/{id}/${word}`,
    tag: 'API keys',
    summary,
    access: 'key:manage',
    workspace: 'reach',
    safe: false,
    audit: `key.${word}`,
    params: keyParams,
    answer: keyItem,
    errors: ['grant_exceeded', 'key_changed', 'key_not_found'],
    async run({ params }, context) {
      const key = await findKeyWithin(context, params.id);
      const grantor = await grantorFor(context, key);
      const changed = await updateKey(context, grantor, key, { enabled: word === 'enable' });
      return await oneKeyItem(context, changed);
    },
  });

export const enableKeyRoute = switchRoute('enable', 'Switch an API key on again');
export const disableKeyRoute = switchRoute('disable', 'Switch an API key off, until it is enabled');
