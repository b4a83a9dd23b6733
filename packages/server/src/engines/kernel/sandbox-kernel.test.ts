import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { KernelProcess } from './kernel-process.ts';
import { runMarker } from './run-output-splitter.ts';
import { createSandboxKernel, type SandboxKernelOptions } from './sandbox-kernel.ts';

/** A guest whose every word is chosen by the test. Its token is always `t`. */
class FakeGuest implements KernelProcess {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly control = new PassThrough();
  readonly signals: string[] = [];
  readonly #exit = Promise.withResolvers<number>();
  readonly exited = this.#exit.promise;
  readonly #diesWhenKilled: boolean;

  constructor(diesWhenKilled = true) {
    this.#diesWhenKilled = diesWhenKilled;
  }

  kill(signal: 'SIGINT' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (signal === 'SIGKILL' && this.#diesWhenKilled) this.exit(137);
  }

  exit(code: number): void {
    for (const stream of [this.stdout, this.stderr, this.control]) stream.end();
    this.#exit.resolve(code);
  }

  mark(): void {
    this.stdout.write(runMarker('t'));
    this.stderr.write(runMarker('t'));
  }

  reply(run: number): void {
    this.control.write(`{"run":${run},"status":"completed"}\n`);
  }

  /** Resolves when the next request is here. */
  async request(): Promise<void> {
    await new Promise((resolve) => this.stdin.once('data', resolve));
  }
}

function kernelOver(guests: FakeGuest[], options: Partial<SandboxKernelOptions> = {}) {
  const remaining = [...guests];
  const start = async (): Promise<KernelProcess> => {
    const guest = remaining.shift();
    if (guest === undefined) throw new Error('no more guests');
    return guest;
  };
  const sandboxEnded = new Promise<void>(() => undefined);
  return createSandboxKernel('python', start, { sandboxEnded, nextToken: () => 't', ...options });
}

function collect() {
  const seen: string[] = [];
  return {
    seen,
    onOutput: (chunk: { data: Buffer }) => void seen.push(chunk.data.toString('latin1')),
  };
}

const completed = { kind: 'completed' };
afterEach(() => void vi.useRealTimers());

describe('the end of a run', () => {
  test('comes only after the reply and both markers, whichever is last', async () => {
    const guest = new FakeGuest();
    const { seen, onOutput } = collect();
    let ended = false;
    const run = kernelOver([guest]).run({ code: '', onOutput });
    void run.then(() => {
      ended = true;
    });
    await guest.request();
    guest.mark();
    guest.reply(1);
    guest.stdout.write(runMarker('t'));
    guest.stderr.write('late but inside');
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    guest.stderr.write(runMarker('t'));
    expect(await run).toEqual(completed);
    expect(seen).toEqual(['late but inside']);
  });

  test('waits for a slow receiver, and calls of run are served in order', async () => {
    const guest = new FakeGuest();
    const kernel = kernelOver([guest]);
    const order: string[] = [];
    const slow = Promise.withResolvers<void>();
    const first = kernel.run({ code: '1', onOutput: () => slow.promise });
    const second = kernel.run({ code: '2', onOutput: () => undefined });
    void first.then(() => order.push('first'));
    void second.then(() => order.push('second'));
    await guest.request();
    guest.mark();
    guest.stdout.write('x');
    guest.mark();
    guest.reply(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    slow.resolve();
    await first;
    guest.mark();
    guest.mark();
    guest.reply(2);
    await second;
    expect(order).toEqual(['first', 'second']);
  });

  test('a failing receiver fails its run, and the next one works', async () => {
    const [one, two] = [new FakeGuest(), new FakeGuest()];
    const kernel = kernelOver([one, two]);
    const failing = kernel.run({
      code: '',
      onOutput: () => Promise.reject(new Error('client is gone')),
    });
    await one.request();
    one.mark();
    one.stdout.write('x');
    await expect(failing).rejects.toThrow('client is gone');
    const next = kernel.run({ code: '', onOutput: () => undefined });
    await two.request();
    two.mark();
    two.mark();
    two.reply(1);
    expect(await next).toEqual(completed);
  });

  test('code is sent again when the interpreter died between two runs', async () => {
    const [one, two] = [new FakeGuest(), new FakeGuest()];
    const kernel = kernelOver([one, two]);
    const first = kernel.run({ code: '', onOutput: () => undefined });
    await one.request();
    one.mark();
    one.mark();
    one.reply(1);
    await first;
    const second = kernel.run({ code: '', onOutput: () => undefined });
    await one.request();
    one.exit(1);
    await two.request();
    two.mark();
    two.mark();
    two.reply(1);
    expect(await second).toEqual(completed);
  });
});

describe('a guest that lies', () => {
  test.each([
    ['junk', 'hello\n'],
    ['an unknown status', '{"run":1,"status":"fine"}\n'],
    ['another run', '{"run":2,"status":"completed"}\n'],
    ['an error without a name', '{"run":1,"status":"raised"}\n'],
    ['a second reply', '{"run":1,"status":"completed"}\n{"run":1,"status":"completed"}\n'],
    ['an array', '[]\n'],
    ['an endless line', 'x'.repeat(1_100_000)],
  ])('%s ends its kernel', async (_name, line) => {
    const guest = new FakeGuest();
    const run = kernelOver([guest]).run({ code: '', onOutput: () => undefined });
    await guest.request();
    guest.control.write(line);
    await expect(run).rejects.toMatchObject({ code: 'kernel_failed' });
    expect(guest.signals).toEqual(['SIGKILL']);
  });

  test('error texts are bounded', async () => {
    const guest = new FakeGuest();
    const run = kernelOver([guest]).run({ code: '', onOutput: () => undefined });
    await guest.request();
    guest.mark();
    guest.mark();
    const reply = { run: 1, status: 'raised', name: 'E', message: 'm'.repeat(500_000) };
    guest.control.write(`${JSON.stringify(reply)}\n`);
    expect(await run).toEqual({ kind: 'raised', errorName: 'E', errorMessage: 'm'.repeat(10_000) });
  });

  test('silence ends at the timeout and its grace, even when the process does not die', async () => {
    vi.useFakeTimers();
    const guest = new FakeGuest(false);
    const { seen, onOutput } = collect();
    const run = kernelOver([guest]).run({ code: '', timeoutMs: 5_000, onOutput });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(guest.signals).toEqual(['SIGINT']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(guest.signals).toEqual(['SIGINT', 'SIGKILL']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await run).toEqual({ kind: 'timed_out', stateLost: true });
    guest.mark();
    guest.stdout.write('too late');
    await vi.advanceTimersByTimeAsync(10);
    expect(seen).toEqual([]);
  });

  test('a start that hangs ends at the timeout as well', async () => {
    vi.useFakeTimers();
    const kernel = createSandboxKernel('node', () => new Promise(() => undefined), {
      sandboxEnded: new Promise(() => undefined),
    });
    const run = kernel.run({ code: '', timeoutMs: 100, onOutput: () => undefined });
    await vi.advanceTimersByTimeAsync(1_200);
    expect(await run).toEqual({ kind: 'timed_out', stateLost: true });
  });
});

describe('abort and the end of the sandbox', () => {
  test('an abort interrupts, and keeps the state of code that ends', async () => {
    const guest = new FakeGuest();
    const controller = new AbortController();
    const run = kernelOver([guest]).run({
      code: '',
      signal: controller.signal,
      onOutput: () => undefined,
    });
    await guest.request();
    guest.mark();
    controller.abort();
    expect(guest.signals).toEqual(['SIGINT']);
    guest.mark();
    guest.reply(1);
    expect(await run).toEqual({ kind: 'aborted', stateLost: false });
  });

  test('a run that is aborted in the queue never starts', async () => {
    const guest = new FakeGuest();
    const kernel = kernelOver([guest]);
    const controller = new AbortController();
    void kernel.run({ code: '', onOutput: () => undefined });
    const queued = kernel.run({ code: '', signal: controller.signal, onOutput: () => undefined });
    controller.abort();
    expect(await queued).toEqual({ kind: 'aborted', stateLost: false });
    expect(guest.signals).toEqual([]);
  });

  test('runs end with the sandbox', async () => {
    const guest = new FakeGuest();
    const ended = Promise.withResolvers<void>();
    const kernel = kernelOver([guest], { sandboxEnded: ended.promise });
    const run = kernel.run({ code: '', onOutput: () => undefined });
    await guest.request();
    guest.exit(137);
    ended.resolve();
    expect(await run).toEqual({ kind: 'sandbox_ended' });
    expect(await kernel.run({ code: '', onOutput: () => undefined })).toEqual({
      kind: 'sandbox_ended',
    });
  });

  test('a failing start fails the run with its own error', async () => {
    const run = kernelOver([]).run({ code: '', onOutput: () => undefined });
    await expect(run).rejects.toThrow('no more guests');
  });
});
