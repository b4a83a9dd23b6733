import { expect, it } from 'vitest';
import { DockerSandbox, type DockerSandboxParts } from './docker-sandbox.ts';

it('is stopped by the next try when the daemon could not do it', async () => {
  const ended = Promise.withResolvers<number>();
  let tries = 0;
  const container = {
    id: 'one',
    async kill() {
      tries += 1;
      if (tries === 1) throw new Error('The daemon is busy');
      ended.resolve(137);
    },
    remove: async () => undefined,
  };
  const sandbox = new DockerSandbox({
    spec: { id: 'a'.repeat(24), workdir: '/workspace' },
    languages: [],
    terminal: null,
    container,
    events: { end: () => ended.promise },
    agent: { close: () => undefined },
  } as unknown as DockerSandboxParts);
  await expect(sandbox.stop({ keepLayer: false })).rejects.toMatchObject({
    code: expect.any(String),
  });
  await sandbox.stop({ keepLayer: false });
  expect([tries, await sandbox.exited]).toEqual([2, 'stopped']);
});
