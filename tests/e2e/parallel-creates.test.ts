import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callApi } from '../support/call-api.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { createDoorClient, type DoorAnswer, type DoorClient } from '../support/soak/door-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const planned = 10;
const own = 4;
/** As many calls as one key may have in progress, about. */
const half = 500;
const unlimited = { minute: null, hour: null, day: null, quota24h: null };

let server: ServerProcess;

beforeAll(async () => {
  const home = temporaryFolder();
  const plans = { standard: { requests: unlimited, sandboxes: { sandboxes: planned } } };
  writeFileSync(join(home, 'config.json'), JSON.stringify({ plans }));
  server = await startServerProcess({ home });
});

afterAll(() => server.stop());

async function makeKey(workspace: string, restrictions: object): Promise<string> {
  const { body, text } = await callApi(server.address, 'POST', '/api-keys', server.firstKey, {
    name: 'crowd',
    ...{ workspace, restrictions },
  });
  if (body?.key === undefined) throw new Error(text);
  return body.key;
}

async function withClient<Result>(
  key: string,
  work: (client: DoorClient) => Promise<Result>,
): Promise<Result> {
  const client = createDoorClient(server.address, key);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

const createAtOnce = (key: string, count: number): Promise<readonly DoorAnswer[]> =>
  withClient(key, (client) =>
    Promise.all(Array.from({ length: count }, () => client.brimble('POST', '/sandboxes', {}))),
  );

const countListed = (key: string): Promise<number> =>
  withClient(key, async (client) => {
    const { body } = await client.brimble('GET', '/sandboxes');
    return body.data.totalCount;
  });

const destroyAll = (key: string, answers: readonly DoorAnswer[]): Promise<unknown> =>
  withClient(key, (client) =>
    Promise.all(
      answers
        .filter(({ status }) => status === 201)
        .map(({ body }) => client.brimble('DELETE', `/sandboxes/${body.data.id}`)),
    ),
  );

const counted = (answers: readonly DoorAnswer[]): Readonly<Record<number, number>> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

it(`makes exactly ${planned} of ${2 * half} sandboxes asked for at once where a plan allows ${planned}`, async () => {
  const keys = [await makeKey('planned', {}), await makeKey('planned', {})];
  const answers = (await Promise.all(keys.map((key) => createAtOnce(key, half)))).flat();
  expect(counted(answers)).toEqual({ 201: planned, 403: 2 * half - planned });
  const refused = answers.filter(({ status }) => status === 403).map(({ body }) => body.message);
  expect([...new Set(refused)]).toEqual([
    `Your plan allows up to ${planned} sandboxes. Destroy an existing one or upgrade.`,
  ]);
  expect(await countListed(keys[0] ?? '')).toBe(planned);
}, 120_000);

it(`makes exactly ${own} of ${half} where the key may make ${own}, and as many again when those are gone`, async () => {
  const key = await makeKey('own', { max_sandboxes: own });
  for (const count of [half, half / 10]) {
    const answers = await createAtOnce(key, count);
    expect(counted(answers)).toEqual({ 201: own, 403: count - own });
    await destroyAll(key, answers);
  }
}, 120_000);
