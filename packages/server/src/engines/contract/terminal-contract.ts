import type { EngineSandbox, Terminal, TerminalRequest } from '@sandgate/core';
import { expect } from 'vitest';
import { type ContractPart, eventually, runShell } from './contract-suite.ts';

export interface OpenedTerminal extends Terminal {
  /** Everything that was shown. */
  readonly text: () => string;
  /** Types text. */
  readonly type: (text: string) => Promise<void>;
}

export type OpenTerminal = (sandbox: EngineSandbox, request: TerminalRequest) => Promise<Terminal>;

const openByPort: OpenTerminal = (sandbox, request) => {
  if (sandbox.openTerminal === undefined) throw new Error('the sandbox has no terminals');
  return sandbox.openTerminal(request);
};

/** What every terminal promises, however it is opened. */
export function terminalPromises(open: OpenTerminal): ContractPart {
  const openText = async (
    sandbox: EngineSandbox,
    argv: readonly string[],
    options: Partial<TerminalRequest> = {},
  ): Promise<OpenedTerminal> => {
    let text = '';
    const terminal = await open(sandbox, {
      argv,
      columns: 80,
      rows: 24,
      onOutput: (data) => {
        text += data.toString('latin1');
      },
      ...options,
    });
    return {
      write: (data) => terminal.write(data),
      resize: (columns, rows) => terminal.resize(columns, rows),
      signal: (signal) => terminal.signal(signal),
      exited: terminal.exited,
      text: () => text,
      type: (typed) => terminal.write(Buffer.from(typed)),
    };
  };
  const shell = ['/bin/sh', '-i'];

  return (test, { start, report }) => {
    test('a program has a terminal of the size that was asked for', async () => {
      expect(report().capabilities.terminals).toBe(true);
      const sandbox = await start({ environment: { SHELL: '/bin/false' } });
      const script =
        'tty; stty size; test -t 1 && test -t 2 && echo "$TERM $ONE $SHELL"; pwd; exit 9';
      const terminal = await openText(sandbox, ['/bin/sh', '-c', script], {
        columns: 132,
        rows: 43,
        cwd: '/tmp',
        environment: { ONE: "it's" },
      });
      expect(await terminal.exited).toEqual({ kind: 'exited', exitCode: 9 });
      expect(terminal.text()).toMatch(
        /^\/dev\/pts\/\d+\r\n43 132\r\nxterm-256color it's \/bin\/false\r\n\/tmp\r\n$/,
      );
      const environment = { TERM: 'dumb' };
      const other = await openText(sandbox, ['printenv', 'TERM'], { environment });
      await other.exited;
      expect(other.text()).toBe('dumb\r\n');
    });

    test('what is typed is shown, edited and read', async () => {
      const sandbox = await start();
      const terminal = await openText(sandbox, shell);
      await terminal.type('echo wromg\x7f\x7fng\n');
      await eventually(terminal.text).toContain('wrong\r\n');
      await terminal.type("printf '%s|' \"$0\" 'two words'; exit 7\n");
      expect(await terminal.exited).toEqual({ kind: 'exited', exitCode: 7 });
      expect(terminal.text()).toContain('/bin/sh|two words|');
      await terminal.type('nobody reads this\n');
      await terminal.resize(1, 1);
      terminal.signal('SIGKILL');
    });

    test('a new size arrives at the program that runs', async () => {
      const sandbox = await start();
      const script = `trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done`;
      const terminal = await openText(sandbox, ['/bin/sh', '-c', script]);
      await eventually(terminal.text).toContain('ready');
      await terminal.resize(211, 67);
      await eventually(terminal.text).toContain('67 211');
      terminal.signal('SIGKILL');
      expect(await terminal.exited).toEqual({ kind: 'exited', exitCode: 137 });
    });

    test('Ctrl-C, Ctrl-Z and signals reach the foreground program alone', async () => {
      const sandbox = await start();
      const terminal = await openText(sandbox, shell);
      const program = async (number: number): Promise<void> => {
        await terminal.type(`/bin/sh -c 'echo up$((${number} + 1)); exec sleep 1000'\n`);
        await eventually(terminal.text).toContain(`up${number + 1}\r\n`);
      };
      const alive = async (mark: string): Promise<void> => {
        await terminal.type(`echo "rc $? ${mark}$((40 + 2))"\n`);
        await eventually(terminal.text).toContain(`${mark}42\r\n`);
      };
      await program(10);
      await terminal.type('\x03');
      await alive('one');
      expect(terminal.text()).toContain('rc 130 one42');
      await program(20);
      await terminal.type('\x1a');
      await alive('two');
      await program(30);
      terminal.signal('SIGTERM');
      await alive('three');
      expect(terminal.text()).toContain('rc 143 three42');
      await terminal.type('\x04');
      await terminal.type('\x04');
      terminal.signal('SIGHUP');
      expect((await terminal.exited).kind).toBe('exited');
    });

    test('SIGKILL and SIGHUP end everything on the terminal', async () => {
      const sandbox = await start();
      for (const signal of ['SIGKILL', 'SIGHUP'] as const) {
        const terminal = await openText(sandbox, shell);
        await terminal.type(
          `trap '' HUP; sleep 5151 & (trap '' HUP; sleep 5151) & echo up$((1 + 1))\n`,
        );
        await eventually(terminal.text).toContain('up2\r\n');
        terminal.signal(signal);
        expect(await terminal.exited).toEqual({ kind: 'exited', exitCode: 137 });
        const left = async (): Promise<string> =>
          (await runShell(sandbox, 'cat /proc/[0-9]*/comm | grep -c sleep')).stdout;
        await eventually(left).toBe('0\n');
      }
    });

    test('all that was shown arrives, and waits for a slow reader', async () => {
      const sandbox = await start();
      let concurrent = 0;
      let most = 0;
      const pieces: Buffer[] = [];
      const terminal = await openText(sandbox, ['seq', '30000'], {
        onOutput: async (data) => {
          concurrent += 1;
          most = Math.max(most, concurrent);
          await new Promise((resolve) => setImmediate(resolve));
          pieces.push(Buffer.from(data));
          concurrent -= 1;
        },
      });
      expect(await terminal.exited).toEqual({ kind: 'exited', exitCode: 0 });
      const numbers = Array.from({ length: 30_000 }, (_, index) => `${index + 1}\r\n`);
      expect(Buffer.concat(pieces).toString()).toBe(numbers.join(''));
      expect(most).toBe(1);
      let shown = 0;
      const reader = Promise.withResolvers<void>();
      const endless = await openText(sandbox, ['yes'], {
        onOutput: (data) => {
          shown += data.length;
          return reader.promise;
        },
      });
      await runShell(sandbox, 'sleep 0.2');
      expect(shown).toBeLessThan(1_000_000);
      endless.signal('SIGKILL');
      reader.resolve();
      expect(await endless.exited).toEqual({ kind: 'exited', exitCode: 137 });
    });

    test('what is pasted arrives whole at a program that reads it, and shows it at once', async () => {
      const sandbox = await start();
      const script = 'stty raw -echo; echo ready; head -c 300000';
      const terminal = await openText(sandbox, ['/bin/sh', '-c', script]);
      await eventually(terminal.text).toContain('ready');
      const data = Buffer.alloc(300_000, 'paste \x03\x04\x00\xff');
      await terminal.write(data);
      expect(await terminal.exited).toEqual({ kind: 'exited', exitCode: 0 });
      expect(terminal.text().endsWith(`ready\n${data.toString('latin1')}`)).toBe(true);
    });

    test('a terminal ends with its sandbox, and with a reader that fails', async () => {
      const sandbox = await start();
      // It fails when there is a terminal: what fails before refuses the opening.
      let isOpen = false;
      const failing = await openText(sandbox, shell, {
        onOutput: () => {
          if (isOpen) throw new Error('reader failed');
        },
      });
      isOpen = true;
      await failing.type('echo more\n');
      expect(await failing.exited).toEqual({ kind: 'aborted' });
      const terminal = await openText(sandbox, shell);
      await sandbox.stop();
      expect(await terminal.exited).toEqual({ kind: 'sandbox_ended' });
      await terminal.type('late');
      await expect(openText(sandbox, shell)).rejects.toMatchObject({ code: 'sandbox_ended' });
    });

    test('a terminal that cannot be opened is told of as a command is', async () => {
      const sandbox = await start();
      const cases: readonly [() => Promise<unknown>, string][] = [
        [() => openText(sandbox, []), 'invalid_request'],
        [() => openText(sandbox, ['no-such-program']), 'command_not_found'],
        [() => openText(sandbox, ['a\0b']), 'invalid_request'],
        [() => openText(sandbox, ['true'], { cwd: '/missing' }), 'workdir_missing'],
        [() => openText(sandbox, ['true'], { columns: 0 }), 'invalid_request'],
        [() => openText(sandbox, ['true'], { rows: 70_000 }), 'invalid_request'],
      ];
      for (const [opening, code] of cases) {
        await expect(opening()).rejects.toMatchObject({ name: 'SandgateError', code });
      }
    });
  };
}

export const terminalContract = terminalPromises(openByPort);
