import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import type { VolumeMount } from '../port/engine.ts';
import type { EgressPolicy } from '../port/engine-egress.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { buildDefinition, requireMountPoint } from './build-definition.ts';
import { buildEgressPolicy } from './egress-policy.ts';
import { findReadySnapshot } from './find-snapshot.ts';
import type { NewSandbox, RequestedLifetime } from './new-sandbox.ts';
import { volumeNotFound } from './not-found.ts';
import { findOwnImage } from './own-image.ts';
import type { SandboxFacts } from './sandbox.ts';
import type { RegistryImage, SandboxDefinition } from './sandbox-definition.ts';
import type { SandboxImage } from './sandbox-image.ts';
import type { SandboxLifetime } from './sandbox-lifetime.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Snapshot, SnapshotSchedule } from './snapshot.ts';
import type { TemplateCatalogue } from './template-catalogue.ts';

/** What a request says of a sandbox, checked and complete. Its name and id are the caller's part. */
export type ComposedSandbox = Pick<
  SandboxFacts,
  | 'definition'
  | 'template'
  | 'labels'
  | 'egress'
  | 'volumes'
  | 'fromSnapshot'
  | 'lifetime'
  | 'snapshotSchedule'
>;

const invalid = (message: string): SandgateError => new SandgateError('invalid_request', message);

/** @throws SandgateError as `Sandboxes.create` does, before anything was made */
export async function composeSandbox(
  parts: SandboxParts,
  catalogue: TemplateCatalogue,
  workspace: Workspace,
  requested: NewSandbox,
): Promise<ComposedSandbox> {
  const { policy, clock } = parts;
  const snapshot =
    requested.fromSnapshot === undefined
      ? null
      : await findReadySnapshot(parts, workspace, requested.fromSnapshot);
  const source = await sourceOf(parts, catalogue, workspace, { snapshot, requested });
  const egress = await requireEgress(parts, requested.egress ?? policy.egress);
  return {
    definition: {
      ...buildDefinition(
        { ...withDefaultsOf(source.own, requested), ...madeOf(source) },
        snapshot === null ? null : withoutSecrets(snapshot.definition),
        policy,
      ),
    },
    template: source.template,
    labels: requireLabels(requested.labels ?? {}),
    egress,
    volumes: await requireVolumes(parts, workspace, requested.volumes ?? []),
    fromSnapshot: snapshot?.id ?? null,
    lifetime: toLifetime(
      { ...lifetimeOf(source.own), ...requested.lifetime },
      { ...policy.lifetime, expiresAtMs: null, oneShot: false },
      clock.nowMs(),
    ),
    snapshotSchedule: requireSchedule(parts, requested.snapshotSchedule ?? null),
  };
}

/** The secrets of one sandbox are not those of the next. */
export function withoutSecrets({
  secretEnvironment: _,
  sealed: __,
  ...definition
}: SandboxDefinition): SandboxDefinition {
  return definition;
}

interface Source {
  readonly template: string;
  /** Null: that of the snapshot. */
  readonly image: string | null;
  readonly registryImage: RegistryImage | null;
  /** The workspace's image that it is. */
  readonly own: SandboxImage | null;
}

async function sourceOf(
  { storage, policy }: SandboxParts,
  catalogue: TemplateCatalogue,
  workspace: Workspace,
  { snapshot, requested }: { readonly snapshot: Snapshot | null; readonly requested: NewSandbox },
): Promise<Source> {
  const plain = { registryImage: null, own: null };
  if (snapshot !== null) return { template: snapshot.template, image: null, ...plain };
  const { registryImage } = requested;
  if (registryImage !== undefined) {
    const { reference } = registryImage;
    return { template: reference, image: reference, registryImage, own: null };
  }
  const name = requested.template ?? policy.defaultTemplate;
  const found = await findOwnImage(storage, catalogue, workspace, name);
  if (found === null) return { template: name, image: catalogue.find(name).image, ...plain };
  return {
    template: name,
    image: found.registryImage?.reference ?? catalogue.find(found.name).image,
    registryImage: found.registryImage,
    own: found.image,
  };
}

const madeOf = ({ image, registryImage }: Source) => ({
  ...(image === null ? {} : { image }),
  ...(registryImage === null ? {} : { registryImage }),
});

const withDefaultsOf = (own: SandboxImage | null, requested: NewSandbox): NewSandbox =>
  own === null || own.memoryMib === null
    ? requested
    : { ...requested, resources: { memoryMib: own.memoryMib, ...requested.resources } };

/** Counted from the start, as the image says. */
const lifetimeOf = (own: SandboxImage | null): RequestedLifetime =>
  own === null || own.ttlMs === null ? {} : { maxLifetimeMs: own.ttlMs };

