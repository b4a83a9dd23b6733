import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { verifyAudit } from '@sandgate/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sampleId, sampleServerKey } from '../contract/sample-records.ts';
import { openSqliteStorage } from './open-sqlite-storage.ts';

let folder: string;
let file: string;
const children: ChildProcessWithoutNullStreams[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-sqlite-'));
  file = join(folder, 'sandgate.db');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function runFixture(name: string, ...parameters: string[]) {
  const path = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@sandgate/source', path, ...parameters]);
  children.push(child);
  return child;
}

interface RacerReport {
  readonly version: number;
  readonly workspaceId: string;
  readonly keyNumbers: readonly number[];
  readonly wonRotations: readonly number[];
}

it('lets processes that make one database at the same moment share it without a conflict', async () => {
  const racers = 4;
  const started = Array.from({ length: racers }, (_, index) =>
    runFixture('race-for-everything.ts', file, String(index + 1)),
  );
  const readers = started.map(({ stdout }) => createInterface(stdout)[Symbol.asyncIterator]());
  for (const lines of readers) expect(await lines.next()).toMatchObject({ value: 'ready' });
  for (const { stdin } of started) stdin.end();
  const reports = await Promise.all(
    readers.map(async (lines) => JSON.parse((await lines.next()).value ?? '') as RacerReport),
  );
  // Not even Node's warning that node:sqlite is experimental, which some versions print.
  expect(await Promise.all(started.map(({ stderr }) => text(stderr)))).toEqual(['', '', '', '']);

  expect(reports.map(({ version }) => version)).toEqual([1, 1, 1, 1]);
  expect(new Set(reports.map(({ workspaceId }) => workspaceId)).size).toBe(1);
  expect(new Set(reports.flatMap(({ keyNumbers }) => keyNumbers)).size).toBe(racers * 20);
  const rotations = reports.flatMap(({ wonRotations }) => wonRotations);
  expect(new Set(rotations).size).toBe(rotations.length);

  const storage = await openSqliteStorage({ file });
  const shared = await storage.keys.findById(sampleId(1_000_000));
  expect(shared?.revision).toBe(rotations.length + 1);
  expect(shared?.usageCount).toBe(racers * 20);
  expect(await storage.keys.countLive()).toBe(racers * 20 + 1);
  expect(await verifyAudit(storage.audit, { serverKey: sampleServerKey })).toMatchObject({
    intact: true,
    entries: racers * 20,
  });
  await storage.close();
});

it('keeps every answered write of a process that is killed', async () => {
  const writer = runFixture('write-until-killed.ts', file);
  const answered: { number: number; ended: number; open: number }[] = [];
  for await (const line of createInterface(writer.stdout)) {
    const [number = 0, ended = 0, open = 0] = line.split(' ').map(Number);
    answered.push({ number, ended, open });
    if (answered.length === 300) writer.kill('SIGKILL');
  }

  const storage = await openSqliteStorage({ file });
  expect(answered.length).toBeGreaterThanOrEqual(300);
  for (const { number, ended, open } of answered) {
    expect(await storage.keys.findByNumber(number)).toMatchObject({
      id: sampleId(number),
      usageCount: 2,
    });
    const { rows } = await storage.usage.list({ keyNumber: number }, { limit: 10 });
    expect(rows.map(({ id, status }) => ({ id, status }))).toEqual([
      { id: open, status: 0 },
      { id: ended, status: 200 },
    ]);
  }
  while (await storage.usage.rollUp(100));
  const total = await storage.usage.total();
  const under = total.calls - 2 * answered.length;
  expect(under === 0 || under === 2).toBe(true);
  expect(total.successes - answered.length).toBeLessThanOrEqual(1);
  // At most the one write that was under way is there beyond the answered ones.
  const stored = await storage.keys.countLive();
  expect(stored - answered.length).toBeLessThanOrEqual(1);
  await storage.close();
});
