import type { ApiKey } from '../key/api-key.ts';
import type { AuditContext, AuditLog, AuditRecord } from './audit-log.ts';
import { audited } from './audited.ts';

export type KeyAction =
  | 'key.issue'
  | 'key.mint'
  | 'key.update'
  | 'key.rotate'
  | 'key.revoke'
  | 'key.enable'
  | 'key.disable';

/**
 * Changes a key and records it, under the key's number. `reference` is what the caller named the key
 * by, recorded when it came to nothing; leave it out where it could be anything.
 */
export async function auditKeyChange<Result extends ApiKey | { readonly key: ApiKey }>(
  auditLog: Pick<AuditLog, 'record'>,
  attempt: AuditContext & {
    readonly action: KeyAction;
    readonly reference?: string;
    readonly details?: AuditRecord['details'];
  },
  change: () => Promise<Result>,
): Promise<Result> {
  const { reference, details = {}, ...context } = attempt;
  // What is no id may be the text of a key, put there by mistake.
  const named = reference !== undefined && /^([0-9]{1,15}|[0-9a-f]{24})$/.test(reference);
  return await audited(
    auditLog,
    { ...context, details, ...(named ? { target: `key:${reference}` } : {}) },
    change,
    (result) => {
      const key: ApiKey = isKey(result) ? result : result.key;
      return {
        target: `key:${key.number}`,
        workspaceId: key.workspaceId,
        details: { ...details, id: key.id, name: key.name },
      };
    },
  );
}

const isKey = (result: ApiKey | { readonly key: ApiKey }): result is ApiKey => 'revision' in result;
