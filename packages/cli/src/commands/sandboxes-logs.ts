import type { LogPart } from '@sandgate/server';
import type { Command } from 'commander';
import {
  type ApiClient,
  addServerOptions,
  apiPath,
  connectApi,
  type ServerOptions,
} from '../api-client.ts';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { startOfLast } from '../last-lines.ts';
import { type OutputWriter, openOutput } from '../output-writer.ts';
import { printable } from '../printable.ts';
import { property } from '../rpc-client.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions {
  readonly tail?: number;
  readonly follow?: true;
}

/** `sandboxes logs`. */
export function addSandboxesLogs(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('logs'))
    .description('Show what the main command of a sandbox wrote.')
    .argument('<sandbox>', 'name or id of the sandbox')
    .option('-t, --tail <lines>', 'only the last lines', wholeNumberOption(0))
    .option('-f, --follow', 'go on with what is written, until it runs no more, or Ctrl-C')
    .action(async (sandbox: string, { tail, follow, ...options }: Options) => {
      const api = await connectApi(terminal, options);
      const path = apiPath`sandboxes/${sandbox}/logs`;
      const output = openOutput(terminal);
      const toByte =
        tail === undefined
          ? await writeAll(api, path, output)
          : await writeTail(api, path, output, tail);
      if (follow) await writeFollowing(api, path, output, toByte);
      output.end();
    });
  addExamples(command, 'msb sandboxes logs box', 'msb sandboxes logs box --tail 20 --follow');
}

const maxBytes = 1_048_576;

const readPart = (api: ApiClient, path: string, fromByte: number): Promise<LogPart> =>
  api.call('GET', path, {
    query: { from_byte: fromByte, max_bytes: maxBytes, encoding: 'base64' },
  });

const dataOf = (part: unknown): Buffer => Buffer.from(String(property(part, 'base64')), 'base64');

/** @returns the byte up to which it was written */
async function writeAll(api: ApiClient, path: string, output: OutputWriter): Promise<number> {
  for (let fromByte = 0; ; ) {
    const { data, to_byte, end_byte } = await readPart(api, path, fromByte);
    output.write('stdout', Buffer.from(data, 'base64'));
    if (to_byte >= end_byte || to_byte === fromByte) return to_byte;
    fromByte = to_byte;
  }
}

async function writeTail(
  api: ApiClient,
  path: string,
  output: OutputWriter,
  lines: number,
): Promise<number> {
  const { data, to_byte } = await readPart(api, path, -maxBytes);
  const bytes = Buffer.from(data, 'base64');
  output.write('stdout', bytes.subarray(startOfLast(bytes, lines)));
  return to_byte;
}

async function writeFollowing(
  api: ApiClient,
  path: string,
  output: OutputWriter,
  fromByte: number,
): Promise<void> {
  const query = { from_byte: fromByte, encoding: 'base64' };
  for await (const { event, data } of api.events('GET', path, { query })) {
    if (event === 'log') output.write('stdout', dataOf(data));
    if (event === 'error') throw failure(printable(String(property(data, 'detail'))));
    if (event === 'end') return;
  }
  throw failure('The connection ended, and the log may go on.');
}
