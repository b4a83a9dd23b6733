import { processSignals, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { encoding, maxCodeBytes } from '../commands/command-schemas.ts';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { processItem, processParams, toProcessItem } from './process-schemas.ts';

export const writeProcessInputRoute = defineRoute({
  operationId: 'writeProcessInput',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/processes/{process}/input',
  tag: 'Processes',
  summary: 'Write to the standard input of a background process, or close it',
  description: 'It is answered when the process has taken what was written.',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  params: processParams,
  maxBodyBytes: maxCodeBytes,
  body: z.strictObject({
    data: z.string().default(''),
    data_encoding: encoding,
    end: z.boolean().default(false).meta({ description: 'Nothing comes after it' }),
  }),
  answer: processItem,
  errors: ['capacity_exceeded', 'process_not_found', 'sandbox_not_found'],
  async run({ params, body: { data, data_encoding, end } }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const bytes = Buffer.from(data, data_encoding === 'text' ? 'utf8' : 'base64');
    const written = sandboxes.writeProcessInput(workspace, sandbox.id, params.process, bytes, {
      end,
    });
    await Promise.race([written, abandoned(context.exchange.signal)]);
    return toProcessItem(await sandboxes.findProcess(workspace, sandbox.id, params.process));
  },
});

/** What was written waits for its reader all the same. */
const abandoned = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () =>
      reject(
        new SandgateError('request_abandoned', 'The client went away before its input was taken'),
      ),
    );
  });

export const signalProcessRoute = defineRoute({
  operationId: 'signalProcess',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/processes/{process}/signal',
  tag: 'Processes',
  summary: 'Send a signal to a background process and its group',
  description: 'Nothing happens when it has ended.',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  params: processParams,
  body: z.strictObject({ signal: z.enum(processSignals) }),
  answer: processItem,
  errors: ['process_not_found', 'sandbox_not_found'],
  async run({ params, body }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    return toProcessItem(
      await sandboxes.signalProcess(workspace, sandbox.id, params.process, body.signal),
    );
  },
});

export const deleteProcessRoute = defineRoute({
  operationId: 'deleteProcess',
  method: 'delete',
  path: '/api/v1/sandboxes/{sandbox}/processes/{process}',
  tag: 'Processes',
  summary: 'End a background process at once, and forget it with its output',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  params: processParams,
  answer: z.null(),
  status: 204,
  errors: ['process_not_found', 'sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    await sandboxes.deleteProcess(workspace, sandbox.id, params.process);
    return null;
  },
});
