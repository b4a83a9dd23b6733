import { describe, expect, it } from 'vitest';
import { type StoredLimits, StoredQuota } from './stored-quota.ts';

const quota = (limits: Partial<StoredLimits> = {}) =>
  new StoredQuota({
    sandboxesPerWorkspace: 2,
    sandboxes: 3,
    layerBytesPerWorkspace: 100,
    layerBytes: 150,
    ...limits,
  });

const keep = (stored: StoredQuota, id: string, workspace: string, bytes: number) => {
  const count = stored.countLayer(id, workspace);
  try {
    count.add(bytes);
  } catch (error) {
    count.end(false);
    throw error;
  }
  count.end(true);
};

describe('what may be stored', () => {
  it('is so many sandboxes in a workspace and so many in all, until some are removed', () => {
    const stored = quota();
    stored.enter('1', 'a');
    stored.enter('2', 'a');
    expect(() => stored.enter('3', 'a')).toThrow('This namespace has 2');
    stored.enter('3', 'b');
    expect(() => stored.enter('4', 'b')).toThrow('This server has 3');
    stored.leave('1');
    stored.enter('4', 'b');
  });

  it('is so many bytes in a workspace and in all', () => {
    const stored = quota({ sandboxes: 9 });
    stored.enter('1', 'a');
    stored.enter('2', 'b');
    keep(stored, '1', 'a', 100);
    expect(() => stored.enter('3', 'a')).toThrow('of this namespace keep');
    expect(() => keep(stored, '2', 'b', 51)).toThrow('of the server');
    keep(stored, '2', 'b', 50);
    expect(() => stored.enter('3', 'c')).toThrow('of this server keep');
    stored.leave('2');
    stored.enter('3', 'c');
  });

  it('counts what is being kept side by side, and forgets what was not kept', () => {
    const stored = quota();
    stored.enter('1', 'a');
    stored.enter('2', 'a');
    const one = stored.countLayer('1', 'a');
    const other = stored.countLayer('2', 'a');
    one.add(60);
    expect(() => other.add(60)).toThrow('could not be kept');
    other.end(false);
    one.end(false);
    keep(stored, '2', 'a', 100);
  });

  it('always takes a layer that did not grow, also after the limit was lowered', () => {
    const stored = quota();
    stored.load('1', 'a', 500);
    keep(stored, '1', 'a', 500);
    keep(stored, '1', 'a', 90);
    keep(stored, '1', 'a', 100);
    expect(() => keep(stored, '1', 'a', 101)).toThrow('could not be kept');
  });
});
