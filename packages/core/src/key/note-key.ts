import type { AuditedChange } from '../audit/audited-change.ts';
import type { ApiKey } from './api-key.ts';

/** Says in the record of a change which key it is about. */
export function noteKey(change: AuditedChange, key: ApiKey): void {
  change.note({
    target: `key:${key.number}`,
    workspaceId: key.workspaceId,
    details: {
      id: key.id,
      name: key.name,
      ...(key.parentNumber === null ? {} : { parent: key.parentNumber }),
    },
  });
}
