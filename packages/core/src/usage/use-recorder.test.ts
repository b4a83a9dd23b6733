import { describe, expect, it } from 'vitest';
import type { KeyUse } from '../port/storage.ts';
import { createUseRecorder } from './use-recorder.ts';

function recorderWithTurns(recordUse: (uses: readonly KeyUse[]) => Promise<void>) {
  const turns: (() => void)[] = [];
  const recorder = createUseRecorder({ recordUse }, (run) => turns.push(run));
  return { recorder, endTurn: () => turns.shift()?.() };
}

describe('the recorder of uses', () => {
  it('commits all uses of one turn together, and answers none of them before', async () => {
    const commits: (readonly KeyUse[])[] = [];
    const { recorder, endTurn } = recorderWithTurns(async (uses) => void commits.push(uses));
    const answered: string[] = [];
    const all = [
      recorder.record('a', 5).then(() => answered.push('a')),
      recorder.record('b', 6).then(() => answered.push('b')),
      recorder.record('a', 4).then(() => answered.push('a')),
    ];
    await Promise.resolve();
    expect(answered).toEqual([]);
    endTurn();
    await Promise.all(all);
    expect(commits).toEqual([
      [
        { keyId: 'a', count: 2, lastUsedAtMs: 5 },
        { keyId: 'b', count: 1, lastUsedAtMs: 6 },
      ],
    ]);
  });

  it('refuses every use of a turn whose commit fails, and goes on with the next turn', async () => {
    let broken = true;
    const { recorder, endTurn } = recorderWithTurns(async () => {
      if (broken) throw new Error('disk full');
    });
    const first = recorder.record('a', 1);
    endTurn();
    await expect(first).rejects.toThrow('disk full');
    broken = false;
    const second = recorder.record('a', 2);
    endTurn();
    await expect(second).resolves.toBeUndefined();
  });
});
