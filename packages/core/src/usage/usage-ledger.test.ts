import { describe, expect, it } from 'vitest';
import type { UsageBatch } from '../port/usage-store.ts';
import { createUsageLedger } from './usage-ledger.ts';
import type { NewUsageRow } from './usage-row.ts';

const row = (requestId: string): NewUsageRow => ({
  keyNumber: 1,
  workspaceId: null,
  requestId,
  method: 'GET',
  endpoint: '/x',
  status: 200,
  accepted: true,
  errorCode: null,
  durationMs: 1,
  atMs: 1,
  sandboxId: null,
});
const end = (id: number) => ({ id, status: 200, errorCode: null, durationMs: 1, sandboxId: null });

function ledgerWithTurns(write: (batch: UsageBatch) => Promise<readonly number[]>) {
  const turns: (() => void)[] = [];
  const ledger = createUsageLedger({ write }, (run) => turns.push(run));
  return { ledger, endTurn: () => turns.shift()?.() };
}

describe('the usage ledger', () => {
  it('commits all of one turn together, and answers nothing before', async () => {
    const batches: UsageBatch[] = [];
    let nextId = 10;
    const { ledger, endTurn } = ledgerWithTurns(async (batch) => {
      batches.push(batch);
      return batch.begun.map(() => nextId++);
    });
    const answered: string[] = [];
    const all = [
      ledger.record(row('a')).then(() => answered.push('a')),
      ledger.begin(row('b')).then((id) => answered.push(`b ${id}`)),
      ledger.end(end(7)).then(() => answered.push('end')),
    ];
    await Promise.resolve();
    expect(answered).toEqual([]);
    endTurn();
    await Promise.all(all);
    expect(batches).toEqual([{ begun: [row('a'), row('b')], ended: [end(7)] }]);
    expect(answered.sort()).toEqual(['a', 'b 11', 'end']);
  });

  it('refuses all of a turn whose commit fails, and goes on with the next', async () => {
    let broken = true;
    const { ledger, endTurn } = ledgerWithTurns(async () => {
      if (broken) throw new Error('disk full');
      return [1];
    });
    const first = ledger.record(row('a'));
    endTurn();
    await expect(first).rejects.toThrow('disk full');
    broken = false;
    const second = ledger.record(row('b'));
    endTurn();
    await second;
  });
});
