import type { RunningServer } from '@sandgate/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepUntilClosed } from './foreground-server.ts';
import type { Terminal } from './terminal.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let listenedBefore: Map<string, readonly unknown[]>;
beforeEach(() => {
  vi.useFakeTimers();
  listenedBefore = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
});
afterEach(() => {
  vi.useRealTimers();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!listenedBefore.get(signal)?.includes(listener)) process.off(signal, listener);
    }
  }
});

/** A server whose calls in progress end when the test says so. */
function scriptedServer() {
  const drained = Promise.withResolvers<void>();
  const stopRequested = Promise.withResolvers<void>();
  const close = vi.fn(() => drained.promise);
  const server: RunningServer = {
    address: 'http://127.0.0.1:5555',
    firstOperatorKey: null,
    revokedKeys: 0,
    setupToken: null,
    engine: {
      engine: 'scripted',
      usable: true,
      capabilities: {
        seccomp: true,
        memoryLimit: 'none',
        cpuLimit: 'none',
        processLimit: 'none',
        persistentLayer: false,
      },
      templates: [],
      findings: [],
    },
    warnings: [],
    status: () => Promise.reject(new Error('not asked for')),
    close,
    stopRequested: stopRequested.promise,
    closed: drained.promise,
  };
  return { server, close, drained: drained.resolve, requestStop: stopRequested.resolve };
}

function scriptedTerminal() {
  const notes: string[] = [];
  const terminal: Terminal = {
    environment: {},
    currentFolder: '/',
    readSecret: async () => '',
    print: () => {},
    write: () => {},
    writeNote: () => {},
    note: (text) => notes.push(text),
  };
  return { terminal, notes };
}

describe('keepUntilClosed', () => {
  it('lets the calls in progress end at a signal, and takes a quick second for the same', async () => {
    const { server, close, drained } = scriptedServer();
    const { terminal, notes } = scriptedTerminal();
    const kept = keepUntilClosed(terminal, server);
    process.emit('SIGINT');
    vi.advanceTimersByTime(400);
    process.emit('SIGINT');
    process.emit('SIGTERM');
    drained();
    await kept;
    expect(close).toHaveBeenCalledOnce();
    expect(notes.at(-1)).toBe('Stopped.');
  });

  it('takes a signal for the same that comes when all has ended', async () => {
    const { server, close, drained } = scriptedServer();
    const { terminal } = scriptedTerminal();
    const kept = keepUntilClosed(terminal, server);
    process.emit('SIGINT');
    drained();
    await kept;
    // True where somebody listened: without it the signal would have killed the process.
    expect(process.emit('SIGINT')).toBe(true);
    expect(process.listenerCount('SIGINT')).toBe((listenedBefore.get('SIGINT')?.length ?? 0) + 1);
    expect(close).toHaveBeenCalledOnce();
  });

  it('does not wait any longer at a second Ctrl-C', async () => {
    const { server } = scriptedServer();
    const { terminal } = scriptedTerminal();
    const kept = keepUntilClosed(terminal, server);
    process.emit('SIGINT');
    vi.advanceTimersByTime(600);
    process.emit('SIGINT');
    await expect(kept).rejects.toMatchObject({ code: 130 });
  });

  it('says that it still waits after a second', async () => {
    const { server, drained } = scriptedServer();
    const { terminal, notes } = scriptedTerminal();
    const kept = keepUntilClosed(terminal, server);
    process.emit('SIGTERM');
    await vi.advanceTimersByTimeAsync(6_500);
    drained();
    await kept;
    expect(notes.filter((note) => note.startsWith('Stopping …'))).toHaveLength(2);
  });

  it('closes when it is asked to over the control socket', async () => {
    const { server, close, drained, requestStop } = scriptedServer();
    const kept = keepUntilClosed(scriptedTerminal().terminal, server);
    requestStop();
    drained();
    await kept;
    expect(close).toHaveBeenCalledOnce();
  });
});
