import type { Registry } from '@sandgate/core';
import { z } from 'zod';
import { heldKey, holdsNoKey, time, toTime } from '../shared-schemas.ts';

export const registryParams = z.strictObject({
  registry: z.string().max(64).meta({ description: 'Its id' }),
});

const settings = {
  name: z.string().min(1).max(255).refine(holdsNoKey, heldKey).meta({ description: 'For display' }),
  server: z.string().min(1).max(512).refine(holdsNoKey, heldKey).meta({
    description: 'Host of the registry, as in ghcr.io or registry.example:5000',
  }),
  username: z.string().min(1).max(255).refine(holdsNoKey, heldKey),
  password: z.string().min(1).max(8_192).meta({
    description: 'Or a token of the registry. Encrypted, and never shown',
  }),
};
const email = z.string().max(255).refine(holdsNoKey, heldKey).nullable().optional();
const enabled = z.boolean().optional();

export const newRegistryBody = z.strictObject({ ...settings, email, enabled });
export const registryChangesBody = z.strictObject({
  name: settings.name.optional(),
  server: settings.server.optional(),
  username: settings.username.optional(),
  password: settings.password.optional(),
  email,
  enabled,
});

export const registryItem = z
  .strictObject({
    id: z.string(),
    workspace_id: z.string(),
    name: z.string(),
    server: z.string(),
    username: z.string(),
    password_outdated: z.boolean().meta({
      description: 'It was encrypted under a server key that is gone: set it again',
    }),
    email: z.string().nullable(),
    enabled: z.boolean(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Registry' });

export const toRegistryItem = (
  registry: Registry,
  serverKeyVersion: number,
): z.input<typeof registryItem> => ({
  id: registry.id,
  workspace_id: registry.workspaceId,
  name: registry.name,
  server: registry.allowHttp ? `http://${registry.server}` : registry.server,
  username: registry.username,
  password_outdated: registry.sealedPassword.serverKeyVersion !== serverKeyVersion,
  email: registry.email,
  enabled: registry.enabled,
  created_at: toTime(registry.createdAtMs),
  updated_at: toTime(registry.updatedAtMs),
});
