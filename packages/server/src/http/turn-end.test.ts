import { describe, expect, it } from 'vitest';
import { createTurnEnd } from './turn-end.ts';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the end of a turn', () => {
  it('settles after everything was gathered, and after the promises that came of it', async () => {
    const { gather, settle } = createTurnEnd();
    const order: string[] = [];
    const follow = async (name: string): Promise<void> => {
      order.push(name);
      for (let hop = 0; hop < 10; hop += 1) await null;
      settle(() => order.push(`settle ${name}`));
    };
    gather(() => void follow('one'));
    gather(() => void follow('two'));
    await nextTurn();
    expect(order).toEqual([]);
    await nextTurn();
    expect(order).toEqual(['one', 'two', 'settle one', 'settle two']);
  });

  it('settles what nothing was gathered for', async () => {
    const { settle } = createTurnEnd();
    const settled = new Promise<void>((resolve) => settle(resolve));
    await settled;
  });

  it('leaves what is asked for while it settles to the next turn, and loses none', async () => {
    const { gather, settle } = createTurnEnd();
    const order: number[] = [];
    settle(() => {
      order.push(1);
      settle(() => order.push(3));
      gather(() => order.push(2));
    });
    await nextTurn();
    expect(order).toEqual([1]);
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    expect(order.toSorted()).toEqual([1, 2, 3]);
  });

  it('leaves what is more than a group to the next turn, and settles each by itself', async () => {
    const { gather, settle } = createTurnEnd();
    const order: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      gather(() => {
        order.push('run');
        settle(() => order.push('settled'));
      });
    }
    const groupOf = (length: number) => [
      ...Array(length).fill('run'),
      ...Array(length).fill('settled'),
    ];
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    expect(order).toEqual([...groupOf(16), ...groupOf(16), ...groupOf(8)]);
  });

  it('gathers what every turn brings, but not for ever, and runs all of it together', async () => {
    const batches: number[][] = [];
    let batch: number[] = [];
    const { gather } = createTurnEnd((work) => {
      batch = [];
      work();
      batches.push(batch);
    });
    for (let turn = 0; turn < 8; turn += 1) {
      gather(() => batch.push(turn));
      await nextTurn();
    }
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    expect(batches).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
  });
});
