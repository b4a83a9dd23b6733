import { addRegistry, changeRegistry, type Registry, removeRegistry } from '@sandgate/core';
import { z } from 'zod';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { type AuthorisedModboxContext, defineModboxRoute } from '../modbox-route.ts';
import { resourceIdOf, uuidOf } from '../sandboxes/resource-uuid.ts';

const fields = {
  name: z.string().min(1).max(255),
  server: z.string().min(1).max(512),
  username: z.string().min(1).max(255),
  password: z.string().min(1).max(512),
  email: z.string().max(320).nullable(),
  enabled: z.boolean(),
};

const createBody = z.object({
  ...fields,
  email: fields.email.default(null),
  enabled: fields.enabled.default(true),
});

/** Null is for what may be null alone; elsewhere it says nothing. */
const unlessNull = <Value>(value: Value | null | undefined): Value | undefined =>
  value ?? undefined;

const updateBody = z.object({
  name: fields.name.nullish().transform(unlessNull),
  server: fields.server.nullish().transform(unlessNull),
  username: fields.username.nullish().transform(unlessNull),
  password: fields.password.nullish().transform(unlessNull),
  email: fields.email.optional(),
  enabled: fields.enabled.nullish().transform(unlessNull),
});

/** A registry as this wire shows it: never with its password. */
const registryDetail = (registry: Registry) => ({
  id: uuidOf(registry.id),
  name: registry.name,
  server: registry.allowHttp ? `http://${registry.server}` : registry.server,
  username: registry.username,
  email: registry.email,
  enabled: registry.enabled,
  created_at: new Date(registry.createdAtMs).toISOString(),
  updated_at: new Date(registry.updatedAtMs).toISOString(),
});

export const listRegistriesRoute = defineModboxRoute({
  method: 'get',
  path: '/registries',
  access: 'sandbox:read',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const own = await context.storage.registries.list(namedWorkspace(context).id);
    return { registries: own.map(registryDetail) };
  },
});

export const createRegistryRoute = defineModboxRoute({
  method: 'post',
  path: '/registries',
  status: 201,
  access: 'workspace:manage',
  workspace: 'header',
  audit: 'registry.create',
  body: createBody,
  run: async (body, context) =>
    registryDetail(await addRegistry(context, namedWorkspace(context), body)),
});

/** What is left out stays as it is. */
export const updateRegistryRoute = defineModboxRoute({
  method: 'put',
  path: '/registries/{registry_id}',
  access: 'workspace:manage',
  workspace: 'header',
  audit: 'registry.update',
  body: updateBody,
  run: async (body, context) =>
    registryDetail(await changeRegistry(context, namedWorkspace(context), idIn(context), body)),
});

export const deleteRegistryRoute = defineModboxRoute({
  method: 'delete',
  path: '/registries/{registry_id}',
  access: 'workspace:manage',
  workspace: 'header',
  audit: 'registry.delete',
  async run(_, context) {
    await removeRegistry(context, namedWorkspace(context), idIn(context));
    return { success: true };
  },
});

/** What is no id is the id of none. */
const idIn = ({ params }: AuthorisedModboxContext): string =>
  resourceIdOf(params.registry_id ?? '') ?? '';
