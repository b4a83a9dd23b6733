import type { AuditContext, AuditRecord } from './audit-log.ts';
import { audited, type ChangeLog } from './audited.ts';
import type { AuditedChange } from './audited-change.ts';

export type KeyAction =
  | 'key.issue'
  | 'key.mint'
  | 'key.update'
  | 'key.rotate'
  | 'key.revoke'
  | 'key.enable'
  | 'key.disable';

/**
 * Changes a key and records it. `reference` is what the caller named the key by, recorded when it came
 * to nothing; leave it out where it could be anything.
 */
export async function auditKeyChange<Result>(
  auditLog: ChangeLog,
  attempt: AuditContext & {
    readonly action: KeyAction;
    readonly reference?: string;
    readonly details?: NonNullable<AuditRecord['details']>;
  },
  work: (change: AuditedChange) => Promise<Result>,
): Promise<Result> {
  const { reference, details = {}, ...context } = attempt;
  // What is no id may be the text of a key, put there by mistake.
  const named = reference !== undefined && /^([0-9]{1,15}|[0-9a-f]{24})$/.test(reference);
  return await audited(
    auditLog,
    { ...context, details, ...(named ? { target: `key:${reference}` } : {}) },
    work,
  );
}
