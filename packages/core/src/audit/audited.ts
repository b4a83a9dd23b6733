import { SandgateError } from '../error/sandgate-error.ts';
import type { AuditContext, AuditLog, AuditRecord } from './audit-log.ts';

type Described = Pick<AuditRecord, 'target' | 'workspaceId' | 'details'>;

/**
 * Does something and records it, with what came of it. A failure is recorded with its code, and
 * thrown on. The record follows the change: a crash between the two loses the record, and a store
 * that takes no record fails the call although the change was made.
 */
export async function audited<Result>(
  auditLog: Pick<AuditLog, 'record'>,
  attempt: AuditContext & Described & { readonly action: string },
  work: () => Promise<Result>,
  describe: (result: Result) => Described = () => ({}),
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    const code = error instanceof SandgateError ? error.code : 'internal';
    await auditLog.record({
      ...attempt,
      outcome: 'failed',
      details: { ...attempt.details, code },
    });
    throw error;
  }
  await auditLog.record({ ...attempt, ...describe(result), outcome: 'done' });
  return result;
}
