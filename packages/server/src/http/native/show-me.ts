import { personNumber, roles } from '@sandgate/core';
import { z } from 'zod';
import { oneKeyItem } from './api-keys/key-item.ts';
import { grantedScope, keyItem } from './api-keys/key-schemas.ts';
import { defineRoute } from './route.ts';
import { toSeconds } from './shared-schemas.ts';

export const showMeRoute = defineRoute({
  operationId: 'showMe',
  method: 'get',
  path: '/api/v1/me',
  tag: 'API keys',
  summary: 'Show who calls, what it may do, and what is left of each limit',
  description: 'This request itself is counted already.',
  access: 'any key',
  workspace: 'reach',
  safe: true,
  answer: z.strictObject({
    api_key: keyItem
      .nullable()
      .meta({ description: 'Null for an access token, and in development mode' }),
    user: z
      .strictObject({ id: z.int(), email: z.string(), name: z.string() })
      .nullable()
      .meta({ description: "Who the key or token acts as. Null for a key that is nobody's" }),
    role: z.enum(roles).nullable().meta({ description: 'Of the user, in the workspace' }),
    workspace: z
      .strictObject({ id: z.string(), uuid: z.string(), slug: z.string(), plan: z.string() })
      .nullable()
      .meta({ description: 'Null for a key of every workspace' }),
    scopes: z.array(grantedScope),
    limits: z.array(
      z.strictObject({
        name: z.string(),
        limit: z.int(),
        remaining: z.int(),
        window_seconds: z.number(),
        reset_after_seconds: z.number(),
      }),
    ),
  }),
  async run(_, context) {
    const { caller, workspace, limits } = context.access;
    const key = caller.kind === 'key' ? caller.key : null;
    const owner = caller.kind === 'key' ? caller.owner : null;
    const stored = key === null || personNumber(key.number) !== null ? null : key;
    // How often it was used is told by the store alone.
    const used = stored === null ? null : await context.storage.keys.findByNumber(stored.number);
    return {
      api_key:
        stored === null
          ? null
          : await oneKeyItem(context, {
              ...stored,
              usageCount: used?.usageCount ?? stored.usageCount,
              lastUsedAtMs: used?.lastUsedAtMs ?? stored.lastUsedAtMs,
            }),
      user:
        owner === null
          ? null
          : { id: owner.user.number, email: owner.user.email, name: owner.user.name },
      role: owner?.role ?? null,
      workspace:
        workspace === null
          ? null
          : {
              id: workspace.id,
              uuid: workspace.uuid,
              slug: workspace.slug,
              plan: workspace.plan,
            },
      scopes: key === null ? ['*' as const] : [...key.scopes],
      limits: limits.map(({ name, limit, remaining, widthMs, resetAfterMs }) => ({
        name: name === 'quota24h' ? 'quota_24h' : name,
        limit,
        remaining,
        window_seconds: toSeconds(widthMs),
        reset_after_seconds: toSeconds(resetAfterMs),
      })),
    };
  },
});
