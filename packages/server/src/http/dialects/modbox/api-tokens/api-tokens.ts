import {
  type ApiKey,
  digestKeyText,
  issueKey,
  parseKeyText,
  revokeKey,
  SandgateError,
} from '@sandgate/core';
import { z } from 'zod';
import { requirePerson } from '../../../people/people-context.ts';
import { type AuthorisedModboxContext, defineModboxRoute, optionalText } from '../modbox-route.ts';

const time = (timeMs: number | null): string | null =>
  timeMs === null ? null : new Date(timeMs).toISOString();

/** A token as lists show it: never its text. */
const tokenItem = (key: ApiKey) => ({
  id: key.id,
  description: key.description,
  prefix: key.prefix,
  last_four: key.lastFour,
  created_at: time(key.createdAtMs),
  last_used_at: time(key.lastUsedAtMs),
  expires_at: time(key.expiresAtMs),
  is_active: key.enabled,
});

export const createTokenRoute = defineModboxRoute({
  method: 'post',
  path: '/api-tokens',
  status: 201,
  access: 'user',
  workspace: 'header',
  audit: 'key.issue',
  body: z.object({
    description: optionalText(1_000),
    expires_in_seconds: z.int().min(1).max(3_153_600_000).nullish(),
  }),
  async run({ description = '', expires_in_seconds: seconds }, context) {
    const { user } = requirePerson(context);
    const home = await context.storage.workspaces.findById(user.homeWorkspaceId);
    if (home === null) throw new SandgateError('workspace_not_found', 'Workspace not found');
    const { key, text } = await issueKey(context, {
      name: description.slice(0, 100),
      description,
      prefix: 'mbx_',
      namespace: home.slug,
      owner: { ownerId: user.id, followsOwner: true },
      ...(seconds == null ? {} : { expiresInMs: seconds * 1_000 }),
    });
    return { ...tokenItem(key), token: text };
  },
});

export const listTokensRoute = defineModboxRoute({
  method: 'get',
  path: '/api-tokens',
  access: 'user',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const { user } = requirePerson(context);
    const keys = await context.storage.keys.listOfOwner(user.id);
    return { tokens: keys.map(tokenItem) };
  },
});

/** By id, or by the token's own text, as documented: the text is in no log, error or usage row. */
export const revokeTokenRoute = defineModboxRoute({
  method: 'delete',
  path: '/api-tokens/{token}',
  access: 'user',
  workspace: 'header',
  audit: 'key.revoke',
  async run(_, context) {
    const { user } = requirePerson(context);
    const key = await namedToken(context);
    if (key === null || key.ownerId !== user.id || key.revokedAtMs !== null) {
      throw new SandgateError('key_not_found', 'API token not found');
    }
    await revokeKey(context, key.id);
    return { success: true };
  },
});

async function namedToken(context: AuthorisedModboxContext): Promise<ApiKey | null> {
  const { storage, serverKey, params } = context;
  const { token = '' } = params;
  if (parseKeyText(token) !== null) {
    const found = await storage.keys.findByDigest(digestKeyText(serverKey(), token));
    return found?.key ?? null;
  }
  return /^[0-9a-f]{24}$/.test(token) ? await storage.keys.findById(token) : null;
}
