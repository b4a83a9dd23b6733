import { z } from 'zod';
import { optional, resourceId, teamId } from '../resource-ids.ts';
import { destroyTimeoutNames } from './destroy-timeout.ts';
import { egressSchema } from './egress-schema.ts';

const wholeBetween = (least: number, most: number) => optional(z.int().min(least).max(most));
const flag = optional(z.boolean());

/**
 * Fields that nobody knows are passed over: the clients send whatever their callers gave them, options
 * of their own included.
 */
export const createSandboxBody = z
  .object({
    name: optional(z.string().min(1).max(64)),
    template: optional(z.string().min(1).max(200)),
    teamId,
    environmentId: optional(resourceId),
    region: optional(z.string()),
    specs: optional(
      z.object({
        cpu: wholeBetween(1, 2_000),
        memory: wholeBetween(1, 2_048),
        disk: wholeBetween(1, 5),
      }),
    ),
    autoDestroy: flag,
    destroyTimeout: optional(z.enum(destroyTimeoutNames)),
    oneShot: flag,
    blockOutbound: flag,
    egress: optional(egressSchema),
    persistent: flag,
    persistentDiskGB: wholeBetween(10, 50),
    volumeId: optional(resourceId),
    mountPath: optional(
      z.string().regex(/^\/[A-Za-z0-9._/-]+$/, {
        error: 'must be an absolute path of letters, digits, dots, hyphens, underscores, and not /',
      }),
    ),
    fromSnapshot: optional(resourceId),
    snapshotMode: optional(z.enum(['manual', 'automatic'])),
    snapshotFrequency: optional(
      z.string().regex(/^\S+( \S+){4}$/, { error: 'must be a cron expression of five fields' }),
    ),
  })
  .superRefine((body, context) => {
    for (const [field, problem] of problemsOf(body)) {
      context.addIssue({ code: 'custom', path: [field], message: problem });
    }
  });

interface Related {
  readonly environmentId?: unknown;
  readonly autoDestroy?: boolean | undefined;
  readonly destroyTimeout?: unknown;
  readonly blockOutbound?: boolean | undefined;
  readonly egress?: { readonly mode: string; readonly allow?: unknown } | undefined;
  readonly persistent?: boolean | undefined;
  readonly persistentDiskGB?: unknown;
  readonly volumeId?: unknown;
  readonly mountPath?: unknown;
  readonly snapshotMode?: string | undefined;
  readonly snapshotFrequency?: unknown;
}

/** What does not go together. */
function* problemsOf(body: Related): Iterable<readonly [field: string, problem: string]> {
  if (body.environmentId !== undefined) {
    yield ['environmentId', 'this server has no project environments; leave it out'];
  }
  if (body.autoDestroy === true && body.destroyTimeout === undefined) {
    yield ['destroyTimeout', 'is required with autoDestroy'];
  }
  if (body.blockOutbound === true && body.egress !== undefined) {
    yield ['blockOutbound', 'cannot be sent together with egress'];
  }
  if (body.egress?.allow !== undefined && body.egress.mode !== 'restricted') {
    yield ['egress.allow', 'goes with mode restricted alone'];
  }
  const isPersistent = body.persistent === true;
  if (isPersistent && body.persistentDiskGB === undefined) {
    yield ['persistentDiskGB', 'is required with persistent'];
  }
  if (isPersistent && body.volumeId !== undefined) {
    yield ['volumeId', 'cannot be sent together with persistent'];
  }
  if (body.mountPath !== undefined && !isPersistent && body.volumeId === undefined) {
    yield ['mountPath', 'needs persistent or volumeId'];
  }
  const isAutomatic = body.snapshotMode === 'automatic';
  if (isAutomatic && body.snapshotFrequency === undefined) {
    yield ['snapshotFrequency', 'is required with snapshotMode automatic'];
  }
  if (!isAutomatic && body.snapshotFrequency !== undefined) {
    yield ['snapshotFrequency', 'goes with snapshotMode automatic alone'];
  }
}
