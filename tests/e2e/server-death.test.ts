import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insideOf, ordinaryUser, type SandboxInside } from '../support/attacked-server.ts';
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

type Moment = readonly [
  string,
  (server: ServerProcess, victim: SandboxInside, mark: string) => unknown,
];

/** What the server is in the middle of when it is killed. */
const moments: readonly Moment[] = [
  ['a command runs', (_, victim, mark) => victim.shell(`sleep 9${mark}; sleep 300`, 300)],
  [
    'a command left others in sessions of their own',
    (_, victim, mark) =>
      victim.shell(
        `for i in 1 2 3; do setsid sh -c "trap '' HUP TERM INT; sleep 9${mark}; sleep 300" & done; sleep 300`,
      ),
  ],
  [
    'kernels are busy',
    async (_, victim) =>
      await Promise.all([
        victim.repl(
          'python',
          'import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass',
          300,
        ),
        victim.repl('node', 'for (;;);', 300),
      ]),
  ],
  [
    'processes are forked all the time',
    (_, victim) => victim.shell('while :; do (sleep 0.01 &) ; done', 300),
  ],
  [
    'it stops',
    async (_, victim) => {
      await victim.shell('head -c 200000000 /dev/urandom >/workspace/much');
      setTimeout(() => victim.stop().catch(() => {}), 0);
      await new Promise((resolve) => setTimeout(resolve, 60));
    },
  ],
  [
    'others start',
    async (server, _, mark) => {
      for (let index = 0; index < 8; index += 1) {
        insideOf(server, `starting-${index}-${mark}`)
          .start({ envs: [`MARK=${mark}`] })
          .catch(() => {});
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
    },
  ],
];

const users = isRoot ? (['own', 'ordinary'] as const) : (['own'] as const);

type User = typeof ordinaryUser | null;

/**
 * One state directory for the tests of a part. The start after one server's end is what the next test begins
 * with: a start takes longer than what most of them do.
 */
class Restarted {
  readonly home: string;
  readonly #user: User;
  #running: ServerProcess | null = null;
  #firstKey = '';

  constructor(user: User) {
    this.home = ownedFolder(user);
    this.#user = user;
  }

  /** The one that runs, or else the next. */
  async server(): Promise<ServerProcess> {
    this.#running ??= await this.#start();
    return this.#running;
  }

  /** To be called before it is ended, so that no test finds it half ended. */
  release(): void {
    this.#running = null;
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.release();
    await running?.kill();
  }

  async #start(): Promise<ServerProcess> {
    const user = this.#user === null ? {} : { user: this.#user };
    const started = await startServerProcess({ home: this.home, ...user });
    this.#firstKey ||= started.firstKey;
    const rpc: ServerProcess['rpc'] = (method, params, key = this.#firstKey) =>
      callRpc(started.address, method, params, key);
    return { ...started, rpc };
  }
}

let marks = 0;
function newMark(): string {
  marks += 1;
  return `${process.pid}${marks}${Date.now() % 1_000_000}`;
}

describe.each(users)('a server that runs as its %s user and is killed', (user) => {
  let restarted: Restarted;
  beforeAll(() => {
    restarted = new Restarted(user === 'ordinary' ? ordinaryUser : null);
  });
  afterAll(() => restarted.kill());

  it.each(moments)(
    'while %s leaves no process, and the next start is clean',
    async (when, act) => {
      const { home } = restarted;
      const server = await restarted.server();
      const mark = newMark();
      const victim = insideOf(server, `victim-${mark}`);
      await victim.start({ envs: [`MARK=${mark}`] });
      await victim.shell('echo saved >/workspace/file');
      await victim.stop();
      await victim.start();
      await victim.repl('python', 'state = 1');
      await victim.shell('echo unsaved >/workspace/file');
      expect(processesWith(mark).length).toBeGreaterThan(0);
      const acting = Promise.resolve(act(server, victim, mark)).catch(() => {});
      await Promise.race([acting, new Promise((resolve) => setTimeout(resolve, 400))]);
      const runtime = runtimeDirectoryOf(home) ?? '';
      expect(existsSync(join(runtime, 'sandboxes'))).toBe(true);

      await restarted.kill();
      await expect
        .poll(() => [...processesWith(mark), ...processesWith(`${runtime}/`)], {
          timeout: goneDeadlineMs,
          interval: 20,
        })
        .toEqual([]);

      const next = await restarted.server();
      const { address } = next;
      const { body } = await next.rpc('sandbox.metrics.get', {});
      expect(body.result.sandboxes.length).toBeGreaterThan(0);
      expect(body.result.sandboxes.filter((one: { running: boolean }) => one.running)).toEqual([]);
      expect(machineResidue(home, next.process.pid ?? null)).toEqual(noResidue);
      expect(readdirSync(join(home, 'layers')).filter((name) => name.endsWith('.partial'))).toEqual(
        [],
      );
      const status = await runMsb(['server', 'status', '--json'], { home });
      expect(JSON.parse(status.stdout)).toMatchObject({ pid: next.process.pid, address });

      const again = insideOf(next, victim.name);
      expect((await again.start()).body.result).toContain('started');
      const { stdout } = await again.run('cat', ['/workspace/file']);
      // A stop that was under way may have been done.
      expect(stdout.join()).toMatch(when === 'it stops' ? /^(un)?saved$/ : /^saved$/);
      expect((await again.stop()).body.result).toContain('stopped');
      await expect.poll(() => processesWith(mark)).toEqual([]);
    },
    deadlineMs,
  );

  it(
    'after all that ends in order, with a sandbox that runs',
    async () => {
      const { home } = restarted;
      const server = await restarted.server();
      const mark = newMark();
      const last = insideOf(server, `last-${mark}`);
      await last.start({ envs: [`MARK=${mark}`] });
      await last.repl('python', 'state = 1');
      const runtime = runtimeDirectoryOf(home) ?? '';
      expect(processesWith(mark).length).toBeGreaterThan(0);
      restarted.release();
      expect(await server.stop()).toBe(0);
      expect([...processesWith(mark), ...processesWith(`${runtime}/`)]).toEqual([]);
      expect(existsSync(runtime)).toBe(false);
    },
    deadlineMs,
  );
});

describe('a server that is asked to end', () => {
  let restarted: Restarted;
  beforeAll(() => {
    restarted = new Restarted(null);
  });
  afterAll(() => restarted.kill());

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s lets a call in progress end, takes no new one, and keeps the files',
    async (signal) => {
      const server = await restarted.server();
      const mark = newMark();
      const victim = insideOf(server, `victim-${mark}`);
      await victim.start({ envs: [`MARK=${mark}`] });
      const call = victim.shell(
        'echo begun >/workspace/begun; sleep 1; echo done | tee /workspace/done',
        20,
      );
      await expect
        .poll(async () => (await victim.shell('ls /workspace')).stdout, { interval: 20 })
        .toEqual(['begun']);
      const exited = new Promise((resolve) => server.process.once('exit', resolve));
      restarted.release();
      server.process.kill(signal);
      expect((await call).stdout).toEqual(['done']);
      expect(await exited).toBe(0);
      await expect(server.rpc('sandbox.metrics.get', {})).rejects.toThrow(/ECONNREFUSED/);
      expect(processesWith(mark)).toEqual([]);
      expect(existsSync(join(restarted.home, 'server.pid'))).toBe(false);

      const again = insideOf(await restarted.server(), victim.name);
      await again.start();
      expect((await again.shell('ls /workspace')).stdout).toEqual(['begun', 'done']);
      await again.stop();
    },
    deadlineMs,
  );
});
