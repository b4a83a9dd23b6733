import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;

const limited = async (stored: Parameters<typeof createTestApp>[1]) => {
  test = await createTestApp(folder, stored);
  key = (await test.issue()).text;
};
beforeEach(() => limited({}));

const start = (sandbox: string, namespace = 'default') =>
  test.call('sandbox.start', { sandbox, namespace }, key);
const stop = (sandbox: string) => test.call('sandbox.stop', { sandbox }, key);
const workspace = async () => {
  const found = await test.storage.workspaces.findBySlug('default');
  if (found === null) throw new Error('There is no default namespace.');
  return found;
};
const quotaExceeded = { body: { error: { code: -32007, data: { code: 'quota_exceeded' } } } };

describe('stored sandboxes', () => {
  it('are so many in a namespace, and a removed one makes room', async () => {
    await limited({ stored: { sandboxesPerWorkspace: 2 } });
    await start('a');
    await start('b');
    expect(await start('c')).toMatchObject(quotaExceeded);
    expect(await start('c', 'other')).toMatchObject({ status: 200, body: { result: {} } });
    expect((await start('a')).body.result).toContain('started');
    await test.sandboxes.destroy(await workspace(), 'a');
    expect((await start('c')).body.result).toContain('started');
  });

  it('keep so many bytes in a namespace: a stop beyond that keeps what was kept before', async () => {
    await limited({ stored: { layerBytesPerWorkspace: 100 } });
    await start('a');
    await start('b');
    test.engine.layerBytes = 80;
    expect((await stop('a')).body.result).toContain('stopped');
    expect(await stop('b')).toMatchObject(quotaExceeded);
    expect([...test.engine.layers.values()]).toEqual([80]);
    expect(test.engine.live.size).toBe(0);
    await start('a');
    expect((await stop('a')).body.result).toContain('stopped');
    test.engine.layerBytes = 20;
    await start('b');
    expect((await stop('b')).body.result).toContain('stopped');
    expect(await start('c')).toMatchObject(quotaExceeded);
  });

  it('count again after a restart, and what a destroyed one left behind is removed', async () => {
    await start('a');
    await start('gone');
    test.engine.layerBytes = 30;
    await stop('a');
    await stop('gone');
    const gone = await test.sandboxes.destroy(await workspace(), 'gone');
    test.engine.layers.set(gone.id, 30);
    await test.sandboxes.reconcile();
    expect([...test.engine.layers.keys()]).not.toContain(gone.id);
    expect(test.engine.layers.size).toBe(1);
  });
});

describe('a destroyed sandbox', () => {
  it('is gone with its files, running or not, and its name is free', async () => {
    await start('running');
    await start('stopped');
    test.engine.layerBytes = 30;
    await stop('stopped');
    for (const name of ['running', 'stopped']) {
      const { id, state } = await test.sandboxes.destroy(await workspace(), name);
      expect(state).toBe('destroyed');
      expect(await test.storage.sandboxes.findById(id)).toMatchObject({ state: 'destroyed' });
      expect(await stop(name)).toMatchObject({
        body: { error: { data: { code: 'sandbox_not_found' } } },
      });
    }
    expect(test.engine.live.size + test.engine.layers.size).toBe(0);
    expect((await start('running')).body.result).toContain('started');
  });

  it('is found in its own workspace only', async () => {
    await start('box', 'other');
    await start('mine');
    await expect(test.sandboxes.destroy(await workspace(), 'box')).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
  });
});
