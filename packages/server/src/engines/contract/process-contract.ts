import { constants } from 'node:os';
import {
  type EngineSandbox,
  type ExecOutcome,
  type ProcessSignal,
  processSignals,
  type RunningProcess,
} from '@sandgate/core';
import { expect } from 'vitest';
import { type ContractPart, eventually, runProgram, runShell } from './contract-suite.ts';

const ending = processSignals.filter((signal) => !/CONT|STOP|WINCH/.test(signal));
const exitCodeOf = (signal: ProcessSignal): number => 128 + constants.signals[signal];

/** A program that was started and is waited for elsewhere. */
interface Started {
  readonly process: RunningProcess;
  readonly outcome: Promise<ExecOutcome>;
  /** Everything that it has written. */
  readonly text: () => string;
}

async function startProgram(
  sandbox: EngineSandbox,
  argv: readonly string[],
  stdin?: AsyncIterable<Uint8Array>,
): Promise<Started> {
  const running = Promise.withResolvers<RunningProcess>();
  let text = '';
  const outcome = sandbox.exec({
    argv,
    ...(stdin === undefined ? {} : { stdin }),
    onStarted: running.resolve,
    onOutput: ({ data }) => {
      text += data.toString('utf8');
    },
  });
  outcome.catch(running.reject);
  return { process: await running.promise, outcome, text: () => text };
}

export const processContract: ContractPart = (test, { start }) => {
  test('a program is told of once, when it runs and before its output', async () => {
    const sandbox = await start();
    const events: string[] = [];
    const outcome = await sandbox.exec({
      argv: ['printf', 'out'],
      onStarted: () => events.push('started'),
      onOutput: ({ data }) => {
        events.push(data.toString('utf8'));
      },
    });
    expect({ outcome, events }).toEqual({
      outcome: { kind: 'exited', exitCode: 0 },
      events: ['started', 'out'],
    });
    await expect(
      runProgram(sandbox, ['no-such-program'], { onStarted: () => events.push('never') }),
    ).rejects.toMatchObject({ code: 'command_not_found' });
    expect(events).not.toContain('never');
  });

  test('being told of its start changes nothing for a program', async () => {
    const sandbox = await start({ environment: { PS4: 'kept', UID: '5' } });
    const options = { environment: { IFS: ':', TWO: '2' }, onStarted: () => undefined };
    const [plain, told] = [
      await runProgram(sandbox, ['env', '-0'], { environment: options.environment }),
      await runProgram(sandbox, ['env', '-0'], options),
    ];
    expect(told.stdout.split('\0').sort()).toEqual(plain.stdout.split('\0').sort());
    const words = ['', '-n', "it's", 'a\nb', 'A=B', '$(id)'];
    const printed = await runProgram(sandbox, ['printf', '[%s]', ...words], options);
    expect(printed.stdout).toBe(words.map((word) => `[${word}]`).join(''));
    await runShell(sandbox, `printf '#!/bin/sh\\necho odd' >-x; cp -- -x A=B; chmod +x -- -x A=B`);
    const path = { environment: { PATH: '/workspace:/usr/bin:/bin' }, onStarted: () => undefined };
    for (const name of ['-x', 'A=B']) {
      expect((await runProgram(sandbox, [name], path)).stdout).toBe('odd\n');
    }
    const open = await runShell(sandbox, 'ls /proc/self/fd | wc -l', options);
    expect(open.stdout).toBe((await runShell(sandbox, 'ls /proc/self/fd | wc -l')).stdout);
  });

  test('a signal sent as soon as the program has started is not lost', async () => {
    const sandbox = await start();
    for (const signal of ending) {
      const outcome = await sandbox.exec({
        argv: ['sleep', '1000'],
        onStarted: (process) => process.signal(signal),
        onOutput: () => undefined,
      });
      expect([signal, outcome]).toEqual([signal, { kind: 'exited', exitCode: exitCodeOf(signal) }]);
    }
  });

  test('every signal arrives at the program and at its group as itself', async () => {
    const sandbox = await start();
    const caught = processSignals.filter((signal) => !/KILL|STOP/.test(signal));
    const traps = caught
      .map((signal) => `trap 'echo "$0 ${signal}"' ${signal.slice(3)}`)
      .join('\n');
    const loop = `${traps}\necho "$0 ready"; while :; do sleep 0.02; done`;
    // A pipe, as a shell has what it starts in the background ignore SIGINT and SIGQUIT.
    const pair = '{ /bin/sh -c "$1" one >&3 3>&- | /bin/sh -c "$1" two 3>&-; } 3>&1';
    const names = caught.map((signal) => signal.slice(3)).join(' ');
    const { process, outcome, text } = await startProgram(sandbox, [
      ...['/bin/sh', '-c', `trap : ${names}; ${pair}`, 'sh', loop],
    ]);
    await eventually(text).toMatch(/ready\n(.*\n)*.*ready/);
    for (const signal of caught) {
      process.signal(signal);
      for (const name of ['one', 'two']) await eventually(text).toContain(`${name} ${signal}\n`);
    }
    process.signal('SIGKILL');
    expect(await outcome).toEqual({ kind: 'exited', exitCode: 137 });
    expect(text().match(/SIG/g)).toHaveLength(2 * caught.length);
    process.signal('SIGTERM');
    const left = async (): Promise<string> =>
      (await runShell(sandbox, 'cat /proc/[0-9]*/comm | grep -c sleep')).stdout;
    await eventually(left).toBe('0\n');
  });

  test('a stopped program goes on when it is continued, and can be ended before', async () => {
    const sandbox = await start();
    const { process, outcome } = await startProgram(sandbox, ['sleep', '77777']);
    const state = async (): Promise<string> =>
      (
        await runShell(
          sandbox,
          'grep -ls "^sleep" /proc/[0-9]*/comm | sed s/comm/stat/ | xargs cat',
        )
      ).stdout.split(' ')[2] ?? '';
    // Before it has become `sleep` it is a shell, which would be stopped under that name.
    await eventually(state).toBe('S');
    process.signal('SIGSTOP');
    await eventually(state).toBe('T');
    process.signal('SIGCONT');
    await eventually(state).toBe('S');
    process.signal('SIGSTOP');
    process.signal('SIGKILL');
    expect(await outcome).toEqual({ kind: 'exited', exitCode: 137 });
  });

  test('each piece of input is there before the next one is given', async () => {
    const sandbox = await start();
    const seen: string[] = [];
    let arrived = (): void => undefined;
    async function* talk(): AsyncGenerator<Uint8Array> {
      for (const piece of ['one', 'two', 'three']) {
        const echoed = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        yield Buffer.from(piece);
        await echoed;
        expect(seen.at(-1)).toBe(piece);
      }
    }
    const outcome = await sandbox.exec({
      argv: ['cat'],
      stdin: talk(),
      onOutput: ({ data }) => {
        seen.push(data.toString('utf8'));
        arrived();
      },
    });
    expect({ outcome, seen }).toEqual({
      outcome: { kind: 'exited', exitCode: 0 },
      seen: ['one', 'two', 'three'],
    });
  });

  test('input waits for a program that does not read it', async () => {
    const sandbox = await start();
    let given = 0;
    async function* flood(): AsyncGenerator<Uint8Array> {
      for (; given < 100; given += 1) yield Buffer.alloc(65_536);
    }
    const { process, outcome } = await startProgram(sandbox, ['sleep', '1000'], flood());
    await runShell(sandbox, 'sleep 0.3');
    expect(given).toBeLessThan(10);
    process.signal('SIGTERM');
    expect(await outcome).toEqual({ kind: 'exited', exitCode: 143 });
  });
};
