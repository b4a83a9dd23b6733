import { afterAll, beforeAll, expect, it } from 'vitest';
import { callApi } from '../support/call-api.ts';
import { callRpc, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess({ home });
});
afterAll(() => server.stop());

it('counts the sandboxes of a key with those of its children, also after a restart', async () => {
  const operator = server.firstKey;
  const create = async (key: string, body: object): Promise<string> =>
    (await callApi(server.address, 'POST', '/api-keys', key, body)).body.key;
  const parent = await create(operator, {
    name: 'agents',
    workspace: 'default',
    restrictions: { max_sandboxes: 2 },
  });
  const child = await create(parent, { name: 'one agent' });
  const start = async (key: string, sandbox: string) =>
    (await callRpc(server.address, 'sandbox.start', { sandbox }, key)).body.error?.data.code ??
    'started';
  expect(await start(child, 'one')).toBe('started');
  const rest = await Promise.all(
    Array.from({ length: 6 }, (_, index) => start(index % 2 ? child : parent, `more-${index}`)),
  );
  expect(rest.filter((outcome) => outcome === 'started')).toHaveLength(1);
  expect(new Set(rest)).toEqual(new Set(['started', 'quota_exceeded']));
  await server.stop();
  server = await startServerProcess({ home });
  expect(await start(parent, 'late')).toBe('quota_exceeded');
  expect(await start(operator, 'others')).toBe('started');
});
