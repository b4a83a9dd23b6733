import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { insideOf } from '../support/attacked-server.ts';
import { runMsb, type ServerProcess, startServerProcess } from '../support/server-process.ts';

let home: string;
let server: ServerProcess;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sandgate-doctor-'));
  server = await startServerProcess({ home });
});
afterEach(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('msb doctor beside a running server', () => {
  it('leaves its sandboxes, their files and those that start later as they are', async () => {
    const box = insideOf(server, 'box');
    await box.start({ image: 'microsandbox/node' });
    await box.shell('echo kept >/workspace/file');
    const { exitCode, stdout } = await runMsb(['doctor'], { home, folder: home });
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('Sandboxes start through'),
    });
    expect((await box.shell('cat /workspace/file')).stdout).toEqual(['kept']);
    await box.stop();
    await box.start();
    expect((await box.shell('cat /workspace/file')).stdout).toEqual(['kept']);
  });
});
