import { text as readAll } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import { withProgress } from '../progress.ts';
import { connectRpc, property } from '../rpc-client.ts';
import { callAndPrint, ensureSandbox } from '../sandbox-call.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly language: 'python' | 'node';
  readonly namespace?: string;
  readonly image?: string;
  readonly timeout?: number;
}

export function addRun(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('run')
    .description(
      'Run code in a sandbox, which is made and started if need be. Variables stay for the next run.',
    )
    .argument('<name>', 'sandbox')
    .argument('[code]', 'what to run; - reads it from standard input', '-')
    .addOption(
      new Option('-l, --language <language>', 'what it is written in')
        .choices(['python', 'node'])
        .default('python'),
    )
    .option('-n, --namespace <name>', "namespace of the sandbox (default: the key's own)")
    .option('--image <image>', 'what the sandbox is made of (default: that of the language)')
    .option('--timeout <seconds>', 'interrupt the code after this time', wholeNumberOption(1))
    .action(async (sandbox: string, code: string, options: Options) => {
      const { language, namespace, image, timeout } = options;
      const source = code === '-' ? await readAll(process.stdin) : code;
      const call = await connectRpc(terminal);
      const reference = { sandbox, ...(namespace === undefined ? {} : { namespace }) };
      await withProgress(
        terminal,
        `Starting ${sandbox}`,
        ensureSandbox(call, reference, { image, newImage: `microsandbox/${language}` }),
      );
      const result = await callAndPrint(terminal, call, 'sandbox.repl.run', {
        ...reference,
        language,
        code: source,
        ...(timeout === undefined ? {} : { timeout }),
      });
      if (property(result, 'status') !== 'success') throw new Exit(exitCodes.failure);
    });
  addExamples(
    command,
    "msb run box 'print(6 * 7)'",
    "msb run box --language node 'await Promise.resolve(42)'",
    'msb run box - < program.py',
  );
}
