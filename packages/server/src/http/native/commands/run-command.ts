import { type ExecOutcome, type ExecRequest, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { answerCollected } from '../../answer-collected.ts';
import { givenFields } from '../../given-fields.ts';
import { answerWithEvents, wantsEvents } from '../event-answer.ts';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { outputEvents } from './answer-output.ts';
import {
  argvOf,
  commandFields,
  encoding,
  maxCodeBytes,
  outputFields,
  timeoutSeconds,
  toTimeoutMs,
} from './command-schemas.ts';

const ending = {
  status: z.enum(['exited', 'timed_out']),
  exit_code: z.int().nullable().meta({ description: '128 + n when signal n ended it' }),
};

export const runCommandRoute = defineRoute({
  operationId: 'runCommand',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/exec',
  tag: 'Commands',
  summary: 'Run a command, and answer what it wrote',
  description:
    'With Accept: text/event-stream, what it writes comes as it is written: events stdout and stderr, and in the end exit, or error. A client that goes away ends its command.',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  maxBodyBytes: maxCodeBytes,
  body: z.strictObject({
    ...commandFields,
    stdin: z.string().optional().meta({ description: 'Bytes for its standard input' }),
    stdin_encoding: encoding,
    timeout_seconds: timeoutSeconds.optional(),
    encoding,
  }),
  answer: z.strictObject({ ...ending, ...outputFields }),
  media: ['text/event-stream'],
  errors: [
    'command_not_found',
    'sandbox_ended',
    'sandbox_not_found',
    'sandbox_not_running',
    'workdir_missing',
  ],
  async run({ params, body }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const request: Omit<ExecRequest, 'onOutput'> = {
      argv: argvOf(body.command, sandbox.definition.shell),
      ...givenFields({
        cwd: body.cwd,
        environment: body.env,
        stdin:
          body.stdin === undefined
            ? undefined
            : Buffer.from(body.stdin, body.stdin_encoding === 'text' ? 'utf8' : 'base64'),
        timeoutMs: toTimeoutMs(body.timeout_seconds),
      }),
    };
    if (wantsEvents(context)) {
      return await answerWithEvents(context, async (events, begin, signal) => {
        const { push, flush } = outputEvents(events, body.encoding);
        const outcome = await sandboxes.exec(workspace, sandbox.id, {
          ...request,
          signal,
          onStarted: begin,
          onOutput: push,
        });
        await flush();
        await events.send({ event: 'exit', data: endingOf(outcome, sandbox.name) });
      });
    }
    return await answerCollected(context, async ({ output, fields }) => {
      const { signal } = context.exchange;
      const outcome = await sandboxes.exec(workspace, sandbox.id, {
        ...request,
        signal,
        onOutput: output.push,
      });
      return { ...endingOf(outcome, sandbox.name), ...fields(body.encoding) };
    });
  },
});

/** @throws SandgateError `request_abandoned`, `sandbox_ended` */
function endingOf(outcome: ExecOutcome, name: string) {
  switch (outcome.kind) {
    case 'exited':
      return { status: 'exited' as const, exit_code: outcome.exitCode };
    case 'timed_out':
      return { status: 'timed_out' as const, exit_code: null };
    case 'aborted':
      throw new SandgateError(
        'request_abandoned',
        'The client went away, and its command was ended',
      );
    case 'sandbox_ended':
      throw new SandgateError('sandbox_ended', `Sandbox '${name}' ended while the command ran`);
  }
}
