import { SandgateError } from '@sandgate/core';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { findBrimbleKey } from './find-brimble-key.ts';
import { keyObject } from './key-object.ts';

/** Whether there is a key, and how much it may be used. */
export const showKeyRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/core/v1/api-key',
  message: 'API key fetched',
  credential: 'account',
  scope: 'key:manage',
  safe: true,
  async run(_, context) {
    const key = await findBrimbleKey(context, context.workspace);
    if (key === null) throw new SandgateError('key_not_found', 'There is no Brimble key');
    return { data: keyObject(key, context) };
  },
});
