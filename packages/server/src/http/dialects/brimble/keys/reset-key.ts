import { requireWithin, rotateKey, SandgateError } from '@sandgate/core';
import { callerKey, requireOwnKey } from '../../../authorize/caller-key.ts';
import { defineBrimbleRoute, teamQuery } from '../brimble-route.ts';
import { changeBrimbleKey } from './change-brimble-key.ts';
import { findBrimbleKey } from './find-brimble-key.ts';
import { keyObject } from './key-object.ts';

/** The old text is refused from the moment of the answer. What was used of the quota stays used. */
export const resetKeyRoute = defineBrimbleRoute({
  method: 'PATCH',
  path: '/core/v1/api-key/reset',
  message: 'API key reset',
  credential: 'account',
  scope: 'key:manage',
  safe: false,
  body: teamQuery.optional(),
  async run(_, context) {
    const { workspace, limitsOf, access } = context;
    const { key, text } = await changeBrimbleKey(context, 'key.rotate', async (dependencies) => {
      const found = await findBrimbleKey(context, workspace);
      if (found === null) throw new SandgateError('key_not_found', 'There is no Brimble key');
      requireOwnKey({ access }, found);
      // The new text is as good as the key: whoever gets it must be allowed all that the key is.
      requireWithin(found, { caller: callerKey({ access }), workspace, limitsOf });
      return await rotateKey(dependencies, found.id, { expectedRevision: found.revision });
    });
    return { data: { ...keyObject(key, context), api_key: text } };
  },
});
