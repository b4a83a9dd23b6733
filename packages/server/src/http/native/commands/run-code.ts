import { type KernelOutcome, type RichResult, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { answerCollected } from '../../answer-collected.ts';
import { givenFields } from '../../given-fields.ts';
import { answerWithEvents, wantsEvents } from '../event-answer.ts';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { outputEvents } from './answer-output.ts';
import { maxCodeBytes, outputFields, timeoutSeconds, toTimeoutMs } from './command-schemas.ts';

const frame = z.strictObject({
  file: z.string(),
  line: z.int(),
  function: z.string(),
  source: z.string().nullable(),
});

const ending = {
  status: z.enum(['completed', 'raised', 'timed_out', 'exited']),
  error: z
    .strictObject({
      name: z.string(),
      message: z.string(),
      traceback: z.array(frame).meta({ description: 'Outermost frame first' }),
    })
    .nullable()
    .meta({ description: 'What the code raised' }),
  exit_code: z.int().nullable().meta({ description: 'Of code that ended its interpreter' }),
  state_lost: z.boolean().meta({ description: 'The next run begins without the variables' }),
};

const result = z
  .strictObject({
    role: z.enum(['value', 'display']).meta({ description: 'value: of the last expression' }),
    data: z.record(z.string(), z.string()).meta({
      description: 'By media type: text as it is, binary in base64. text/plain is always there',
    }),
  })
  .meta({ id: 'Result' });

export const runCodeRoute = defineRoute({
  operationId: 'runCode',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/code',
  tag: 'Commands',
  summary: 'Run code in a kernel that keeps its variables, and answer what it shows',
  description:
    'With Accept: text/event-stream: events stdout, stderr and result as they come, and in the end done, or error. A client that goes away ends the run.',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  maxBodyBytes: maxCodeBytes,
  body: z.strictObject({
    language: z.enum(['python', 'node']).default('python'),
    code: z.string(),
    timeout_seconds: timeoutSeconds.optional(),
  }),
  answer: z.strictObject({
    ...ending,
    ...outputFields,
    results: z.array(result),
    results_truncated: z.boolean(),
  }),
  media: ['text/event-stream'],
  errors: [
    'kernel_failed',
    'language_unsupported',
    'sandbox_ended',
    'sandbox_not_found',
    'sandbox_not_running',
  ],
  async run({ params, body }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const { language, code } = body;
    const request = {
      code,
      ...givenFields({ timeoutMs: toTimeoutMs(body.timeout_seconds) }),
    };
    if (wantsEvents(context)) {
      return await answerWithEvents(context, async (events, begin, signal) => {
        const { push, flush } = outputEvents(events, 'text');
        const outcome = await sandboxes.runCode(workspace, sandbox.id, language, {
          ...request,
          signal,
          onOutput: (chunk) => {
            begin();
            return push(chunk);
          },
          onResult: async (shown) => {
            begin();
            await events.send({ event: 'result', data: shown });
          },
        });
        begin();
        await flush();
        await events.send({ event: 'done', data: endingOf(outcome, sandbox.name) });
      });
    }
    return await answerCollected(context, async ({ output, allowance, fields }) => {
      const results: RichResult[] = [];
      let truncated = false;
      const outcome = await sandboxes.runCode(workspace, sandbox.id, language, {
        ...request,
        signal: context.exchange.signal,
        onOutput: output.push,
        onResult: async (shown) => {
          truncated ||= !allowance.take(sizeOf(shown));
          if (truncated) await context.pace.turn();
          else results.push(shown);
        },
      });
      return {
        ...endingOf(outcome, sandbox.name),
        ...fields('text'),
        results: results.map(({ role, data }) => ({ role, data: { ...data } })),
        results_truncated: truncated,
      };
    });
  },
});

const sizeOf = ({ data }: RichResult): number =>
  Object.entries(data).reduce((sum, [type, text]) => sum + type.length + text.length, 64);

/** @throws SandgateError `request_abandoned`, `sandbox_ended` */
function endingOf(outcome: KernelOutcome, name: string) {
  const plain = { error: null, exit_code: null, state_lost: false };
  switch (outcome.kind) {
    case 'completed':
      return { ...plain, status: 'completed' as const };
    case 'raised': {
      const { errorName, errorMessage, traceback } = outcome;
      const frames = (traceback?.frames ?? []).map((each) => ({ ...each }));
      const error = { name: errorName, message: errorMessage, traceback: frames };
      return { ...plain, status: 'raised' as const, error };
    }
    case 'timed_out':
      return { ...plain, status: 'timed_out' as const, state_lost: outcome.stateLost };
    case 'exited':
      return {
        ...plain,
        status: 'exited' as const,
        exit_code: outcome.exitCode,
        state_lost: true,
      };
    case 'aborted':
      throw new SandgateError('request_abandoned', 'The client went away, and its run was ended');
    case 'sandbox_ended':
      throw new SandgateError('sandbox_ended', `Sandbox '${name}' ended while the code ran`);
  }
}
