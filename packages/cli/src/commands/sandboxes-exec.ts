import { buffer as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { wholeNumberOption } from '../duration-option.ts';
import {
  addEnvironmentOptions,
  chosenEnvironment,
  type EnvironmentOptions,
} from '../environment-options.ts';
import { addExamples } from '../examples.ts';
import { Exit, failure } from '../exit.ts';
import { openOutput } from '../output-writer.ts';
import { printable } from '../printable.ts';
import { readProgram } from '../program-words.ts';
import { property } from '../rpc-client.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions, EnvironmentOptions {
  readonly stdin?: true;
  readonly cwd?: string;
  readonly timeout?: number;
}

/** `sandboxes exec`. Ctrl-C ends it, and with the connection the command. */
export function addSandboxesExec(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('exec'))
    .passThroughOptions()
    .description(
      'Run a program in a sandbox, and show what it writes as it is written. Ends with its exit code; Ctrl-C ends it.',
    )
    .argument('<sandbox>', 'name or id of the sandbox')
    .argument('<command...>', 'program and arguments')
    .option('-i, --stdin', 'give it what comes on standard input, up to 1 MiB')
    .option('--cwd <path>', "directory that it begins in (default: the sandbox's)")
    .option('--timeout <seconds>', 'kill the program after this time', wholeNumberOption(1));
  addEnvironmentOptions(command).action(async (sandbox: string, words: readonly string[]) => {
    const program = readProgram(command, words);
    const options = command.opts<Options>();
    const { cwd, timeout } = options;
    const stdin = options.stdin === undefined ? undefined : await readAll(process.stdin);
    const env = await chosenEnvironment(terminal, options);
    const api = await connectApi(terminal, options);
    const events = api.events('POST', apiPath`sandboxes/${sandbox}/exec`, {
      json: {
        command: program,
        encoding: 'base64',
        env,
        cwd,
        timeout_seconds: timeout,
        stdin: stdin?.toString('base64'),
        stdin_encoding: 'base64',
      },
    });
    const output = openOutput(terminal);
    for await (const { event, data } of events) {
      if (event === 'stdout' || event === 'stderr') {
        output.write(event, Buffer.from(String(property(data, 'base64')), 'base64'));
        continue;
      }
      output.end();
      if (event === 'error') throw failure(printable(String(property(data, 'detail'))));
      if (event === 'exit') return endWith(data, timeout);
    }
    output.end();
    throw failure('The connection ended before the command did. It was ended, too.');
  });
  addExamples(
    command,
    'msb sandboxes exec box ls -la /',
    "msb sandboxes exec box -- sh -c 'for n in 1 2 3; do echo $n; sleep 1; done'",
    'msb sandboxes exec --stdin box python3 - < program.py',
  );
}

function endWith(ending: unknown, timeout: number | undefined): void {
  if (property(ending, 'status') === 'timed_out') {
    throw failure(`The command was killed after ${timeout} s.`);
  }
  const exitCode = property(ending, 'exit_code');
  if (exitCode !== 0) throw new Exit(typeof exitCode === 'number' ? exitCode : 1);
}
