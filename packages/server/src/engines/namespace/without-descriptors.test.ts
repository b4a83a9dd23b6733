import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let state: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-engine-'));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(state, { recursive: true, force: true });
});

/** Words for a server of its own, as the limit is of a whole process. */
const words = (stateDirectory: string): string => `
  import { closeSync, openSync, readdirSync } from 'node:fs';
  import { setTimeout } from 'node:timers/promises';
  import { createNamespaceEngine } from ${JSON.stringify(new URL('./namespace-engine.ts', import.meta.url).href)};
  const state = ${JSON.stringify(stateDirectory)};
  const engine = createNamespaceEngine({ stateDirectory: state });
  const specOf = (digit, maxProcesses = 64) => ({
    id: digit.repeat(24), hostname: 'box', image: 'node', environment: {}, workdir: '/workspace',
    resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses }, mounts: [], scripts: {},
  });
  const taken = [];
  const release = (count = taken.length) => { for (const fd of taken.splice(0, count)) closeSync(fd); };
  /** Leaves the server this many descriptors. */
  const leave = (free) => {
    try { for (;;) taken.push(openSync('/dev/null')); } catch {}
    release(free);
  };
  const open = () => readdirSync('/proc/self/fd').length;
  const settled = async (count) => {
    for (let round = 0; round < 200 && open() > count; round += 1) await setTimeout(10);
    return open();
  };
  const outcomes = {};
  const count = async (work) => {
    const outcome = await work().then(() => 'fine', (error) => error.code);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const ended = [];
  process.on('uncaughtException', (error) => ended.push(error.message));
`;

async function run(body: string): Promise<unknown> {
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      'ulimit -n 256; exec "$@"',
      'sh',
      process.execPath,
      '--conditions=@sandgate/source',
      '--input-type=module',
      '-e',
      words(state) + body,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' },
  );
  children.push(child);
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString('utf8');
  });
  await once(child, 'close');
  return JSON.parse(text);
}

describe('a server without free descriptors', () => {
  it('refuses commands, keeps those descriptors that it has, and goes on', async () => {
    const said = await run(`
      const sandbox = await engine.start(specOf('1'));
      const exec = (stdin) => sandbox.exec({
        argv: ['cat'], ...(stdin ? { stdin: Buffer.from('x') } : {}), onOutput: () => {},
      });
      await exec(true);
      await setTimeout(300);
      const before = open();
      for (let free = 0; free < 12; free += 1) {
        leave(free);
        await count(() => exec(false));
        await count(() => exec(true));
        release();
      }
      const after = await settled(before);
      await exec(true);
      console.log(JSON.stringify({ leaked: after - before, outcomes, ended }));
      await engine.close();
    `);
    expect(said).toEqual({
      leaked: expect.toSatisfy((leaked: number) => leaked <= 0),
      outcomes: { fine: expect.any(Number), capacity_exceeded: expect.any(Number) },
      ended: [],
    });
  });

  it('refuses sandboxes, and starts each of them later', async () => {
    const said = await run(`
      await engine.start(specOf('0'));
      await setTimeout(300);
      const before = open();
      for (let free = 0; free < 24; free += 1) {
        leave(free);
        const both = ['1', '2'].map((digit) => count(async () => {
          // One out of the stock, and one with limits that nothing in stock has.
          const sandbox = await engine.start(specOf(digit, digit === '1' ? 64 : 100 + free));
          await sandbox.stop().finally(release);
        }));
        await Promise.all(both);
        release();
      }
      for (const digit of '12') await (await engine.start(specOf(digit))).stop();
      const after = await settled(before);
      console.log(JSON.stringify({ leaked: after - before, outcomes, ended }));
      await engine.close();
    `);
    expect(said).toEqual({
      leaked: expect.toSatisfy((leaked: number) => leaked <= 0),
      outcomes: expect.toSatisfy(
        (outcomes: object) =>
          'capacity_exceeded' in outcomes &&
          Object.keys(outcomes).every((code) =>
            ['fine', 'capacity_exceeded', 'engine_failed'].includes(code),
          ),
      ),
      ended: [],
    });
  });
});
