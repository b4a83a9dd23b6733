import { SandgateError } from '../error/sandgate-error.ts';
import type { AuditContext, AuditLog, AuditRecord } from './audit-log.ts';
import type { AuditedChange, ChangeFacts } from './audited-change.ts';

/** What `audited` needs of the log. */
export type ChangeLog = Pick<AuditLog, 'append' | 'record'>;

/**
 * Does something and records it, with what came of it. A store that `work` gives the record to commits
 * both together. What it gives to none is recorded when it is done, as `describe` says, and a store
 * that takes no record then fails the call. A failure is recorded with its code, and thrown on: behind a record that says
 * `done`, it tells that the change was made, and what failed came after it.
 */
export async function audited<Result>(
  auditLog: ChangeLog,
  attempt: AuditContext & ChangeFacts & { readonly action: string },
  work: (change: AuditedChange) => Promise<Result>,
  describe: (result: Result) => ChangeFacts = () => ({}),
): Promise<Result> {
  let known: AuditRecord = attempt;
  let given = false;
  const change: AuditedChange = {
    note({ details, ...facts }) {
      known = { ...known, ...facts, details: { ...known.details, ...details } };
    },
    append() {
      given = true;
      return auditLog.append([{ ...known, outcome: 'done' }]);
    },
    alsoAppend: (action, facts) =>
      auditLog.append([{ ...attempt, target: null, details: {}, ...facts, action }]),
  };
  let result: Result;
  try {
    result = await work(change);
  } catch (error) {
    const code = error instanceof SandgateError ? error.code : 'internal';
    await auditLog.record({ ...known, outcome: 'failed', details: { ...known.details, code } });
    throw error;
  }
  if (!given) await auditLog.record({ ...known, ...describe(result), outcome: 'done' });
  return result;
}
