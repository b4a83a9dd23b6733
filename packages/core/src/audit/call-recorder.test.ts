import { expect, it } from 'vitest';
import type { AuditRecord } from './audit-log.ts';
import { createCallRecorder } from './call-recorder.ts';

const record = (target: string): AuditRecord => ({
  actor: { kind: 'server' },
  action: 'mcp.call',
  target,
});

function createRecorder() {
  const groups: (string | null | undefined)[][] = [];
  const errors: unknown[] = [];
  const state = { fails: false, run: (): void => undefined, delayMs: 0 };
  const recorder = createCallRecorder({
    auditLog: {
      async recordAll(records) {
        if (state.fails) throw new Error('no room');
        groups.push(records.map(({ target }) => target));
      },
    },
    clock: { nowMs: () => 7 },
    timers: {
      after(delayMs, run) {
        Object.assign(state, { run, delayMs });
        return () => Object.assign(state, { run: () => undefined });
      },
    },
    onError: (error) => void errors.push(error),
  });
  return { recorder, groups, errors, state };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('stores what was taken within a moment in one group, in order', async () => {
  const { recorder, groups, state } = createRecorder();
  await recorder.take(record('a'));
  await recorder.take(record('b'));
  expect(groups).toEqual([]);
  state.run();
  await settled();
  await recorder.take(record('c'));
  await recorder.close();
  expect(groups).toEqual([['a', 'b'], ['c']]);
});

it('keeps what the store does not take, and tries again later', async () => {
  const { recorder, groups, errors, state } = createRecorder();
  state.fails = true;
  await recorder.take(record('a'));
  state.run();
  await settled();
  expect([errors.length, state.delayMs]).toEqual([1, 1_000]);
  await recorder.take(record('b'));
  state.fails = false;
  state.run();
  await settled();
  expect(groups).toEqual([['a', 'b']]);
});

it('makes calls wait for the store, and fail with it, when too many are waiting', async () => {
  const { recorder, groups, state } = createRecorder();
  state.fails = true;
  for (let index = 1; index < 2_000; index += 1) await recorder.take(record('a'));
  await expect(recorder.take(record('b'))).rejects.toThrow('no room');
  state.fails = false;
  await recorder.take(record('c'));
  expect(groups.flat()).toHaveLength(2_001);
});
