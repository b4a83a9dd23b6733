import type { AuditActor, AuditContext } from '@sandgate/core';
import { z } from 'zod';
import { actorOf } from '../authorize/actor-of.ts';
import type { AuthorisedContext } from './route.ts';

/** Who did something, as this door shows it. */
export const actor = z
  .strictObject({
    kind: z.enum(['key', 'user', 'operator', 'server', 'development', 'stranger']),
    api_key_id: z.int().nullable(),
    user_id: z.int().nullable(),
  })
  .meta({ id: 'Actor' });

export const toActor = (from: AuditActor): z.input<typeof actor> => ({
  kind: from.kind,
  api_key_id: from.kind === 'key' ? from.keyNumber : null,
  user_id: from.kind === 'user' ? from.userNumber : null,
});

/** For what records itself. */
export const auditContextOf = ({
  access,
  address,
  requestId,
}: AuthorisedContext): AuditContext => ({
  actor: actorOf(access),
  address,
  requestId,
});
