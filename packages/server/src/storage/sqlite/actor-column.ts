import type { AuditActor } from '@sandgate/core';

/** Who did something, as one JSON column. */
export const toActorColumn = (actor: AuditActor): string => JSON.stringify(actor);

export const fromActorColumn = (column: string): AuditActor => JSON.parse(column) as AuditActor;
