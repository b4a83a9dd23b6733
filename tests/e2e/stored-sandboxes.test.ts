import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttackedServer, startAttackedServer } from '../support/attacked-server.ts';
import { msbPath } from '../support/server-process.ts';

let running: AttackedServer;

beforeAll(async () => {
  running = await startAttackedServer({
    config: () => ({ stored: { filesMibPerNamespace: 16 } }),
  });
}, 60_000);
afterAll(() => running.close());

const layers = () => readdirSync(join(running.server.home, 'layers'));
const remove = async (name: string) =>
  await promisify(execFile)(process.execPath, [
    ...[msbPath, 'server', 'remove', name, '--path', running.server.home],
  ]);

it('keeps no more files than a namespace may have, and those of the run before', async () => {
  const { attacker, neighbour } = running;
  await attacker.shell('echo kept > /workspace/before');
  expect((await attacker.stop()).body.result).toContain('stopped');
  await attacker.start();
  await attacker.shell('head -c 30000000 /dev/urandom > /workspace/much');
  expect((await attacker.stop()).body.error).toMatchObject({
    code: -32007,
    data: { code: 'quota_exceeded' },
  });
  expect(layers()).toHaveLength(1);
  await attacker.start();
  expect((await attacker.shell('cat /workspace/*')).stdout).toEqual(['kept']);
  expect((await neighbour.run('/bin/echo', ['fine'])).stdout).toEqual(['fine']);
}, 60_000);

it('removes a sandbox for ever on a running server, with its files', async () => {
  const { attacker, neighbour } = running;
  await neighbour.stop();
  expect(layers()).toHaveLength(2);
  await remove('neighbour');
  await remove('attacker');
  expect(layers()).toEqual([]);
  expect((await attacker.run('/bin/true')).error).toMatchObject({
    data: { code: 'sandbox_not_found' },
  });
  await expect(remove('attacker')).rejects.toMatchObject({ code: 1 });
  await attacker.start();
  expect((await attacker.shell('ls /workspace')).stdout).toEqual([]);
}, 60_000);
