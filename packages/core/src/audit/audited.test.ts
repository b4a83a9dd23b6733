import { beforeEach, expect, it } from 'vitest';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Sandboxes } from '../sandbox/sandboxes.ts';
import { newWorkspace } from '../workspace/workspace.ts';
import type { AuditAppend } from './audit-chain.ts';
import type { AuditRecord } from './audit-log.ts';
import { auditSandboxes } from './audit-sandboxes.ts';
import { audited, type ChangeLog } from './audited.ts';

let records: AuditRecord[];
/** What was given to a store to commit. */
let given: (readonly AuditRecord[])[];
const appended: AuditAppend = () => {
  throw new Error('Nothing here stores anything.');
};
let log: ChangeLog;
beforeEach(() => {
  records = [];
  given = [];
  log = {
    record: async (record) => void records.push(record),
    append(of) {
      given.push(of);
      return appended;
    },
  };
});

const attempt = { actor: { kind: 'operator' }, action: 'key.revoke', target: 'key:7' } as const;

it('records what was done, with what is known of it afterwards', async () => {
  const result = await audited(
    log,
    attempt,
    async () => 5,
    (days) => ({ details: { days } }),
  );
  expect(result).toBe(5);
  expect(records).toEqual([{ ...attempt, outcome: 'done', details: { days: 5 } }]);
});

it('gives the record to the store that makes the change, with what is known by then, and records it once', async () => {
  const result = await audited(log, { ...attempt, details: { by: 'hand' } }, async (change) => {
    change.note({ target: 'key:8', details: { name: 'ci' } });
    expect(change.append()).toBe(appended);
    expect(change.alsoAppend('workspace.create', { target: 'workspace:w' })).toBe(appended);
    return 5;
  });
  expect(result).toBe(5);
  expect(records).toEqual([]);
  expect(given).toMatchObject([
    [{ ...attempt, target: 'key:8', outcome: 'done', details: { by: 'hand', name: 'ci' } }],
    [{ actor: attempt.actor, action: 'workspace.create', target: 'workspace:w' }],
  ]);
});

it('records a change that its store has undone as a failure', async () => {
  const full = new SandgateError('storage_unavailable', 'The disk is full');
  const work = audited(log, attempt, async (change) => {
    change.append();
    throw full;
  });
  await expect(work).rejects.toBe(full);
  expect(records).toMatchObject([{ outcome: 'failed', details: { code: 'storage_unavailable' } }]);
});

it('records a failure with its code, and throws it on', async () => {
  const error = new SandgateError('key_not_found', 'API key not found');
  await expect(audited(log, attempt, () => Promise.reject(error))).rejects.toBe(error);
  expect(records).toEqual([{ ...attempt, outcome: 'failed', details: { code: 'key_not_found' } }]);
});

it('fails a call whose record cannot be stored', async () => {
  const full = new SandgateError('storage_unavailable', 'The disk is full');
  const refusing = { ...log, record: () => Promise.reject(full) };
  await expect(audited(refusing, attempt, async () => 5)).rejects.toBe(full);
});

it('records starts and stops of sandboxes for whoever asks at the time', async () => {
  const workspace = newWorkspace({ id: 'w', uuid: 'u', slug: 'team', createdAtMs: 1 });
  const sandbox = { id: 's1', definition: { image: 'microsandbox/python' } } as Sandbox;
  const plain = {
    start: async () => sandbox,
    stop: () => Promise.reject(new SandgateError('sandbox_not_found', 'Sandbox not found')),
    runningCount: () => 3,
  } as unknown as Sandboxes;
  let keyNumber = 0;
  const sandboxes = auditSandboxes(plain, log, () => {
    keyNumber += 1;
    return { actor: { kind: 'key', keyNumber }, address: '192.0.2.1', requestId: 'r' };
  });
  expect(await sandboxes.start(workspace, 'box', null)).toBe(sandbox);
  await expect(sandboxes.stop(workspace, 'box')).rejects.toMatchObject({
    code: 'sandbox_not_found',
  });
  expect(sandboxes.runningCount()).toBe(3);
  expect(records).toMatchObject([
    { action: 'sandbox.start', target: 'sandbox:s1', outcome: 'done', actor: { keyNumber: 1 } },
    {
      action: 'sandbox.stop',
      target: 'sandbox:box',
      outcome: 'failed',
      workspaceId: 'w',
      actor: { keyNumber: 2 },
      details: { code: 'sandbox_not_found' },
    },
  ]);
});
