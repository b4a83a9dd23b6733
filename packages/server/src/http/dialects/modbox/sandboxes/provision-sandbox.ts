import { type NewSandbox, requireChosenSecret, type Sandbox, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { chooseImage } from '../images/choose-image.ts';
import { type AuthorisedModboxContext, defineModboxRoute } from '../modbox-route.ts';
import { sandboxUrlOf } from '../sandbox-url/sandbox-url.ts';
import { told } from '../told-failure.ts';
import { giveKey, requireUse, secretName } from './give-key.ts';
import { uuidOf } from './resource-uuid.ts';
import { endOf } from './sandbox-detail.ts';
import { taskLabels, taskNameOf } from './task-name.ts';

const ttlSeconds = z.int().min(60).max(86_400);

const provisionBody = z.object({
  task_id: z.string().min(1).max(255),
  image_id: z.uuid().nullish(),
  image: z.string().min(1).max(512).nullish(),
  ttl_seconds: ttlSeconds.nullish(),
  env_vars: z.record(z.string(), z.string()).nullish(),
});

/** Answers as soon as the sandbox is stored: `wait` tells when it runs. */
export const provisionSandboxRoute = defineModboxRoute({
  method: 'post',
  path: '/sandboxes/provision',
  access: 'sandbox:write',
  workspace: 'header',
  audit: null,
  safe: false,
  body: provisionBody,
  maxBodyBytes: 1024 * 1024,
  failure: told({ sandbox_id: null, sandbox_url: null, status: 'failed' }),
  async run(body, context) {
    const { env_vars } = body;
    const { [secretName]: secret, ...environment } = env_vars ?? {};
    const requested = { ...(await toNewSandbox(body, context)), environment };
    const sandbox = await begin(
      secret === undefined ? requested : { ...requested, ...withSecret(secret, context) },
      context,
    );
    context.about(sandbox.id);
    if (secret !== undefined) await giveKey(sandbox, secret, context);
    const expiresAtMs = endOf(sandbox);
    return {
      success: true,
      error: null,
      sandbox_id: uuidOf(sandbox.id),
      sandbox_url: sandboxUrlOf(context.sandboxUrls, sandbox.id, context.url),
      status: 'provisioning',
      expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
    };
  },
});

/** @throws SandgateError `invalid_request`, `scope_missing` */
function withSecret(secret: string, context: AuthorisedModboxContext) {
  requireChosenSecret(secretName, secret);
  requireUse(context);
  return { secretEnvironment: { [secretName]: secret } };
}

/** What becomes of it after it is stored is in its record, and in the audit. */
async function begin(
  requested: NewSandbox & { readonly name: string },
  context: AuthorisedModboxContext,
): Promise<Sandbox> {
  const { sandboxes } = context.access;
  const workspace = namedWorkspace(context);
  // A second one would wait for the first to be ready before it is refused.
  const same = { name: requested.name };
  if ((await sandboxes.list(workspace, same, { limit: 1 })).total > 0) throw taken();
  return await new Promise((resolve, reject) => {
    sandboxes
      .create(workspace, requested, { onStored: resolve })
      .then(resolve, (error: unknown) =>
        reject(error instanceof SandgateError && error.code === 'sandbox_exists' ? taken() : error),
      );
  });
}

const taken = (): SandgateError =>
  new SandgateError(
    'sandbox_exists',
    'There is a sandbox of this task_id. Destroy it first, or choose another task_id',
  );

async function toNewSandbox(
  body: z.output<typeof provisionBody>,
  context: AuthorisedModboxContext,
): Promise<NewSandbox & { readonly name: string }> {
  const { task_id, image = null, image_id = null, ttl_seconds } = body;
  const { storage, access } = context;
  const named = { image, image_id };
  const chosen = await chooseImage(
    { storage, sandboxes: access.sandboxes },
    namedWorkspace(context),
    named,
  );
  const ttlMs = ttl_seconds == null ? chosen.ttlMs : ttl_seconds * 1_000;
  const { template, registryImage, memoryMib } = chosen;
  return {
    name: taskNameOf(task_id),
    labels: taskLabels(task_id),
    ...(template === undefined ? {} : { template }),
    ...(registryImage === undefined ? {} : { registryImage }),
    ...(memoryMib === undefined ? {} : { resources: { memoryMib } }),
    // Counted from `created_at`, as clients are told to.
    lifetime: ttlMs === undefined ? {} : { maxLifetimeMs: ttlMs },
  };
}
