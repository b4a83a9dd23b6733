import { sandboxStates } from '@sandgate/core';
import type { SandboxWait } from '@sandgate/server';
import { type Command, InvalidArgumentError } from 'commander';
import {
  type ApiClient,
  addServerOptions,
  apiPath,
  connectApi,
  type ServerOptions,
} from '../api-client.ts';
import { durationForms, durationOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { printableInLine } from '../printable.ts';
import { withProgress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { elapsedText } from '../time-text.ts';

interface Options extends ServerOptions {
  readonly state: readonly string[];
  readonly timeout?: number;
  readonly json?: true;
}

function statesOption(text: string): readonly string[] {
  const states = text.split(',');
  const known: readonly string[] = sandboxStates;
  if (states.every((state) => known.includes(state))) return states;
  throw new InvalidArgumentError(`It must be of ${sandboxStates.join(', ')}.`);
}

/** `sandboxes wait`. */
export function addSandboxesWait(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('wait'))
    .description(
      'Wait until a sandbox is in a state. Fails when it will not be, or the time is over.',
    )
    .argument('<sandbox>', 'name or id of the sandbox')
    .option('--state <states>', 'one or more, as in stopped,destroyed', statesOption, ['ready'])
    .option(
      '--timeout <duration>',
      `how long to wait: ${durationForms} (default: for ever)`,
      durationOption,
    )
    .option('--json', 'print JSON')
    .action(async (reference: string, options: Options) => {
      const api = await connectApi(terminal, options);
      const wanted = options.state.join(' or ');
      const work = waitFor(api, reference, options.state, options.timeout ?? Infinity);
      const title = `Waiting for ${reference} to be ${wanted}`;
      const { reached, sandbox } = await withProgress(terminal, title, work);
      const is = `${printableInLine(sandbox.name)} is ${sandbox.state}`;
      if (options.json) terminal.print(JSON.stringify(sandbox));
      else if (reached) terminal.print(`${is}.`);
      if (reached) return;
      const { failure: reason, destroy_reason: destroyed } = sandbox;
      const why = reason ?? destroyed;
      const after = options.timeout === undefined ? '' : ` after ${elapsedText(options.timeout)}`;
      throw failure(
        printableInLine(`${is}${why === null ? after : ` (${why})`}, and not ${wanted}.`),
      );
    });
  addExamples(
    command,
    'msb sandboxes wait box',
    'msb sandboxes wait job --state stopped,destroyed --timeout 1h',
  );
}

/** The longest that the server keeps one call waiting. */
const longestMs = 300_000;
const final = ['failed', 'destroyed'];

async function waitFor(
  api: ApiClient,
  reference: string,
  states: readonly string[],
  timeoutMs: number,
): Promise<SandboxWait> {
  const endMs = performance.now() + timeoutMs;
  // Another sandbox may take its name while it is waited for.
  let path = apiPath`sandboxes/${reference}/wait`;
  for (;;) {
    const leftMs = Math.max(0, Math.min(longestMs, endMs - performance.now()));
    const answer = await api.call<SandboxWait>('POST', path, {
      json: { states, timeout_seconds: leftMs / 1_000 },
    });
    const isFinal = final.includes(answer.sandbox.state);
    if (answer.reached || isFinal || performance.now() >= endMs) return answer;
    path = apiPath`sandboxes/${answer.sandbox.id}/wait`;
  }
}
