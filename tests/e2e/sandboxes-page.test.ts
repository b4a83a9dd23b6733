import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/sandboxes.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess({ home: join(folder, 'home') });
});

afterAll(async () => {
  await server.stop();
});

it('docs/sandboxes.md has only commands that work, in its order', async () => {
  expect(blocks.length).toBeGreaterThan(5);
  const { stdout } = await promisify(execFile)('/bin/sh', ['-e', '-c', blocks.join('\n')], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      SANDGATE: server.address,
      KEY: server.firstKey,
    },
  });
  for (const told of [
    '"stdout":"hello\\nTYPED\\n"',
    '"stdout":"42\\n"',
    'data: {"text":"1\\n',
    '[0, 1, 4, 9, 16]',
    'IndexError',
    'some data',
    'packed',
    'got two',
    '"ended":true',
    'event: exit',
    '/dev/pts/',
    '{"type":"exit","status":"exited","exit_code":0}',
    'Directory listing for /',
    '"reached":true',
    '"previous":"starting"',
    '"stdout":"some data"',
    '"stdout":"kept for later\\n"',
    '"allow":["pypi.org","*.pythonhosted.org"],"live":true',
    '"state":"paused"',
    '"state":"stopped"',
    '"state":"destroyed"',
  ]) {
    expect(stdout).toContain(told);
  }
});
