import type { Command } from 'commander';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { Exit } from '../exit.ts';
import { readProgram } from '../program-words.ts';
import { withProgress } from '../progress.ts';
import { connectRpc, property } from '../rpc-client.ts';
import { callAndPrint, ensureSandbox } from '../sandbox-call.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly namespace?: string;
  readonly image?: string;
  readonly timeout?: number;
}

export function addExec(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('exec')
    .passThroughOptions()
    .description(
      'Run a program in a sandbox, which is made and started if need be. Ends with its exit code.',
    )
    .argument('<name>', 'sandbox')
    .argument('<command...>', 'program and arguments')
    .option('-n, --namespace <name>', "namespace of the sandbox (default: the key's own)")
    .option('--image <image>', 'what the sandbox is made of (default: microsandbox/python)')
    .option('--timeout <seconds>', 'kill the program after this time', wholeNumberOption(1))
    .action(async (sandbox: string, words: readonly string[]) => {
      const [program, ...args] = readProgram(command, words);
      const { namespace, image, timeout } = command.opts<Options>();
      const call = await connectRpc(terminal);
      const reference = { sandbox, ...(namespace === undefined ? {} : { namespace }) };
      await withProgress(
        terminal,
        `Starting ${sandbox}`,
        ensureSandbox(call, reference, { image, newImage: 'microsandbox/python' }),
      );
      const result = await callAndPrint(terminal, call, 'sandbox.command.run', {
        ...reference,
        command: program,
        args,
        ...(timeout === undefined ? {} : { timeout }),
      });
      const exitCode = property(result, 'exit_code');
      if (exitCode !== 0) throw new Exit(typeof exitCode === 'number' ? exitCode : 1);
    });
  addExamples(command, 'msb exec box ls -la /', "msb exec box -- sh -c 'echo $HOSTNAME'");
}
