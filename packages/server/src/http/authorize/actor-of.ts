import { type AuditActor, callerActor } from '@sandgate/core';
import type { Access } from './authorizer.ts';

/** Who a call is by, for the audit. */
export const actorOf = ({ caller }: Pick<Access, 'caller'>): AuditActor =>
  caller.kind === 'key' ? callerActor(caller.key.number) : { kind: 'development' };
