import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { insideOf, ordinaryUser } from '../support/attacked-server.ts';
import {
  machineResidue,
  noResidue,
  processesWith,
  runtimeDirectoryOf,
} from '../support/machine-residue.ts';
import { ownedFolder } from '../support/owned-folder.ts';
import {
  callRpc,
  runMsb,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts';

const isRoot = process.getuid?.() === 0;
const goneDeadlineMs = 20_000;
/** Two starts of a server, on a machine that may be busy. */
const deadlineMs = 120_000;

let running: ServerProcess | null = null;
afterEach(async () => {
  await running?.kill();
  running = null;
});

type Moment = readonly [string, (server: ServerProcess, mark: string) => unknown];

const sandbox = (server: ServerProcess, name = 'victim') => insideOf(server, name);

/** What the server is in the middle of when it is killed. */
const moments: readonly Moment[] = [
  ['a command runs', (server, mark) => sandbox(server).shell(`sleep 9${mark}; sleep 300`, 300)],
  [
    'a command left others in sessions of their own',
    (server, mark) =>
      sandbox(server).shell(
        `for i in 1 2 3; do setsid sh -c "trap '' HUP TERM INT; sleep 9${mark}; sleep 300" & done; sleep 300`,
      ),
  ],
  [
    'kernels are busy',
    async (server) =>
      await Promise.all([
        sandbox(server).repl(
          'python',
          'import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass',
          300,
        ),
        sandbox(server).repl('node', 'for (;;);', 300),
      ]),
  ],
  [
    'processes are forked all the time',
    (server) => sandbox(server).shell('while :; do (sleep 0.01 &) ; done', 300),
  ],
  [
    'it stops',
    async (server) => {
      await sandbox(server).shell('head -c 200000000 /dev/urandom >/workspace/much');
      setTimeout(
        () =>
          sandbox(server)
            .stop()
            .catch(() => {}),
        0,
      );
      await new Promise((resolve) => setTimeout(resolve, 60));
    },
  ],
  [
    'others start',
    async (server, mark) => {
      for (let index = 0; index < 8; index += 1) {
        sandbox(server, `starting-${index}`)
          .start({ envs: [`MARK=${mark}`] })
          .catch(() => {});
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
    },
  ],
];

const users = isRoot ? (['own', 'ordinary'] as const) : (['own'] as const);

describe.each(users)('a server that runs as its %s user and is killed', (user) => {
  it.each(moments)(
    'while %s leaves no process, and the next start is clean',
    async (_, act) => {
      const identity = user === 'ordinary' ? ordinaryUser : null;
      const home = ownedFolder(identity);
      const options = { home, ...(identity === null ? {} : { user: identity }) };
      running = await startServerProcess(options);
      const key = running.firstKey;
      const mark = `${process.pid}${Date.now() % 1_000_000}`;
      const victim = sandbox(running);
      await victim.start({ envs: [`MARK=${mark}`] });
      await victim.shell('echo saved >/workspace/file');
      await victim.stop();
      await victim.start();
      await victim.repl('python', 'state = 1');
      await victim.shell('echo unsaved >/workspace/file');
      expect(processesWith(mark).length).toBeGreaterThan(0);
      const acting = Promise.resolve(act(running, mark)).catch(() => {});
      await Promise.race([acting, new Promise((resolve) => setTimeout(resolve, 400))]);
      const runtime = runtimeDirectoryOf(home) ?? '';
      expect(existsSync(join(runtime, 'sandboxes'))).toBe(true);

      await running.kill();
      await expect
        .poll(() => [...processesWith(mark), ...processesWith(`${runtime}/`)], {
          timeout: goneDeadlineMs,
          interval: 20,
        })
        .toEqual([]);

      running = await startServerProcess(options);
      const { address } = running;
      const call = (method: string, params: object) => callRpc(address, method, params, key);
      const { body } = await call('sandbox.metrics.get', {});
      expect(body.result.sandboxes.length).toBeGreaterThan(0);
      expect(body.result.sandboxes.filter((one: { running: boolean }) => one.running)).toEqual([]);
      expect(machineResidue(home, running.process.pid ?? null)).toEqual(noResidue);
      expect(readdirSync(join(home, 'layers')).filter((name) => name.endsWith('.partial'))).toEqual(
        [],
      );
      const status = await runMsb(['server', 'status', '--json'], { home });
      expect(JSON.parse(status.stdout)).toMatchObject({ pid: running.process.pid, address });

      expect((await call('sandbox.start', { sandbox: 'victim' })).body.result).toContain('started');
      const file = { sandbox: 'victim', command: 'cat', args: ['/workspace/file'] };
      const { body: read } = await call('sandbox.command.run', file);
      // A stop that was under way may have been done.
      expect(read.result.output[0].text).toMatch(_ === 'it stops' ? /^(un)?saved$/ : /^saved$/);
      expect(await running.stop()).toBe(0);
      running = null;
      expect(processesWith(mark)).toEqual([]);
      expect(existsSync(runtime)).toBe(false);
    },
    deadlineMs,
  );
});

describe('a server that is asked to end', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s lets a call in progress end, takes no new one, and keeps the files',
    async (signal) => {
      const home = ownedFolder(null);
      running = await startServerProcess({ home });
      const key = running.firstKey;
      const mark = `${process.pid}${Date.now() % 1_000_000}`;
      const victim = sandbox(running);
      await victim.start({ envs: [`MARK=${mark}`] });
      const call = victim.shell(
        'echo begun >/workspace/begun; sleep 1; echo done | tee /workspace/done',
        20,
      );
      await expect
        .poll(async () => (await victim.shell('ls /workspace')).stdout, { interval: 20 })
        .toEqual(['begun']);
      const exited = new Promise((resolve) => running?.process.once('exit', resolve));
      running.process.kill(signal);
      expect((await call).stdout).toEqual(['done']);
      expect(await exited).toBe(0);
      await expect(callRpc(running.address, 'sandbox.metrics.get', {}, key)).rejects.toThrow(
        /ECONNREFUSED/,
      );
      expect(processesWith(mark)).toEqual([]);
      expect(existsSync(join(home, 'server.pid'))).toBe(false);

      running = await startServerProcess({ home });
      const again = (method: string, params: object) =>
        callRpc(running?.address ?? '', method, { sandbox: 'victim', ...params }, key);
      await again('sandbox.start', {});
      const { body } = await again('sandbox.command.run', { command: 'ls', args: ['/workspace'] });
      expect(body.result.output.map(({ text }: { text: string }) => text)).toEqual([
        'begun',
        'done',
      ]);
      await running.stop();
      running = null;
    },
    deadlineMs,
  );
});
