import type { RequestedLifetime } from '@sandgate/core';
import type { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import type { lifetime } from './sandbox-schemas.ts';

export const requestedLifetime = (fields: z.output<typeof lifetime>): RequestedLifetime =>
  givenFields({
    expiresInMs: fields.expires_in,
    idleTimeoutMs: fields.idle_timeout,
    maxLifetimeMs: fields.max_lifetime,
    pausedTimeoutMs: fields.paused_timeout,
    oneShot: fields.one_shot,
  });
