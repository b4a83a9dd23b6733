import { beforeAll, expect, it, vi } from 'vitest';
import { OutputBudget } from '../../packages/server/src/http/output-budget.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let keys: readonly string[];

beforeAll(async () => {
  test = await createTestApp(folder);
  keys = await Promise.all(
    ['one', 'other'].map(async (namespace) => (await test.issue({ namespace })).text),
  );
});

const command = { command: 'true' };
const doors: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
  rpc: (key) => test.call('sandbox.metrics.get', {}, key),
  native: async (key) => {
    const { body } = await test.api('POST', '/sandboxes', key, { template: 'python' });
    return await test.api('POST', `/sandboxes/${body.id}/exec`, key, command);
  },
  mcp: (key) =>
    Promise.resolve(
      test.app.request('/mcp', {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      }),
    ),
};

it.each(Object.keys(doors))(
  'what answers hold is counted for each of two callers apart: %s',
  async (door) => {
    const open = vi.spyOn(OutputBudget.prototype, 'open');
    for (const key of [...keys, ...keys]) await doors[door]?.(key);
    const holders = open.mock.calls.map(([, holder]) => holder);
    open.mockRestore();
    expect(holders).toHaveLength(4);
    expect(new Set(holders).size).toBe(2);
    expect(holders).not.toContain('');
  },
);
