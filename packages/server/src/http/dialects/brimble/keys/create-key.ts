import { mintKey, SandgateError, type Scope, sandboxScopes } from '@sandgate/core';
import { callerKey } from '../../../authorize/caller-key.ts';
import { defineBrimbleRoute, teamQuery } from '../brimble-route.ts';
import { changeBrimbleKey } from './change-brimble-key.ts';
import { findBrimbleKey } from './find-brimble-key.ts';
import { keyObject } from './key-object.ts';

/** Everything that Brimble's clients do. Keys are made and reset by other credentials. */
const brimbleScopes: readonly Scope[] = [...sandboxScopes, 'mcp:call'];

/** The only answer, beside that of a reset, with the text of a key. */
export const createKeyRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/core/v1/api-key/create',
  status: 201,
  message: 'API key created',
  credential: 'account',
  scope: 'key:manage',
  safe: false,
  body: teamQuery.optional(),
  async run(_, context) {
    const { workspace, limitsOf, access } = context;
    const { key, text } = await changeBrimbleKey(context, 'key.issue', async (dependencies) => {
      if ((await findBrimbleKey(context, workspace)) !== null) {
        throw new SandgateError('key_exists', 'This workspace has a Brimble key already. Reset it');
      }
      const grantor = { caller: callerKey({ access }), workspace, limitsOf };
      const request = { name: 'Brimble API key', prefix: 'bk_', scopes: brimbleScopes } as const;
      return await mintKey(dependencies, grantor, request);
    });
    return { data: { ...keyObject(key, context), api_key: text } };
  },
});