/** @throws SandgateError `egress_invalid`, `capability_missing` */
export async function requireEgress(
  parts: SandboxParts,
  requested: EgressPolicy,
): Promise<EgressPolicy> {
  const policy = buildEgressPolicy(requested);
  if (policy.mode === 'deny_all') return policy;
  const { capabilities } = await parts.report();
  if (capabilities.egress === true) return policy;
  throw new SandgateError(
    'capability_missing',
    'The sandboxes of this server have no network. Leave egress out, or run msb doctor to see what is missing',
  );
}

const maxLabels = 64;
const labelForm = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const maxLabelValue = 256;

/** @throws SandgateError `invalid_request`, naming every label that is wrong */
export function requireLabels(
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  const problems = entries.flatMap(([name, value]) => {
    if (!labelForm.test(name)) {
      return [
        `"${name}" is not a label: use up to 63 letters, digits, dots, slashes, hyphens and underscores`,
      ];
    }
    // They are stored, listed and shown.
    if (keyPattern.test(name) || keyPattern.test(value)) return [`${name} must not be an API key`];
    if (value.length <= maxLabelValue && !value.includes('\0')) return [];
    return [`the value of ${name} has more than ${maxLabelValue} characters, or a NUL`];
  });
  if (entries.length > maxLabels)
    problems.push(`${entries.length} labels, and ${maxLabels} are the most`);
  if (problems.length > 0) throw invalid(problems.join('; '));
  return labels;
}

const maxVolumes = 16;

async function requireVolumes(
  parts: SandboxParts,
  workspace: Workspace,
  requested: NonNullable<NewSandbox['volumes']>,
): Promise<readonly VolumeMount[]> {
  if (requested.length === 0) return [];
  if (parts.engine.volumes === undefined) {
    throw new SandgateError(
      'capability_missing',
      'This server has no volumes. Run msb doctor to see what is missing',
    );
  }
  if (requested.length > maxVolumes) {
    throw invalid(`${requested.length} volumes, and ${maxVolumes} are the most`);
  }
  const mounts = requested.map(({ volumeId, guestPath, readOnly = false }) => ({
    volumeId,
    guestPath: requireMountPoint(guestPath),
    readOnly,
  }));
  const paths = new Set(mounts.map(({ guestPath }) => guestPath));
  const ids = new Set(mounts.map(({ volumeId }) => volumeId));
  if (paths.size < mounts.length || ids.size < mounts.length) {
    throw invalid('Each volume can be attached once, and each path can have one volume');
  }
  for (const { volumeId } of mounts) {
    const volume = await parts.storage.volumes.findById(volumeId);
    if (volume?.workspaceId !== workspace.id) {
      throw volumeNotFound();
    }
  }
  return mounts;
}

/** @throws SandgateError `invalid_request` */
export function requireSchedule(
  parts: Pick<SandboxParts, 'nextCronMs' | 'clock'>,
  schedule: SnapshotSchedule | null,
): SnapshotSchedule | null {
  if (schedule === null) return null;
  const { cron, keep } = schedule;
  if (!Number.isInteger(keep) || keep < 1 || keep > 100) {
    throw invalid('A schedule keeps 1 to 100 snapshots');
  }
  if (parts.nextCronMs(cron, parts.clock.nowMs()) === null) {
    throw invalid(`The schedule "${cron}" names no time that ever comes`);
  }
  return { cron, keep };
}

const shortestMs = 1;
/** Some three thousand years: sums with the clock stay exact. */
const longestMs = 100_000_000_000_000;

/** @throws SandgateError `invalid_request` */
export function toLifetime(
  requested: RequestedLifetime,
  base: SandboxLifetime,
  nowMs: number,
): SandboxLifetime {
  const { expiresInMs, oneShot = base.oneShot } = requested;
  const span = (name: keyof RequestedLifetime & keyof SandboxLifetime & `${string}Ms`) => {
    const wanted = requested[name];
    return wanted === undefined ? base[name] : requireSpan(name, wanted);
  };
  const spanFromNow =
    expiresInMs === undefined ? undefined : requireSpan('expiresInMs', expiresInMs);
  return {
    expiresAtMs:
      spanFromNow === undefined
        ? base.expiresAtMs
        : spanFromNow === null
          ? null
          : nowMs + spanFromNow,
    idleTimeoutMs: span('idleTimeoutMs'),
    maxLifetimeMs: span('maxLifetimeMs'),
    pausedTimeoutMs: span('pausedTimeoutMs'),
    oneShot,
  };
}

function requireSpan(name: string, valueMs: number | null): number | null {
  if (valueMs === null) return null;
  if (Number.isInteger(valueMs) && valueMs >= shortestMs && valueMs <= longestMs) return valueMs;
  throw invalid(`${name} must be a whole number of milliseconds, 1 or more`);
}
