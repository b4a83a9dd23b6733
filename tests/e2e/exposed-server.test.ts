import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startServer } from '../../packages/server/src/main.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();

it.each([
  ['0.0.0.0', 1],
  ['127.0.0.1', 0],
])('warns of keys in clear text when it listens on %s without TLS', async (host, warnings) => {
  const outcome = await startServer({
    home: join(folder, host),
    environment: { PATH: process.env.PATH },
    flags: { host, port: '0' },
  });
  if (outcome.kind !== 'started') throw new Error('it runs already');
  const { server } = outcome;
  await server.close();
  expect(server.warnings.filter((text) => text.includes('clear text'))).toHaveLength(warnings);
});
