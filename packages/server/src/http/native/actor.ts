import { type AuditActor, type AuditContext, callerActor } from '@sandgate/core';
import { z } from 'zod';
import type { Access } from '../authorize/authorizer.ts';
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

export const actorOf = ({ caller }: Access): AuditActor =>
  caller.kind === 'key' ? callerActor(caller.key.number) : { kind: 'development' };

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
