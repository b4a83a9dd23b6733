import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { RegistryCredentials } from '../port/image-puller.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import type { TextSealer } from '../port/text-sealer.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { passwordOf, type Registry, registryTarget } from './registry.ts';
import { requireRegistryServer } from './registry-server.ts';

/** Nothing is changed without a record of it. */
export interface RegistryChangeDependencies {
  readonly storage: Pick<Storage, 'registries'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly sealer: TextSealer;
  readonly change: AuditedChange;
}

export interface NewRegistry {
  readonly name: string;
  /** Host with a port where there is one; with `http://` before it, one without TLS. */
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly email: string | null;
  readonly enabled: boolean;
}

export type RegistryChanges = {
  readonly [Field in keyof NewRegistry]?: NewRegistry[Field] | undefined;
};

const maxRegistriesOfWorkspace = 100;

const noRegistry = (): SandgateError => new SandgateError('not_found', 'Registry not found');

/** @throws SandgateError `invalid_request`, `quota_exceeded` */
export async function addRegistry(
  dependencies: RegistryChangeDependencies,
  workspace: Pick<Workspace, 'id'>,
  { name, server, username, password, email, enabled }: NewRegistry,
): Promise<Registry> {
  const { storage, clock, randomness, sealer } = dependencies;
  const nowMs = clock.nowMs();
  const owned = { id: newResourceId(clock, randomness), workspaceId: workspace.id };
  const registry: Registry = {
    ...owned,
    name,
    ...requireRegistryServer(server),
    username: requireUsername(username),
    sealedPassword: sealer.seal(password, passwordOf(owned)),
    email,
    enabled,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  const record = recordOf(dependencies.change);
  await storage.registries.insert(registry, maxRegistriesOfWorkspace, record);
  return registry;
}

/** What is left out stays as it is. @throws SandgateError `not_found`, `invalid_request` */
export async function changeRegistry(
  { storage, clock, sealer, change }: RegistryChangeDependencies,
  workspace: Pick<Workspace, 'id'>,
  id: string,
  changes: RegistryChanges,
): Promise<Registry> {
  const changed = Object.entries(changes).flatMap(([field, value]) =>
    value === undefined ? [] : [field],
  );
  change.note({ target: registryTarget({ id }), details: { changed: changed.join(',') } });
  const { name, server, username, password, email, enabled } = changes;
  const place = server === undefined ? null : requireRegistryServer(server);
  const registry = await storage.registries.change(
    workspace.id,
    id,
    (stored) => {
      if (password === undefined) requireSamePlace(stored, place ?? stored);
      return {
        ...stored,
        ...place,
        name: name ?? stored.name,
        username: username === undefined ? stored.username : requireUsername(username),
        sealedPassword:
          password === undefined
            ? stored.sealedPassword
            : sealer.seal(password, passwordOf(stored)),
        email: email === undefined ? stored.email : email,
        enabled: enabled ?? stored.enabled,
        updatedAtMs: clock.nowMs(),
      };
    },
    recordOf(change),
  );
  if (registry === null) throw noRegistry();
  return registry;
}

/** Images that name it cannot be pulled from then on. @throws SandgateError `not_found` */
export async function removeRegistry(
  { storage, change }: Pick<RegistryChangeDependencies, 'storage' | 'change'>,
  workspace: Pick<Workspace, 'id'>,
  id: string,
): Promise<void> {
  change.note({ target: registryTarget({ id }) });
  if (!(await storage.registries.remove(workspace.id, id, recordOf(change)))) throw noRegistry();
}

/**
 * The one that an image of a workspace is pulled from.
 * @throws SandgateError `image_unknown`
 */
export async function requireRegistry(
  storage: Pick<Storage, 'registries'>,
  workspaceId: string,
  id: string,
): Promise<Registry> {
  const registry = await storage.registries.find(workspaceId, id);
  if (registry === null) {
    throw new SandgateError(
      'image_unknown',
      'The registry of this image was deleted. Name another in the image',
    );
  }
  if (registry.enabled) return registry;
  throw new SandgateError('image_unknown', `The registry "${registry.name}" is not enabled`);
}

/** As whom its images are pulled. @throws SandgateError `registry_unauthorized` */
export function openCredentials(
  sealer: Pick<TextSealer, 'open'>,
  registry: Registry,
): RegistryCredentials {
  const password = sealer.open(registry.sealedPassword, passwordOf(registry));
  if (password !== null) return { username: registry.username, password };
  throw new SandgateError(
    'registry_unauthorized',
    `The password of the registry "${registry.name}" was encrypted under a server key that is gone. Set it again`,
  );
}

const recordOf = (change: AuditedChange) => (registry: Registry) => {
  const { name, server, workspaceId } = registry;
  change.note({ target: registryTarget(registry), workspaceId, details: { name, server } });
  return change.append();
};

/** Else whoever may change it could have a password sent to himself that nobody is shown. */
function requireSamePlace(
  stored: Registry,
  { server, allowHttp }: Pick<Registry, 'server' | 'allowHttp'>,
): void {
  if (server === stored.server && allowHttp === stored.allowHttp) return;
  throw new SandgateError(
    'invalid_request',
    `server: the password was given for ${stored.server}. Give the one for ${server} with it`,
  );
}

/** It ends at the first colon in HTTP Basic (RFC 7617, 2). */
function requireUsername(username: string): string {
  if (!/[:\p{Cc}]/u.test(username)) return username;
  throw new SandgateError('invalid_request', 'username: must have no colon or control characters');
}
