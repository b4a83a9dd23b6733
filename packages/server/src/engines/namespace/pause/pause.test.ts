import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandLines, type ServerInTest, startServer } from '../start-server-in-test.ts';

const isRoot = process.getuid?.() === 0;
const ordinaryUser = isRoot ? { user: 1_234_567 } : {};

let state: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-pause-'));
  chmodSync(state, 0o755);
  mkdirSync(join(state, 'own'), { mode: 0o700 });
  if (isRoot) chownSync(join(state, 'own'), 1_234_567, 1_234_567);
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(state, { recursive: true, force: true });
});

function start(server: Omit<ServerInTest, 'stateDirectory'>, body: string): ChildProcess {
  const child = startServer({ ...server, stateDirectory: join(state, 'own') }, body);
  children.push(child);
  return child;
}

/** For a server's program: the CPU time in ticks of the others that have the mark in their command line. */
const ticksOf = `
  const fs = process.getBuiltinModule('fs');
  const ticks = (mark) => {
    let sum = 0;
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name))) {
      try {
        if (Number(pid) === process.pid) continue;
        if (!fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').includes(mark)) continue;
        const stat = fs.readFileSync('/proc/' + pid + '/stat', 'latin1');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        sum += Number(fields[11]) + Number(fields[12]);
      } catch {}
    }
    return sum;
  };`;

describe.each([
  { launcher: 'bubblewrap', name: 'as the test’s user' },
  { launcher: 'bubblewrap', name: 'as an ordinary user', ...ordinaryUser },
  { launcher: 'util-linux', name: 'as an ordinary user', ...ordinaryUser },
] as const)('a sandbox of $launcher $name', (server) => {
  it('uses no CPU while it is paused, nor while a snapshot of it is made, and ends with its server', async () => {
    const mark = `loop${Date.now()}`;
    const child = start(
      server,
      `${ticksOf}
       await engine.reconcile();
       const { capabilities } = await engine.probe();
       const sandbox = await engine.start(spec);
       const script = '(while :; do (:); done) & (while :; do :; done) & kill -STOP $$; : ${mark}';
       run(sandbox, 'sh', '-c', script).catch(() => {});
       const ran = async (from) => {
         while (ticks('${mark}') <= from) await new Promise((resolve) => setTimeout(resolve, 10));
       };
       await ran(5);
       const grown = [];
       for (let round = 0; round < 3; round += 1) {
         await sandbox.pause();
         const before = ticks('${mark}');
         await new Promise((resolve) => setTimeout(resolve, 200));
         grown.push(ticks('${mark}') - before);
         if (round === 1) {
           await sandbox.snapshot('b'.repeat(24));
           grown.push(ticks('${mark}') - before);
         }
         await sandbox.resume();
         await ran(before);
       }
       await sandbox.snapshot('c'.repeat(24));
       await ran(ticks('${mark}'));
       const count = 'grep -ls "^State:.T" /proc/[0-9]*/status | wc -l';
       const stopped = Number((await run(sandbox, 'sh', '-c', count))[1]);
       await sandbox.pause();
       console.log(JSON.stringify({ pause: capabilities.pause, grown, stopped }));`,
    );
    const [said] = child.stdout === null ? [] : await once(child.stdout, 'data');
    expect(JSON.parse(String(said))).toEqual({
      pause: 'user' in server || !isRoot ? 'signals' : 'freezer',
      grown: [0, 0, 0, 0],
      // The shell that has stopped itself is not continued.
      stopped: 1,
    });
    const own = join(state, 'own');
    const left = (): string[] =>
      commandLines().filter((line) => line.includes(mark) || line.includes(own));
    expect(left().length).toBeGreaterThan(1);
    child.kill('SIGKILL');
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
  });
});
